from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.delivery.addresses import Reach, forms, network, parse, reach


def reach_of(text: str) -> Reach:
    address = parse(text)
    assert address is not None
    return reach(address)


@pytest.mark.parametrize(
    "text",
    [
        "93.184.216.34",
        "1.1.1.1",
        "192.0.1.1",
        "172.15.0.1",
        "172.32.0.1",
        "100.63.0.1",
        "100.128.0.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450::1",
        "64:ff9b::1.1.1.1",
        "::ffff:1.1.1.1",
    ],
)
def test_addresses_of_the_internet_are_global(text: str) -> None:
    assert reach_of(text) is Reach.GLOBAL


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "127.255.255.254",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "240.0.0.1",
        "192.88.99.1",
        "::1",
        "fd00::1",
        "fc00::1",
        "fec0::1",
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "5f00::1",
        "4000::1",
    ],
)
def test_addresses_of_private_and_special_networks_are_local(text: str) -> None:
    assert reach_of(text) is Reach.LOCAL


@pytest.mark.parametrize(
    "text",
    [
        "169.254.169.254",
        "169.254.170.2",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "224.0.0.1",
        "239.1.1.1",
        "255.255.255.255",
        "fe80::1",
        "fe80::1%lo",
        "ff02::1",
        "64:ff9b:1::1",
    ],
)
def test_metadata_services_link_local_multicast_and_unspecified_addresses_are_nobodys(text: str) -> None:
    assert reach_of(text) is Reach.NEVER


def mapped(v4: int) -> str:
    return f"::ffff:{IPv4Address(v4)}"


EMBEDDING: dict[str, Callable[[int], str]] = {
    "mapped": mapped,
    "mapped in hexadecimal": lambda v4: f"::ffff:{v4 >> 16:x}:{v4 & 0xFFFF:x}",
    "compatible": lambda v4: f"::{IPv4Address(v4)}",
    "translated": lambda v4: f"::ffff:0:{IPv4Address(v4)}",
    "NAT64": lambda v4: f"64:ff9b::{IPv4Address(v4)}",
    "6to4": lambda v4: f"2002:{v4 >> 16:x}:{v4 & 0xFFFF:x}::1",
    "Teredo server": lambda v4: f"2001:0:{v4 >> 16:x}:{v4 & 0xFFFF:x}::",
    "Teredo client": lambda v4: f"2001:0:101:101:0:0:{(v4 ^ 0xFFFFFFFF) >> 16:x}:{(v4 ^ 0xFFFFFFFF) & 0xFFFF:x}",
    "ISATAP": lambda v4: f"2606:4700::5efe:{v4 >> 16:x}:{v4 & 0xFFFF:x}",
    "ISATAP, global": lambda v4: f"2606:4700::200:5efe:{v4 >> 16:x}:{v4 & 0xFFFF:x}",
}


@pytest.mark.parametrize("how", EMBEDDING)
@pytest.mark.parametrize("inner", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "168.63.129.16", "0.1.2.3"])
def test_an_address_that_stands_for_an_ipv4_address_is_at_least_as_far_from_the_internet(how: str, inner: str) -> None:
    address = parse(EMBEDDING[how](int(IPv4Address(inner))))

    assert address is not None
    assert reach(address) >= reach_of(inner)
    assert IPv4Address(inner) in forms(address)


@given(st.integers(min_value=2, max_value=2**32 - 1), st.sampled_from(sorted(EMBEDDING)))
def test_no_embedding_brings_an_address_nearer(v4: int, how: str) -> None:
    address = parse(EMBEDDING[how](v4))

    assert address is not None
    assert reach(address) >= reach(IPv4Address(v4))


@given(st.integers(min_value=0, max_value=2**128 - 1).map(IPv6Address))
def test_outside_of_what_has_been_given_out_nothing_is_global(address: IPv6Address) -> None:
    if address not in IPv6Network("2000::/3") and address not in IPv6Network("64:ff9b::/96"):
        found = parse(str(address))
        assert found is not None
        assert found.version == 4 or reach(found) > Reach.GLOBAL


@pytest.mark.parametrize(
    "text", ["", "example.com", "127.1", "0177.0.0.1", "2130706433", "1.2.3.4.5", "[::1]", "1.2.3.04"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse(text) is None


def test_a_network_of_mapped_addresses_is_one_of_ipv4() -> None:
    assert str(network("::ffff:10.0.0.0/104")) == "10.0.0.0/8"
    assert str(network("10.0.0.0/8")) == "10.0.0.0/8"
    assert str(network("10.1.2.3")) == "10.1.2.3/32"
    assert str(network("fd00::/8")) == "fd00::/8"
