"""Step kinds: one module for each verb, listed in `registry`."""
