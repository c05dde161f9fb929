"""Outgoing HTTP: deliveries to registered endpoints, and one-off requests of steps."""
