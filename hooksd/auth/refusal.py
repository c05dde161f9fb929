"""How the parts of a verifier stop: an exception that never leaves `hooksd.auth`."""

from __future__ import annotations

from hooksd.auth.verdict import Reason


class Refusal(Exception):
    """The request proves nothing, for this reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
