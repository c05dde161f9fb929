from __future__ import annotations

import pytest

from hooksd.model.network import is_within, networks


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
