from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.web.origin import FORWARDED, Proxies

PROXIES = Proxies(["10.0.0.0/8", "2001:db8:1::/48"])


def heard(*values: str) -> list[tuple[str, str]]:
    return [("x-forwarded-for", value) for value in values]


@pytest.mark.parametrize(
    ("values", "caller"),
    [
        (("192.0.2.7",), "192.0.2.7"),
        (("203.0.113.9, 192.0.2.7",), "192.0.2.7"),
        (("192.0.2.7, 10.0.0.2",), "192.0.2.7"),
        (("203.0.113.9", "192.0.2.7, 10.0.0.2"), "192.0.2.7"),
        (("10.0.0.5, 10.0.0.2",), "10.0.0.5"),
        (("::ffff:192.0.2.7",), "192.0.2.7"),
        (("2001:db8::7",), "2001:db8::7"),
        (("[2001:db8::7]:4711",), "2001:db8::7"),
        (("192.0.2.7:4711",), "192.0.2.7"),
    ],
)
def test_behind_trusted_proxies_the_caller_is_the_last_address_that_is_none_of_them(
    values: tuple[str, ...], caller: str
) -> None:
    assert PROXIES.caller("10.0.0.1", heard(*values)) == caller


def test_who_is_no_trusted_proxy_is_the_caller_whatever_it_claims() -> None:
    assert PROXIES.caller("192.0.2.1", heard("10.0.0.3")) == "192.0.2.1"


@pytest.mark.parametrize("value", ["", "unknown", "_hidden", "10.0.0.2x", "<script>", "192.0.2.7, "])
def test_a_proxy_that_names_no_address_is_taken_for_the_caller(value: str) -> None:
    assert PROXIES.caller("10.0.0.1", heard(value)) == "10.0.0.1"


def test_without_the_header_the_proxy_is_the_caller() -> None:
    assert PROXIES.caller("10.0.0.1", []) == "10.0.0.1"


@pytest.mark.parametrize(
    ("value", "caller"),
    [
        ("for=192.0.2.7", "192.0.2.7"),
        ('for="[2001:db8::7]:4711";proto=https;by=10.0.0.1', "2001:db8::7"),
        ("for=203.0.113.9, For=192.0.2.7;proto=http", "192.0.2.7"),
        ('by="a,b;for=1.1.1.1";for=192.0.2.7', "192.0.2.7"),
        ("for=unknown", "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
    ],
)
def test_the_header_of_rfc_7239_is_read_when_proxies_write_that_one(value: str, caller: str) -> None:
    proxies = Proxies(["10.0.0.0/8"], FORWARDED)

    assert proxies.caller("10.0.0.1", [("forwarded", value), ("x-forwarded-for", "198.51.100.1")]) == caller


def test_the_header_that_proxies_do_not_write_is_not_believed() -> None:
    assert PROXIES.caller("10.0.0.1", [("forwarded", "for=198.51.100.1")]) == "10.0.0.1"


def test_a_proxy_on_the_same_machine_may_come_over_a_unix_socket() -> None:
    assert Proxies(["unix"]).caller("unix", heard("192.0.2.7")) == "192.0.2.7"
    assert PROXIES.caller("unix", heard("192.0.2.7")) == "unix"


def test_only_so_many_hops_are_looked_at() -> None:
    hops = ", ".join(["192.0.2.7"] + ["10.0.0.9"] * 100_000)

    assert PROXIES.caller("10.0.0.1", heard(hops)) == "10.0.0.9"


@given(st.text(), st.sampled_from(["forwarded", "x-forwarded-for"]))
def test_no_header_makes_it_fail(value: str, header: str) -> None:
    proxies = Proxies(["10.0.0.0/8"], header)

    assert proxies.caller("10.0.0.1", [("forwarded", value), ("x-forwarded-for", value)])
