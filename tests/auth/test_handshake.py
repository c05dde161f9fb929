"""Handshakes of every provider that has one, and what must not become one."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.auth.build import build_verifier
from hooksd.auth.handshake import Greeter, Greeting, build_greeter
from hooksd.auth.presets import HANDSHAKES, preset_names
from hooksd.auth.problem import AuthProblem
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Refused
from hooksd.model.auth import PresetAuth
from hooksd.model.secret import Secret
from tests.auth.requests import auth
from tests.auth.signing import provider, type_of

SECRETS = {"env:ONE": b"a secret of the provider", "env:TOKEN": b"meatyhamhock"}


def secret(reference: str) -> Secret:
    return Secret(SECRETS[reference])


def greeter_of(name: str, **keys: str) -> Greeter:
    known = provider(name) if type_of(name) == "signature" else auth(preset=name, secret="env:ONE", **keys)
    found = build_greeter(known, secret)
    assert found is not None
    return found


def inbound(method: str = "POST", query: str = "", body: object = None, **headers: str) -> Inbound:
    return Inbound(
        method=method,
        path="/hooks/x",
        query_string=query,
        headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()),
        body=b"" if body is None else json.dumps(body).encode(),
        media="application/json",
    )


SLACK = inbound(body={"type": "url_verification", "challenge": "3eZb"})
ZOOM = inbound(body={"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8"}})
PING = inbound().changed(body=b"webhook_id=5", media="application/x-www-form-urlencoded")
META = inbound("GET", "hub.mode=subscribe&hub.challenge=1158&hub.verify_token=meatyhamhock")
REQUESTS = {
    "slack": (SLACK, b"3eZb"),
    "zoom": (ZOOM, None),
    "twitch": (
        inbound(body={"challenge": "pogchamp"}, twitch_eventsub_message_type="webhook_callback_verification"),
        b"pogchamp",
    ),
    "meta": (META, b"1158"),
    "msgraph": (inbound("POST", "validationToken=a%3Cb%3E"), b"a<b>"),
    "dropbox": (inbound("GET", "challenge=abc"), b"abc"),
    "eventgrid": (
        inbound(body=[{"data": {"validationCode": "512d"}}], aeg_event_type="SubscriptionValidation"),
        b'{"validationResponse":"512d"}',
    ),
    "discord": (inbound(body={"type": 1}), b'{"type":1}'),
    "discord-events": (inbound(body={"type": 0}), b""),
    "trello": (inbound("HEAD"), b""),
    "intercom": (inbound("HEAD"), b""),
    "cloudevents": (inbound("OPTIONS", webhook_request_origin="emitter.example.com"), b""),
    "twitter": (inbound("GET", "crc_token=challenge_string"), None),
    "woocommerce": (PING, b""),
}


def test_there_is_a_request_for_every_handshake() -> None:
    assert set(REQUESTS) == set(HANDSHAKES)
    assert all(build_greeter(provider(name), secret) is None for name in set(preset_names()) - set(HANDSHAKES))
    assert build_greeter(auth(type="none"), secret) is None


@pytest.mark.parametrize("name", REQUESTS)
def test_a_handshake_is_answered_as_its_provider_wants(name: str) -> None:
    request, body = REQUESTS[name]
    keys = {"verify_token": "env:TOKEN"} if name == "meta" else {}

    found = greeter_of(name, **keys).greet(request, authentic=True)

    assert isinstance(found, Greeting)
    assert found.status == (204 if name == "discord-events" else 200)
    assert body is None or found.body == body


@pytest.mark.parametrize("name", ["slack", "zoom", "twitch", "eventgrid", "discord", "discord-events"])
def test_who_signs_its_handshake_is_greeted_only_when_it_did(name: str) -> None:
    assert greeter_of(name).greet(REQUESTS[name][0], authentic=False) is None


def test_the_ping_of_a_shop_is_greeted_though_nobody_signs_it() -> None:
    assert isinstance(greeter_of("woocommerce").greet(PING, authentic=False), Greeting)


def test_zoom_gets_its_token_back_with_a_keyed_hash_of_it() -> None:
    found = greeter_of("zoom").greet(ZOOM, authentic=True)

    assert isinstance(found, Greeting)
    expected = hmac.new(SECRETS["env:ONE"], b"qgg8", hashlib.sha256).hexdigest()
    assert json.loads(found.body) == {"plainToken": "qgg8", "encryptedToken": expected}


def test_meta_is_greeted_only_with_the_token_that_it_was_told() -> None:
    wrong = META.changed(query_string=META.query_string.replace("meaty", "other"))
    without = META.changed(query_string="hub.mode=subscribe&hub.challenge=1158")
    greeter = greeter_of("meta", verify_token="env:TOKEN")

    assert greeter.greet(wrong, authentic=False) == Refused(reason="bad_token")
    assert greeter.greet(without, authentic=False) == Refused(reason="bad_token")
    assert greeter_of("meta").greet(META, authentic=False) == Refused(reason="bad_token")


def test_a_token_of_a_provider_that_has_no_such_handshake_is_a_mistake() -> None:
    wrong = PresetAuth.model_validate({"preset": "slack", "secret": "env:ONE", "verify_token": "env:TOKEN"})

    with pytest.raises(AuthProblem, match="does not take `verify_token`"):
        build_verifier(wrong, secret)


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("slack", inbound(body={"type": "event_callback", "challenge": "x"})),
        ("slack", inbound(body={"type": "url_verification"})),
        ("slack", inbound(body={"type": "url_verification", "challenge": "x" * 1001})),
        ("slack", SLACK.changed(body=b"[" * 3000)),
        ("slack", SLACK.changed(method="PUT")),
        ("cloudevents", inbound("OPTIONS", origin="https://evil.example")),
        ("cloudevents", inbound("OPTIONS", webhook_request_origin="a\r\nx: y")),
        ("cloudevents", inbound("OPTIONS", webhook_request_origin="é")),
        ("dropbox", inbound("GET")),
        ("dropbox", inbound("GET", "challenge=a&challenge=b")),
        ("dropbox", inbound("GET", "challenge=%ff")),
        ("meta", inbound("GET", "hub.mode=unsubscribe")),
        ("twitter", inbound("GET", "crc_token=%7B%22a%22%3A1%7D")),
        ("woocommerce", inbound(body={"id": 5, "note": "&webhook_id=5"})),
        ("woocommerce", PING.changed(body=b"order_id=5")),
    ],
)
def test_what_only_looks_like_a_handshake_is_none(name: str, request_: Inbound) -> None:
    assert greeter_of(name).greet(request_, authentic=True) is None


def test_what_a_caller_chose_is_shown_back_as_text_only() -> None:
    found = greeter_of("dropbox").greet(inbound("GET", "challenge=%3Cscript%3E"), authentic=False)

    assert isinstance(found, Greeting)
    assert dict(found.headers) == {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}


@pytest.mark.parametrize("body", [b"123", b"true", b"a=b", b"challenge_string"])
def test_a_body_that_anybody_could_have_had_signed_proves_nothing(body: bytes) -> None:
    request = inbound().changed(body=body)

    assert greeter_of("twitter").greet(request, authentic=True) == Refused(reason="unsigned_content")
    assert greeter_of("dropbox").greet(request, authentic=True) is None


@given(
    name=st.sampled_from(sorted(HANDSHAKES)),
    method=st.sampled_from(["GET", "HEAD", "OPTIONS", "POST"]),
    query=st.text(st.characters(max_codepoint=255), max_size=40)
    | st.sampled_from(["crc_token=a", "hub.mode=subscribe"]),
    body=st.binary(max_size=60) | st.sampled_from([SLACK.body, ZOOM.body, b'{"type":1}', b"[" * 3000]),
    header=st.text(st.characters(max_codepoint=255), max_size=20),
    authentic=st.booleans(),
)
def test_no_request_makes_a_greeter_raise(
    name: str, method: str, query: str, body: bytes, header: str, *, authentic: bool
) -> None:
    request = inbound(method, query, webhook_request_origin=header, aeg_event_type=header).changed(body=body)

    found = greeter_of(name).greet(request, authentic=authentic)

    assert found is None or isinstance(found, Greeting | Refused)
    if isinstance(found, Greeting):
        assert all("\r" not in value and "\n" not in value for _, value in found.headers)


def test_of_several_proofs_each_provider_is_greeted_as_it_wants() -> None:
    parts = [{"preset": "slack", "secret": "env:ONE"}, {"preset": "dropbox", "secret": "env:ONE"}]
    known = auth(type="any", of=[*parts, {"type": "bearer", "secret": "env:ONE"}])

    found = build_greeter(known, secret)

    assert found is not None
    assert found.methods == {"GET", "POST"}
    assert isinstance(found.greet(SLACK, authentic=True), Greeting)
    assert isinstance(found.greet(inbound("GET", "challenge=abc"), authentic=False), Greeting)
    assert build_greeter(auth(type="all", of=[{"type": "bearer", "secret": "env:ONE"}]), secret) is None


def test_a_provider_whose_answer_needs_no_visit_visits_nothing() -> None:
    greeter = build_greeter(auth(preset="sns", topics="arn:x", confirm=True), secret)
    message = inbound(body={"Type": "SubscriptionConfirmation"})

    assert greeter is not None
    assert greeter.greet(message, authentic=True) is None


OWN = [
    {
        "method": "GET",
        "when": {"query:challenge": True},
        "reply": {"body": "{query:challenge}", "headers": {"X-A": "b"}},
    },
    {"signed": True, "when": {"json:type": 1}, "reply": {"status": 201, "json": {"type": 1, "sign": "{json:t|hmac}"}}},
]


def test_a_definition_may_have_handshakes_of_its_own() -> None:
    known = auth(type="hmac", header="X-Sig", secret="env:ONE", handshake=OWN)
    found = build_greeter(known, secret)
    assert found is not None

    asked = found.greet(inbound("GET", "challenge=abc"), authentic=False)
    pinged = found.greet(inbound(body={"type": 1, "t": "x"}), authentic=True)

    assert isinstance(asked, Greeting)
    assert (asked.status, asked.body) == (200, b"abc")
    assert ("x-a", "b") in asked.headers
    assert isinstance(pinged, Greeting)
    mac = hmac.new(SECRETS["env:ONE"], b"x", hashlib.sha256).hexdigest()
    assert (pinged.status, json.loads(pinged.body)) == (201, {"type": 1, "sign": mac})
    assert found.greet(inbound(body={"type": True, "t": "x"}), authentic=True) is None
    assert found.greet(inbound(body={"type": 1, "t": "x"}), authentic=False) is None


def test_they_stand_in_place_of_those_of_a_preset_and_beside_those_of_several_proofs() -> None:
    none = build_greeter(auth(preset="slack", secret="env:ONE", handshake=[]), secret)
    other = build_greeter(auth(preset="slack", secret="env:ONE", handshake=OWN[:1]), secret)
    both = build_greeter(auth(type="any", of=[{"preset": "slack", "secret": "env:ONE"}], handshake=OWN[:1]), secret)

    assert none is None
    assert other is not None
    assert other.greet(SLACK, authentic=True) is None
    assert both is not None
    assert isinstance(both.greet(SLACK, authentic=True), Greeting)
    assert isinstance(both.greet(inbound("GET", "challenge=abc"), authentic=False), Greeting)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"reply": {"body": "x"}}, "every request would be a handshake"),
        ({"method": "GET", "reply": {"body": "x", "json": {}}}, "a reply has one body"),
        ({"method": "GET", "reply": {"body": "{challenge}"}}, "means nothing in a reply"),
        ({"method": "GET", "reply": {"headers": {"A": "{query:a|md5}"}}}, "cannot be made"),
        ({"method": "GET", "reply": {"json": {"a": "{query:a|hmac}"}}}, "cannot be made"),
    ],
)
def test_a_handshake_that_could_not_work_is_told_in_its_place(rule: dict[str, Any], message: str) -> None:
    kind = {"type": "bearer", "secret": "env:ONE"}

    with pytest.raises(AuthProblem, match=message) as caught:
        build_verifier(auth(**kind, handshake=[{"method": "HEAD", "reply": {}}, rule]), secret)

    assert caught.value.within == ("handshake", 1)
