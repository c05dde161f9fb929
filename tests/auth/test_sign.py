from __future__ import annotations

import json
from typing import Any

import pytest

from hooksd.auth.build import build_verifier
from hooksd.auth.coverage import FORM
from hooksd.auth.presets import expand, preset_names
from hooksd.auth.problem import AuthProblem
from hooksd.auth.request import Inbound
from hooksd.auth.sign import Occasion, Outgoing, can_sign, signed
from hooksd.auth.verdict import Verifier
from hooksd.model.auth import HmacAuth
from hooksd.model.body import Document
from hooksd.model.secret import Secret
from tests.auth.requests import NOW, SECRETS, auth, verdict
from tests.auth.signing import URL, concrete, provider, secret_text

BODIES: dict[str, Any] = {
    "adyen": {"notificationItems": [{"NotificationRequestItem": {
        "pspReference": "1", "merchantAccountCode": "m", "merchantReference": "r", "eventCode": "AUTHORISATION",
        "amount": {"value": 1, "currency": "EUR"}, "success": "true", "additionalData": {},
    }}]},
    "msgraph": {"value": [{}]},
}  # fmt: skip
OCCASION = Occasion(now=NOW, id="id-1", event="kind")


def draft(body: bytes = b"{}", media: str = "application/json", url: str = URL) -> Outgoing:
    return Outgoing(url=url, headers=(("Content-Type", media),), body=body, media=media)


def arrived(sent: Outgoing) -> Inbound:
    return sent.seen().request


SHARED = [name for name in preset_names() if can_sign(concrete(name))]


def secret_of(name: str) -> Secret:
    return Secret(secret_text(concrete(name)))


def judge(name: str) -> Verifier:
    return build_verifier(provider(name), lambda _: secret_of(name))


@pytest.mark.parametrize("name", SHARED)
def test_what_is_signed_here_is_authentic_there(name: str) -> None:
    body = json.dumps(BODIES.get(name, {})).encode()

    sent = signed(concrete(name), lambda _: secret_of(name), draft(body), OCCASION)

    assert verdict(judge(name), arrived(sent)) == "key 0"
    event = judge(name).event(arrived(sent), Document("application/json", sent.body))
    known = concrete(name)
    assert event == "kind" or not (known.event and known.event[0].startswith("header:"))


@pytest.mark.parametrize("name", sorted(set(preset_names()) - set(SHARED)))
def test_what_only_the_provider_can_sign_is_not_signed_here(name: str) -> None:
    with pytest.raises(AuthProblem, match="only the provider can sign this"):
        signed(concrete(name), lambda _: Secret(b""), draft(), OCCASION)


def test_a_form_of_twilio_is_signed_field_by_field() -> None:
    sent = signed(concrete("twilio"), lambda _: secret_of("twilio"), draft(b"b=2&a=1", FORM), OCCASION)

    assert sent.url == URL
    assert verdict(judge("twilio"), arrived(sent)) == "key 0"


@pytest.mark.parametrize("url", [URL, f"{URL}?a=1"])
def test_what_belongs_into_the_query_is_added_to_it(url: str) -> None:
    sent = signed(concrete("dockerhub"), lambda _: Secret(b"a b&c=d e f"), draft(url=url), OCCASION)

    assert sent.url.endswith("token=a%20b%26c%3Dd%20e%20f")
    assert verdict(build_verifier(provider("dockerhub"), lambda _: Secret(b"a b&c=d e f")), arrived(sent)) == "key 0"


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b'{"signature": 1}'])
def test_a_body_without_a_place_for_its_signature_is_told(body: bytes) -> None:
    with pytest.raises(AuthProblem, match="the body has no place for `signature"):
        signed(concrete("mailgun"), lambda _: secret_of("mailgun"), draft(body), OCCASION)


def test_a_body_without_something_that_is_signed_is_told() -> None:
    with pytest.raises(AuthProblem, match="is signed, and the body does not have it"):
        signed(concrete("adyen"), lambda _: secret_of("adyen"), draft(b"{}"), OCCASION)


def test_a_source_that_cannot_be_written_is_told() -> None:
    known = expand(auth(type="token", token="form:t", secret="credential:one"))

    with pytest.raises(AuthProblem, match="nothing can be written to `form:t`"):
        signed(known, lambda ref: Secret(SECRETS[ref]), draft(), OCCASION)


def test_of_several_proofs_all_or_the_first_are_made() -> None:
    parts = [
        {"type": "bearer", "secret": "credential:one"},
        {"type": "hmac", "header": "X-Sig", "format": "t={timestamp},v1={signature}", "signed": "{timestamp}.{body}",
         "secret": "credential:two"},
    ]  # fmt: skip
    for kind, count in (("all", 3), ("any", 2)):
        known = auth(type=kind, of=parts)
        sent = signed(expand(known), lambda ref: Secret(SECRETS[ref]), draft(), OCCASION)
        assert len(sent.headers) == count
        assert verdict(build_verifier(known, lambda ref: Secret(SECRETS[ref])), arrived(sent)) == "key 0"


def test_of_any_proofs_the_first_is_made_that_can_be() -> None:
    topics = {"preset": "sns", "topics": "arn:x"}
    bearer = {"type": "bearer", "secret": "credential:one"}
    both = {"type": "all", "of": [bearer, {"preset": "discord", "public_key": "k"}]}
    known = expand(auth(type="any", of=[topics, both, {"type": "any", "of": [topics, bearer]}]))

    sent = signed(known, lambda ref: Secret(SECRETS[ref]), draft(), OCCASION)

    assert dict(sent.headers)["Authorization"] == f"Bearer {SECRETS['credential:one'].decode()}"
    assert not can_sign(expand(auth(type="any", of=[topics, both])))


def test_nobody_needs_no_proof() -> None:
    assert signed(expand(auth(type="none")), lambda _: Secret(b""), draft(), OCCASION) == draft()


def test_a_header_is_written_once() -> None:
    known = expand(auth(type="hmac", header="content-TYPE", secret="credential:one"))
    assert isinstance(known, HmacAuth)

    sent = signed(known, lambda ref: Secret(SECRETS[ref]), draft(), OCCASION)

    assert [name for name, _ in sent.headers] == ["content-TYPE"]
