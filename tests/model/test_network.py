from __future__ import annotations

import pytest

from hooksd.model.network import is_disguised, is_within, networks


def test_an_ipv4_address_in_ipv6_is_the_ipv4_address() -> None:
    allowed = networks(["192.0.2.0/24", "2001:db8::/32"])

    assert is_within("192.0.2.7", allowed)
    assert is_within("::ffff:192.0.2.7", allowed)
    assert is_within("2001:db8::1", allowed)
    assert is_within("192.0.2.7", networks(["::ffff:192.0.2.0/120"]))
    assert not is_within("198.51.100.1", allowed)
    assert not is_within("unix", allowed)
    assert not is_within("192.0.2.7", ())


@pytest.mark.parametrize("text", ["192.0.2.1/24", "localhost", "", "300.1.1.1"])
def test_what_is_no_network_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=text or "''"):
        networks([text])


@pytest.mark.parametrize("host", ["2130706433", "127.1", "a.0x7f", "0x7f000001", "0177.0.0.1", "300.1.1.1", "1.2.3.4."])
def test_a_host_that_programs_read_as_a_number_and_is_not_written_as_an_address_is_a_disguised_one(host: str) -> None:
    assert is_disguised(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.255", "a.example", "1.a", "::1", "", "0xa.example", "a.b1"])
def test_addresses_and_names_are_no_disguise(host: str) -> None:
    assert not is_disguised(host)
