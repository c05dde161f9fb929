from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from hooksd.auth.coverage import FORM
from hooksd.auth.request import Inbound
from hooksd.auth.twilio import spellings
from tests.auth.requests import SECRETS, verdict, verifier
from tests.auth.signing import URL

JUDGE = verifier(preset="twilio", secret="credential:one")


def sent(body: bytes, text: str = "", url: str = URL, media: str = FORM) -> Inbound:
    mac = hmac.new(SECRETS["credential:one"], (url + text).encode(), "sha1").digest()
    return Inbound(
        method="POST", path="/hooks/x", query_string=url.partition("?")[2], media=media, url=url, body=body,
        headers=(("x-twilio-signature", base64.b64encode(mac).decode()),),
    )  # fmt: skip


def test_a_form_is_signed_field_by_field_in_order() -> None:
    assert verdict(JUDGE, sent(b"b=2&a=1", "a1b2")) == "key 0"
    assert verdict(JUDGE, sent(b"b=2&a=1", "b2a1")) == "bad_signature"
    assert verdict(JUDGE, sent(b"b=2&a=1&c=3", "a1b2")) == "bad_signature"
    assert verdict(JUDGE, sent(b"a=2&a=1&a=1", "a1a2")) == "key 0"
    assert verdict(JUDGE, sent(b"a=%FF", "a")) == "malformed_body"


def test_another_body_is_covered_by_its_hash_in_the_url() -> None:
    body = b'{"a":1}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"

    assert verdict(JUDGE, sent(body, url=url, media="application/json")) == "key 0"
    assert verdict(JUDGE, sent(body + b" ", url=url, media="application/json")) == "body_mismatch"
    assert verdict(JUDGE, sent(body, media="application/json")) == "body_mismatch"
    assert verdict(JUDGE, sent(b"", media="application/json")) == "key 0"


def test_the_url_is_that_of_the_settings() -> None:
    assert verdict(JUDGE, sent(b"a=1", "a1").changed(url=None)) == "missing_component"
    assert verdict(JUDGE, sent(b"a=1", "a1").changed(url=f"{URL}?x=1")) == "bad_signature"


def test_a_signature_may_stand_there_once() -> None:
    request = sent(b"a=1", "a1")

    assert verdict(JUDGE, request.changed(headers=())) == "missing_signature"
    assert verdict(JUDGE, request.changed(headers=(*request.pairs, *request.pairs))) == "duplicate_header"
    assert verdict(JUDGE, request.changed(headers=(("x-twilio-signature", "no base64"),))) == "bad_signature"


@pytest.mark.parametrize(
    ("url", "both"),
    [
        ("https://a.example/x", ("https://a.example/x", "https://a.example:443/x")),
        ("http://a.example/x", ("http://a.example/x", "http://a.example:80/x")),
        ("https://a.example:8443/x", ("https://a.example/x", "https://a.example:8443/x")),
    ],
)
def test_the_port_may_be_signed_or_not(url: str, both: tuple[str, str]) -> None:
    assert spellings(url) == both
