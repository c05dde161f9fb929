"""Where a connection stands in a request, and why its parser is ended. Used by `web.guard` alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto
from functools import lru_cache
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


@lru_cache(maxsize=32)
def is_host(text: str) -> bool:
    """Tell whether a text can be a Host, as RFC 9112 section 3.2 wants one. Most callers say the same."""
    return not text.encode("latin-1").translate(None, _HOST)


def check_host(named: Mapping[str, str], fields: Sequence[tuple[str, str]], version: str) -> None:
    """Want exactly one Host that can be one; HTTP/1.0 knows none.

    Raises:
        Unwelcome: It is otherwise.
    """
    host = named.get("host")
    if host is None:
        if version != "1.0":
            raise Unwelcome(400, "malformed", "send exactly one Host")
    elif len(named) != len(fields) and [name for name, _ in fields].count("host") > 1:
        raise Unwelcome(400, "malformed", "send exactly one Host")
    elif not is_host(host):
        raise Unwelcome(400, "malformed", "the Host is none")


def check_size(target: bytes, fields: Iterable[tuple[str, str]], limit: int) -> None:
    """Want a head of at most `limit` bytes.

    Raises:
        Unwelcome: It has more.
    """
    if len(target) + sum(len(name) + len(value) for name, value in fields) > limit:
        raise Unwelcome(431, "head_too_large", f"headers may have {limit} bytes in all")
