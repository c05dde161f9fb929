"""Addresses and networks, as definitions and settings write them. An IPv4 address in IPv6 is an IPv4 address.

Source: RFC 4291 section 2.5.5.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read addresses and networks, like `192.0.2.1`, `10.0.0.0/8` and `2001:db8::/32`.

    Raises:
        ValueError: One of them is none; the message says which.
    """
    return tuple(_network(text) for text in texts)


def _network(text: str) -> Network:
    network = ip_network(text)
    if isinstance(network, IPv6Network) and network.prefixlen >= 96 and network.network_address.ipv4_mapped:
        return IPv4Network((int(network.network_address.ipv4_mapped), network.prefixlen - 96))
    return network


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address; None: it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or IPv6Address(int(address))  # without a zone, which networks do not have
    return address


def is_disguised(host: str) -> bool:
    """Tell whether a host of a URL ends in a number and is no IPv4 address: programs disagree about where it leads.

    Source: WHATWG URL Standard, section 3.5, "ends in a number checker".
    """
    if not _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return False
    try:
        IPv4Address(host)
    except ValueError:
        return True
    return False


def is_within(peer: str, allowed: Sequence[Network]) -> bool:
    """Tell whether an address is in one of some networks; what is no address is in none."""
    address = address_of(peer)
    return address is not None and any(address.version == network.version and address in network for network in allowed)
