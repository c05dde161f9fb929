"""Where a connection stands in a request, and why its parser is ended. Used by `web.guard` alone."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

import httptools

from hooksd.web.guard_limits import GuardReason

_HOST: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_~%!$&'()*+,;=:[]"
"""Bytes of a Host (RFC 3986 section 3.2.2)."""


class Phase(Enum):
    """What the caller may send next."""

    IDLE = auto()
    """A request."""
    HEAD = auto()
    """The rest of a request line and headers."""
    BODY = auto()
    """The rest of a body."""


IDLE: Final = Phase.IDLE  # by their names alone, for looking up a member takes as long as calling a function
HEAD: Final = Phase.HEAD
BODY: Final = Phase.BODY


class Unwelcome(Exception):
    """Raised inside the parser to end it: the request is refused, or what follows is not heard."""

    def __init__(self, status: int | None, reason: GuardReason, detail: str = "") -> None:
        super().__init__(detail)
        self.status = status
        """None: nothing is wrong with what was heard, and nothing more is."""
        self.reason: GuardReason = reason
        self.detail = detail


def unwelcome(error: httptools.HttpParserError) -> Unwelcome:
    """Return why the parser stopped: one of our own reasons, which it wraps, or its own."""
    if isinstance(error.__context__, Unwelcome):
        return error.__context__
    return Unwelcome(400, "malformed", "this is no HTTP request as RFC 9112 defines it")


def check_host(host: bytes | None, version: str) -> None:
    """Want one Host that can be one, as RFC 9112 section 3.2 does.

    Raises:
        Unwelcome: It is missing, or has bytes that no Host has.
    """
    if host is None:
        if version != "1.0":
            raise Unwelcome(400, "malformed", "send exactly one Host")
    elif host.translate(None, _HOST):
        raise Unwelcome(400, "malformed", "the Host is none")
