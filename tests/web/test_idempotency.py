from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.model.received import ReceivedFile
from hooksd.web.body import Unreadable
from hooksd.web.idempotency import fingerprint_of, key_in

FILE = ReceivedFile(field="a", name="x", filename="x", media="text/plain", size=1, digest="sha256:1")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('"8e03978e-40d5-43e8-bc93-6894a57f9324"', "8e03978e-40d5-43e8-bc93-6894a57f9324"),
        ("8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
        (' "a b" ', "a b"),
        (r'"a\"b\\c"', r'a"b\c'),
    ],
)
def test_a_key_is_a_text_with_or_without_its_quotes(text: str, key: str) -> None:
    assert key_in({"idempotency-key": text}) == key


def test_most_requests_have_none() -> None:
    assert key_in({}) is None


@pytest.mark.parametrize(
    "text", ["", '""', '"a', "a b", "a, b", '"a";x=1', "ä", "a\tb", "x" * 256, '"' + "x" * 256 + '"']
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="Idempotency-Key"):
        key_in({"idempotency-key": text})


def test_the_same_request_has_the_same_fingerprint_and_another_has_another() -> None:
    one = fingerprint_of("application/json", b"{}", {"a": FILE})

    assert one == fingerprint_of("application/json", b"{}", {"a": FILE})
    assert len(int(one, 16).to_bytes(8, "big")) == 8
    others = {
        fingerprint_of("text/plain", b"{}", {"a": FILE}),
        fingerprint_of("application/json", b"{ }", {"a": FILE}),
        fingerprint_of("application/json", b"{}", {}),
        fingerprint_of("application/json", b"{}", {"a": replace(FILE, digest="sha256:2")}),
        fingerprint_of("application/json", b"{}", {"a": replace(FILE, filename="y")}),
    }
    assert one not in others
    assert len(others) == 5


@given(st.text())
def test_whatever_the_header_holds_it_is_a_key_or_refused(text: str) -> None:
    try:
        key = key_in({"idempotency-key": text})
    except Unreadable:
        return
    assert key
