"""Where a request comes from: the connection's address, or behind a proxy that is trusted, the address that it names.

The list in the header grows to the right: every proxy adds whom it heard. So it is read from the right, and the first
address that is no trusted proxy is the caller's. What stands further left is whatever the caller wrote.

Source: RFC 7239 (Forwarded); X-Forwarded-For as nginx, Caddy and HAProxy write it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hooksd.model.network import address_of, is_within, networks

UNIX = "unix"
"""The address of a connection over a Unix socket; also how `trusted_proxies` names it."""
X_FORWARDED_FOR = "x-forwarded-for"
FORWARDED = "forwarded"
MOST_HOPS = 32
"""Addresses in the header that are looked at."""

_LIST_ITEMS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,"])+')
_PAIRS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^;"])+')


class Proxies:
    """The proxies that are believed."""

    def __init__(self, trusted: Iterable[str], header: str = X_FORWARDED_FOR) -> None:
        """Take whom to believe.

        Args:
            trusted: Addresses and networks; `unix` for whoever connects over a Unix socket.
            header: The header that they write, `x-forwarded-for` or `forwarded`. Only one is read: a proxy that
                writes one passes the other on as the caller sent it.

        Raises:
            ValueError: One of the texts is no address and no network.
        """
        texts = tuple(trusted)
        self._trusts_unix = UNIX in texts
        self._trusted = networks(text for text in texts if text != UNIX)
        self._header = header

    def caller(self, peer: str, headers: Sequence[tuple[str, str]]) -> str:
        """Return the address of whoever called.

        Args:
            peer: The address of the connection.
            headers: Names in lower case.
        """
        if not self._is_trusted(peer):
            return peer
        for hop in self._hops(headers):
            address = address_of(hop)
            if address is None:
                return peer  # a proxy of ours wrote no address: what stands before it cannot be attributed
            peer = str(address)
            if not self._is_trusted(peer):
                break
        return peer

    def _is_trusted(self, peer: str) -> bool:
        return self._trusts_unix if peer == UNIX else is_within(peer, self._trusted)

    def _hops(self, headers: Sequence[tuple[str, str]]) -> list[str]:
        """Return what the proxies say that they heard, last one first."""
        # Several fields of one name are one list (RFC 9110 section 5.3).
        values = [value for name, value in headers if name == self._header]
        if self._header == FORWARDED:
            elements = [element for value in values for element in _LIST_ITEMS.findall(value)]
            found = [_node(element) for element in elements[: -MOST_HOPS - 1 : -1]]
        else:
            found = [_without_port(item.strip()) for item in ",".join(values).split(",")[: -MOST_HOPS - 1 : -1]]
        return [] if found == [""] else found


def _node(element: str) -> str:
    """Return the address in one element of `Forwarded`, or an empty text."""
    for pair in _PAIRS.findall(element):
        name, _, text = pair.partition("=")
        if name.strip().lower() == "for":
            text = text.strip()
            return _without_port(re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text)
    return ""


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
