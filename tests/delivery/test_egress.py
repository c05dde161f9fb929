from __future__ import annotations

import pytest

from hooksd.delivery.addresses import parse
from hooksd.delivery.egress import OPEN, Blocked, Rules, check_address, check_host, rules_of
from hooksd.model.egress import Egress

GLOBAL, PRIVATE, METADATA = "93.184.216.34", "10.0.0.5", "169.254.169.254"


def rules(**keys: object) -> Rules:
    return rules_of(Egress.model_validate(keys))


def is_let_through(address: str, stated: Rules = OPEN, *, host: str = "shop.example", is_literal: bool = False) -> bool:
    parsed = parse(address)
    assert parsed is not None
    try:
        check_address(stated, host, parsed, is_literal=is_literal)
    except Blocked:
        return False
    return True


# --- who wrote the host


def test_a_host_that_stands_in_a_definition_may_be_private() -> None:
    assert is_let_through(PRIVATE, is_literal=True)
    assert is_let_through("127.0.0.1", is_literal=True)


def test_a_host_that_came_from_data_must_be_on_the_internet() -> None:
    assert is_let_through(GLOBAL)
    assert not is_let_through(PRIVATE)
    assert not is_let_through("::ffff:10.0.0.5")


@pytest.mark.parametrize(
    "address", [METADATA, "fe80::1", "168.63.129.16", "0.0.0.0", "ff02::1", "::ffff:169.254.169.254"]
)
def test_metadata_and_link_local_addresses_are_not_called_whoever_wrote_the_host(address: str) -> None:
    assert not is_let_through(address, is_literal=True)


# --- what a definition allows and forbids


def test_a_listed_network_may_be_called_metadata_included() -> None:
    assert is_let_through(PRIVATE, rules(allow=["10.0.0.0/8"]))
    assert is_let_through(METADATA, rules(allow=[METADATA]))
    assert is_let_through("::ffff:10.0.0.5", rules(allow=["10.0.0.0/8"]))
    assert not is_let_through("10.0.0.6", rules(allow=["10.0.0.5"]))


def test_a_listed_host_may_be_private_and_may_not_lead_to_metadata() -> None:
    stated = rules(allow=["api.internal", "*.corp.example"])

    assert is_let_through(PRIVATE, stated, host="api.internal")
    assert is_let_through(PRIVATE, stated, host="API.internal.")
    assert is_let_through(PRIVATE, stated, host="a.corp.example")
    assert not is_let_through(PRIVATE, stated, host="corp.example")
    assert not is_let_through(PRIVATE, stated, host="evil-corp.example")
    assert not is_let_through(METADATA, stated, host="api.internal")


def test_to_deny_is_stronger_than_to_allow_and_than_to_write() -> None:
    stated = rules(allow=["10.0.0.0/8"], deny=["10.0.0.5", "shop.example", "*.evil.example"])

    assert is_let_through("10.0.0.6", stated)
    assert not is_let_through(PRIVATE, stated, is_literal=True)
    for host in ("shop.example", "SHOP.example.", "a.evil.example"):
        with pytest.raises(Blocked, match=r"it is in `egress\.deny`"):
            check_host(stated, "https", host, 443)
    check_host(stated, "https", "other.example", 443)


@pytest.mark.parametrize("address", ["::ffff:10.0.0.5", "64:ff9b::10.0.0.5", "2002:a00:5::1"])
def test_a_denied_address_is_denied_in_every_spelling(address: str) -> None:
    assert not is_let_through(address, rules(deny=["10.0.0.0/8"], allow=["::/0"]), is_literal=True)


def test_ports_and_plain_http_can_be_forbidden() -> None:
    stated = rules(ports=[443, 8443], https_only=True)

    check_host(stated, "https", "shop.example", 8443)
    with pytest.raises(Blocked, match=r"port 80 is not in `egress\.ports`"):
        check_host(stated, "https", "shop.example", 80)
    with pytest.raises(Blocked, match=r"`egress\.https_only` refuses http"):
        check_host(stated, "http", "shop.example", 443)


def test_the_message_says_which_address_a_host_led_to() -> None:
    address = parse(METADATA)
    assert address is not None
    with pytest.raises(Blocked, match=r"^shop\.example \(169\.254\.169\.254\) may not be called: "):
        check_address(OPEN, "shop.example", address, is_literal=True)
    with pytest.raises(Blocked, match=r"^169\.254\.169\.254 may not be called: "):
        check_address(OPEN, METADATA, address, is_literal=True)


def test_without_a_word_of_a_definition_the_rules_for_all_hold() -> None:
    assert rules_of(None) is OPEN
    assert rules(proxy="http://proxy.internal:3128").proxy == "http://proxy.internal:3128"
