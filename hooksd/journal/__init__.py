"""The log: append-only JSON lines that are journal and audit trail at once."""
