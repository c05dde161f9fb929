"""Addresses, and how far from here they are: our own table, for Python's `is_global` is not made for this.

An IPv6 address that stands for an IPv4 address is judged by that one too: translated, tunnelled or mapped, the
packet ends there. Pure. Called by `delivery.egress`.

Source: IANA IPv4 and IPv6 Special-Purpose Address Registries; RFC 4291, 6052, 3056, 4380, 5214, 2765, 8215; the
providers' pages on instance metadata (AWS, Google, Azure, Oracle, Alibaba).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from enum import IntEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Reach(IntEnum):
    """Where an address is, the stricter the higher."""

    GLOBAL = 0
    """Anywhere on the Internet."""
    LOCAL = 1
    """This machine, a private network, or a range that no receiver has."""
    NEVER = 2
    """Metadata of clouds, link-local, multicast, unspecified: nobody's webhook is there."""


_V4: tuple[tuple[IPv4Network, Reach], ...] = tuple(
    (IPv4Network(text), reach)
    for reach, texts in (
        (
            Reach.NEVER,
            (
                "0.0.0.0/8 169.254.0.0/16 168.63.129.16/32 100.100.100.200/32 192.0.0.192/32 224.0.0.0/4"
                " 255.255.255.255/32"
            ),
        ),
        (
            Reach.LOCAL,
            (
                "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24"
                " 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24"
                " 203.0.113.0/24 240.0.0.0/4"
            ),
        ),
    )
    for text in texts.split()
)
"""The first that fits says; none: global."""

_V6: tuple[tuple[IPv6Network, Reach], ...] = tuple(
    (IPv6Network(text), reach)
    for reach, texts in (
        (Reach.NEVER, "::/128 fe80::/10 ff00::/8 fd00:ec2::254/128 fd20:ce::254/128 64:ff9b:1::/48"),
        (Reach.GLOBAL, "64:ff9b::/96"),
        (Reach.LOCAL, "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20"),
        (Reach.GLOBAL, "2000::/3"),
    )
    for text in texts.split()
)
"""The first that fits says; none: local. Of what has not been given out, nothing is known."""

_TEREDO = IPv6Network("2001::/32")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_LAST_FOUR = tuple(IPv6Network(text) for text in ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96"))
"""Prefixes behind which the last four bytes are an IPv4 address: NAT64, SIIT and the old compatible addresses."""
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
_WORD = 0xFFFFFFFF


def parse(text: str) -> Address | None:
    """Return the address that a text is; None when it is none. A zone behind `%` is left out; mapped IPv4 is IPv4."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def network(text: str) -> Network:
    """Return the network, or the one address, that a text is.

    Raises:
        ValueError: It is neither, or has bits behind its length.
    """
    found = ip_network(text)
    if isinstance(found, IPv6Network) and found.prefixlen >= 96 and found.network_address.ipv4_mapped:
        return IPv4Network((found.network_address.ipv4_mapped, found.prefixlen - 96))
    return found


@functools.lru_cache(maxsize=4096)
def reach(address: Address) -> Reach:
    """Return how far away an address is: as the strictest of everything that it stands for."""
    return max((_own_reach(form) for form in forms(address)), default=Reach.NEVER)


def forms(address: Address) -> tuple[Address, ...]:
    """Return an address and the IPv4 addresses that it stands for."""
    return (address, *_embedded(address)) if isinstance(address, IPv6Address) else (address,)


def _own_reach(address: Address) -> Reach:
    if isinstance(address, IPv4Address):
        return next((reach for network, reach in _V4 if address in network), Reach.GLOBAL)
    return next((reach for network, reach in _V6 if address in network), Reach.LOCAL)


def _embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    number = int(address)
    last = IPv4Address(number & _WORD)
    if address in _SIX_TO_FOUR:
        yield IPv4Address(number >> 80 & _WORD)
    elif address in _TEREDO:
        yield IPv4Address(number >> 64 & _WORD)
        yield IPv4Address(number & _WORD ^ _WORD)
    elif number > 1 and any(address in prefix for prefix in _LAST_FOUR):
        yield last
    if number >> 32 & _WORD in _ISATAP:
        yield last
