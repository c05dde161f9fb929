"""What is wrong with the authentication of a webhook, found when definitions are loaded."""

from __future__ import annotations


class AuthProblem(Exception):
    """An authentication that cannot work or would protect nothing."""

    def __init__(self, key: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.key = key
        """The key under `auth` that is to blame; empty: `auth` as a whole."""
        self.message = message
        """Never holds a secret."""
        self.hint = hint
