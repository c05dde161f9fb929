"""Heads of requests: what stands before the body, as HTTP/1.1 writes it (RFC 9112, section 3). Pure.

`delivery.request` writes what the requests of an endpoint have in common once, `delivery.sender` the rest.
"""

from __future__ import annotations

from collections.abc import Iterable

from hooksd.delivery.place import Place

Header = tuple[str, str]


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
