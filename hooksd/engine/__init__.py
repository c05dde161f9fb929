"""Workflows: deciding what a run needs next, in pure code, and having it done."""
