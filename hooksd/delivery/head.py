"""Requests as HTTP/1.1 writes them (RFC 9112, section 3). Pure.

`delivery.request` writes what the requests of an endpoint have in common once, and the rest for each.
"""

from __future__ import annotations

from collections.abc import Iterable

from hooksd.delivery.place import Place

Header = tuple[str, str]

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests state the length of their body even if it is empty (RFC 9110, section 8.6)."""


def with_host(headers: Iterable[Header], place: Place) -> list[Header]:
    """Return headers that say who is asked; whoever made them may have said it already."""
    given = list(headers)
    if any(name.lower() == "host" for name, _ in given):
        return given
    return [("Host", place.authority.decode()), *given]


def start_of(method: str, place: Place, headers: Iterable[Header]) -> bytes:
    """Return the request line and the lines of headers, to which others may be added: the empty line is not there."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in with_host(headers, place))
    return b"%b %b HTTP/1.1\r\n%b" % (method.encode(), place.target, lines.encode())


def written(start: bytes, headers: Iterable[Header], method: str, body: bytes) -> bytes:
    """Return a whole request: its start, headers that only this one has, the length of its body, and the body."""
    lines = "\r\n".join([*map(": ".join, headers), ""]).encode()
    if body or method in WITH_BODY:
        return b"%b%bContent-Length: %d\r\n\r\n%b" % (start, lines, len(body), body)
    return b"%b%b\r\n" % (start, lines)
