"""Places: where a URL leads, and what is asked for there. Pure. Called by `delivery.sender`."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import httpx

from hooksd.model.network import is_disguised

PORTS = {"http": 80, "https": 443}


class NoPlace(ValueError):
    """A URL leads nowhere. The message says why."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """Where a URL leads. `place_of` makes one for each URL, so that looking one up costs nothing."""

    scheme: str
    host: str
    """As certificates name it: in ASCII, an IPv6 address without brackets."""
    port: int
    authority: bytes
    """The value of the header `Host`."""
    target: bytes
    """Path and query."""
    origin: tuple[str, int, str]
    """What connections have in common that may carry each other's requests, but for the address."""


@functools.lru_cache(maxsize=1024)
def place_of(url: str) -> Place:
    """Return where a URL leads.

    Raises:
        NoPlace: Nowhere: it is not one, or its host is a number in disguise.
    """
    try:
        parsed = httpx.URL(url)
        host = parsed.raw_host.decode("ascii")
    except (httpx.InvalidURL, UnicodeError) as error:
        raise NoPlace(f"the URL is not one: {error}") from error
    if parsed.scheme not in PORTS or not host:
        raise NoPlace("the URL must begin with https:// or http:// and a host")
    if "%" in host or "\\" in re.split(r"[?#]", url, maxsplit=1)[0]:
        raise NoPlace("the URL holds a backslash, or its host a `%`: programs disagree about where that leads")
    if is_disguised(host):
        raise NoPlace(
            f"the host {host} ends in a number and is no IPv4 address: write it as four numbers from 0 to 255"
        )
    port = parsed.port or PORTS[parsed.scheme]
    return Place(
        scheme=parsed.scheme,
        host=host,
        port=port,
        authority=parsed.netloc,
        target=parsed.raw_path,
        origin=(parsed.scheme, port, host if parsed.scheme == "https" else ""),
    )
