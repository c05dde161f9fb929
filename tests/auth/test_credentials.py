from __future__ import annotations

import base64

import pytest

from hooksd.auth.credentials import fitting
from hooksd.auth.refusal import Refusal
from tests.auth.requests import inbound, verdict, verifier

FORM = "application/x-www-form-urlencoded"


def test_none_lets_everybody_in() -> None:
    assert verdict(verifier(type="none"), inbound()) == "key 0"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x_token": "the first secret"}, "key 0"),
        ({"x_token": "the second secret"}, "key 1"),
        ({"x_token": "The first secret"}, "bad_token"),
        ({"x_token": "the first secret "}, "bad_token"),
        ({"x_token": ""}, "bad_token"),
        ({"x_token": "é"}, "bad_token"),
        ({}, "missing_token"),
    ],
    ids=["first", "second", "case", "space", "empty", "not ascii", "none"],
)
def test_a_token_in_a_header_must_be_one_of_the_secrets(headers: dict[str, str], expected: str) -> None:
    judge = verifier(type="token", secret=["credential:one", "credential:two"], token="header:X-Token")

    assert verdict(judge, inbound(**headers)) == expected


def test_a_token_may_be_in_the_query_a_form_or_the_body() -> None:
    keys = {"type": "token", "secret": "credential:one"}

    assert verdict(verifier(**keys, token="query:t"), inbound(query="t=the+first+secret")) == "key 0"
    assert verdict(verifier(**keys, token="form:t"), inbound(b"t=the+first+secret", media=FORM)) == "key 0"
    assert verdict(verifier(**keys, token="json:a.t"), inbound(b'{"a":{"t":"the first secret"}}')) == "key 0"
    assert verdict(verifier(**keys, token="json:a.t"), inbound(b'{"a":{"t":["the first secret"]}}')) == "bad_token"
    assert verdict(verifier(**keys, token="json:a.t"), inbound(b"{")) == "malformed_body"
    assert verdict(verifier(**keys, token="query:t"), inbound(query="t=1&t=2")) == "duplicate_parameter"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer the first secret", "key 0"),
        ("bearer  the first secret", "key 0"),
        ("Bearer wrong", "bad_token"),
        ("Bearer", "bad_token"),
        ("Basic the first secret", "bad_scheme"),
        ("the first secret", "bad_scheme"),
    ],
)
def test_a_bearer_token_must_be_one_of_the_secrets(header: str, expected: str) -> None:
    judge = verifier(type="bearer", secret="credential:one")

    assert verdict(judge, inbound(authorization=header)) == expected


def test_a_bearer_token_must_be_there_once() -> None:
    judge = verifier(type="bearer", secret="credential:one")
    twice = inbound().changed(headers=(("authorization", "Bearer the first secret"),) * 2)

    assert verdict(judge, inbound()) == "missing_token"
    assert verdict(judge, twice) == "duplicate_header"


def encoded(pair: bytes) -> str:
    return "Basic " + base64.b64encode(pair).decode()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (encoded(b"ann:the first secret"), "key 0"),
        (encoded(b"bob:the first secret"), "bad_token"),
        (encoded(b"ann:wrong"), "bad_token"),
        (encoded(b"ann:"), "bad_token"),
        (encoded(b"ann"), "malformed_credentials"),
        (encoded(b"\xff:\xff"), "bad_token"),
        ("Basic !!!", "malformed_credentials"),
        ("Basic é", "malformed_credentials"),
        ("Bearer x", "bad_scheme"),
    ],
)
def test_a_name_and_its_password_must_both_fit(header: str, expected: str) -> None:
    judge = verifier(type="basic", username="ann", password="credential:one")

    assert verdict(judge, inbound(authorization=header)) == expected


def test_a_password_may_hold_colons() -> None:
    assert fitting(b"a:b", (b"x", b"a:b")) == 1
    with pytest.raises(Refusal, match="bad_token"):
        fitting(b"", (b"x",))
