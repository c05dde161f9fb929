"""What is wrong with the authentication of a webhook, found when definitions are loaded."""

from __future__ import annotations


class AuthProblem(Exception):
    """An authentication that cannot work or would protect nothing."""

    def __init__(self, key: str, message: str, hint: str | None = None, *, code: str | None = None) -> None:
        super().__init__(message)
        self.key = key
        """The key under `auth` that is to blame; empty: `auth` as a whole."""
        self.message = message
        """Never holds a secret."""
        self.hint = hint
        self.code = code
        """The diagnostic's own code; None: the one for its kind of rule."""
        self.within: tuple[str | int, ...] = ()
        """Where in a list of several proofs: `("of", 1)` is the second of them."""
