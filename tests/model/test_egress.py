from __future__ import annotations

import pytest
from pydantic import ValidationError

from hooksd.model.egress import Egress, is_network


@pytest.mark.parametrize(
    "place", ["10.0.0.5", "10.0.0.0/8", "fd00::/8", "::1", "api.internal", "*.Corp.example", "localhost"]
)
def test_places_are_addresses_networks_and_hosts(place: str) -> None:
    assert Egress.model_validate({"allow": place}).allow == (place.lower(),)


@pytest.mark.parametrize(
    "place", ["10.0.0.1/8", "10.0.0", "300.1.1.1", "::g", "*", "*.", "a b", "-x", "https://a.example", "a/b"]
)
def test_what_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(ValidationError, match="expected an address, a network or a host"):
        Egress.model_validate({"deny": [place]})


@pytest.mark.parametrize("keys", [{"ports": [0]}, {"ports": [65536]}, {"ports": ["443"]}, {"proxy": "socks5://a"}])
def test_ports_and_proxies_that_cannot_be_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Egress.model_validate(keys)


def test_a_proxy_has_no_credentials_in_its_url() -> None:
    with pytest.raises(ValidationError):
        Egress.model_validate({"proxy": "http://user:secret@proxy.internal:3128"})


def test_a_name_is_not_a_network() -> None:
    assert is_network("10.0.0.0/8")
    assert not is_network("ten.example")
