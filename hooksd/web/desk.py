"""A part of the admin listener: some requests and who answers them. `hooksd.web.admin` serves it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple, Protocol

from starlette.requests import Request

from hooksd.web.answer import Answer

Endpoint = Callable[[Request], Awaitable[Answer]]
"""Answers a request; what it raises becomes an answer too."""


class Served(NamedTuple):
    """One kind of request."""

    method: str
    path: str
    """Behind `/api/v1`, as Starlette writes patterns."""
    answer: Endpoint


class Desk(Protocol):
    """Serves some kinds of requests."""

    def serves(self) -> Iterable[Served]:
        """Return which."""
        ...
