from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.model.mailbox import MAILBOX_PATTERN, address_of, is_address, lowered


@pytest.mark.parametrize("address", ["a@example.com", "a.b+c@mail.example.co.uk", "root@localhost", "o'neil@x-y.org"])
def test_plain_addresses_are_addresses(address: str) -> None:
    assert is_address(address)
    assert re.match(MAILBOX_PATTERN, address)
    assert address_of(address) == address


@pytest.mark.parametrize("mailbox", ["Ada L. <ada@example.com>", "Büro <ada@example.com>"])
def test_a_mailbox_may_have_a_name(mailbox: str) -> None:
    assert re.match(MAILBOX_PATTERN, mailbox)
    assert address_of(mailbox) == "ada@example.com"


@pytest.mark.parametrize(
    "mailbox", ["", "a", "a@", "@b", "A <a@b>, B <b@b>", "A\n<a@b>", 'A" <a@b>', "<a@b>", "a@b <c@d>", "a@b\n"]
)
def test_anything_else_is_no_mailbox(mailbox: str) -> None:
    assert not re.fullmatch(MAILBOX_PATTERN.strip("^$"), mailbox)
    assert not is_address(mailbox)


@given(st.text(max_size=40))
def test_no_address_holds_what_separates_or_ends(text: str) -> None:
    if is_address(text):
        assert text.isascii()
        assert not set(text) & set(' ,;:<>()[]\\"\r\n\t\0')
        assert text.count("@") == 1


def test_only_the_domain_is_lowered() -> None:
    assert lowered("Ada@Example.COM") == "Ada@example.com"
