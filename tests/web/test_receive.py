from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.auth.build import build_verifier
from hooksd.clock import rfc3339
from hooksd.config.snapshot import CompiledWebhook
from hooksd.engine.ports import Response
from hooksd.errors import JournalBroken, JournalFull
from hooksd.model.base import Json
from hooksd.model.secret import Secret
from hooksd.model.trust import Trust
from hooksd.model.webhook import Webhook
from hooksd.testing import FakeClock
from hooksd.web.receive import Head
from tests.auth.requests import NOW
from tests.auth.signing import TOPIC, concrete, judge_of, sent_by
from tests.web.doubles import ORIGIN, PEER, Listener, TokenVerifier, inbound, plan, webhook

FORM = "application/x-www-form-urlencoded"
SECRET = b"a secret of a sufficient length"


def github() -> CompiledWebhook:
    auth: Json = {"preset": "github", "secret": "credential:github"}
    value = Webhook.model_validate({"auth": auth})
    return webhook("github", build_verifier(value.auth, lambda _: Secret(SECRET)), auth=auth)


def head(method: str = "POST", media: str = "application/json", coding: str = "", length: int | None = 2) -> Head:
    return Head(method=method, media=media, coding=coding, length=length)


async def test_an_accepted_event_is_answered_with_the_runs_it_starts() -> None:
    listener = Listener()
    listener.intake.runs = (plan(1, "deploy"), plan(2, "notify"))

    answer = await listener.receive(webhook("github"), inbound(b'{"a": 1}'), PEER)

    event = listener.intake.events[0]
    assert answer.status == 202
    assert answer.header("content-type") == "application/json"
    assert orjson.loads(answer.body) == {
        "event": event.id,
        "runs": [
            {
                "id": plan(number).id,
                "workflow": workflow,
                "status": "pending",
                "created_at": event.time,
                "url": f"https://hooks.example.com/api/v1/runs/{plan(number).id}",
            }
            for number, workflow in ((1, "deploy"), (2, "notify"))
        ],
    }


async def test_an_event_holds_what_was_sent_and_who_received_it() -> None:
    listener = Listener()
    hook = webhook("github", subject="{{ body.ref }}")
    raw = b'{"ref":  "main"}'
    headers = {"content-type": "application/json; charset=utf-8", "x-event": "push", "x-delivery": "d-1"}

    await listener.receive(hook, inbound(raw, headers=headers, query="a=1"), PEER)

    event = listener.intake.events[0]
    assert event.type == "github.push"
    assert event.source == "webhook/github"
    assert event.subject == "main"
    assert event.webhook == "github"
    assert event.trust is Trust.TOKEN
    assert event.hop == 0
    assert event.delivery_id == "d-1"
    assert event.headers == headers
    assert event.query == {"a": "1"}
    assert event.raw == raw
    assert event.data == {"ref": "main"}
    assert event.time == rfc3339(listener.clock.now())
    assert listener.intake.origins == [ORIGIN]


async def test_no_credential_reaches_the_event() -> None:
    listener = Listener()
    request = inbound(
        b"token=hunter2&a=1",
        media=FORM,
        headers={"x-token": "hunter2", "authorization": "Bearer hunter2", "cookie": "s=hunter2"},
        query="token=hunter2",
    )

    await listener.receive(webhook(), request, PEER)

    event = listener.intake.events[0]
    assert "hunter2" not in repr(event)
    assert event.data == {"token": "***", "a": "1"}


async def test_a_token_that_the_body_carries_is_checked_and_then_forgotten() -> None:
    listener = Listener()
    auth: Json = {"type": "token", "token": "json:auth.token", "secret": "env:TOKEN"}
    value = Webhook.model_validate({"auth": auth})
    hook = webhook("private", build_verifier(value.auth, lambda _: Secret(b"hunter2-hunter2")), auth=auth)

    answer = await listener.receive(hook, inbound(b'{"auth": {"token": "hunter2-hunter2"}}'), PEER)

    assert answer.status == 202
    assert listener.intake.events[0].data == {"auth": {"token": "***"}}
    assert "hunter2" not in repr(listener.intake.events[0])


async def test_a_request_of_github_is_known_by_its_signature() -> None:
    listener = Listener()
    raw = b'{"action":"opened","number":7}'
    signature = "sha256=" + hmac.new(SECRET, raw, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": signature, "x-github-event": "pull_request", "x-github-delivery": "d-1"}

    answer = await listener.receive(github(), inbound(raw, headers=headers), PEER)

    assert answer.status == 202
    assert listener.intake.events[0].type == "github.pull_request.opened"
    assert listener.intake.events[0].trust is Trust.SIGNED
    assert listener.intake.events[0].delivery_id == "d-1"


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        ({}, "missing_signature"),
        ({"x-hub-signature-256": "sha256=" + "0" * 64}, "bad_signature"),
        ({"x-hub-signature-256": "nonsense"}, "malformed_signature"),
    ],
)
async def test_the_caller_is_not_told_why_it_is_not_believed_but_the_log_is(
    signature: dict[str, str], reason: str
) -> None:
    listener = Listener()

    answer = await listener.receive(github(), inbound(headers=signature), PEER)

    assert answer.status == 401
    assert orjson.loads(answer.body) == {"type": "about:blank", "title": "Unauthorized", "status": 401}
    assert listener.intake.events == []
    assert await listener.reasons() == {reason: 1}


@pytest.mark.parametrize(
    ("auth", "challenge"),
    [
        ({"type": "bearer", "secret": "env:T"}, "Bearer"),
        ({"type": "basic", "username": "u", "password": "env:P"}, 'Basic realm="hooksd", charset="UTF-8"'),
        ({"type": "none"}, None),
    ],
    ids=["bearer", "basic", "none"],
)
async def test_schemes_of_http_say_how_to_authenticate(auth: Json, challenge: str | None) -> None:
    hook = webhook("private", TokenVerifier(token="right"), auth=auth)

    answer = await Listener().receive(hook, inbound(headers={"x-token": "wrong"}), PEER)

    assert answer.status == 401
    assert answer.header("www-authenticate") == challenge


@pytest.mark.parametrize(
    ("wrong", "status", "reason"),
    [
        (head(method="PUT"), 405, "method"),
        (head(method="OPTIONS"), 405, "method"),
        (head(length=10 * 2**20 + 1), 413, "too_large"),
        (head(coding="gzip"), 415, "content_coding"),
        (head(media="text/xml"), 415, "media_type"),
        (head(media="multipart/mixed"), 415, "media_type"),
        (head(media="", length=1), 415, "media_type"),
    ],
)
async def test_what_the_head_shows_to_be_wrong_is_refused_before_the_body(
    wrong: Head, status: int, reason: str
) -> None:
    listener = Listener()

    answer = listener.receiver.screen(webhook(), wrong, PEER)

    assert answer is not None
    assert answer.status == status
    assert orjson.loads(answer.body)["detail"]
    assert await listener.reasons() == {reason: 1}


@pytest.mark.parametrize(
    "right",
    [
        head(),
        head(media="application/cloudevents+json"),
        head(media=FORM),
        head(coding="identity"),
        head(media="", length=0),
        head(media="", length=None),
        head(length=10 * 2**20),
    ],
)
def test_what_may_be_right_is_read(right: Head) -> None:
    assert Listener().receiver.screen(webhook(), right, PEER) is None


def test_a_wrong_method_is_told_the_right_ones() -> None:
    answer = Listener().receiver.screen(webhook(methods=["POST", "PUT"]), head(method="GET"), PEER)

    assert answer is not None
    assert answer.header("allow") == "POST, PUT"


async def test_a_body_without_a_media_type_is_refused_even_when_its_length_was_not_announced() -> None:
    answer = await Listener().receive(webhook(), inbound(b"{}", media=""), PEER)

    assert answer.status == 415


async def test_a_get_without_a_body_is_an_event_without_data() -> None:
    listener = Listener()
    hook = webhook(methods=["GET"])

    answer = await listener.receive(hook, inbound(b"", method="GET", media="", query="ref=main"), PEER)

    assert answer.status == 202
    assert listener.intake.events[0].data is None
    assert listener.intake.events[0].query == {"ref": "main"}


async def test_a_body_that_cannot_be_read_is_refused_only_after_authentication() -> None:
    hook = webhook("private", TokenVerifier(token="right"))
    listener = Listener()

    stranger = await listener.receive(hook, inbound(b"{"), PEER)
    friend = await listener.receive(hook, inbound(b"{", headers={"x-token": "right"}), PEER)

    assert stranger.status == 401
    assert friend.status == 400
    assert "not JSON" in orjson.loads(friend.body)["detail"]
    assert await listener.reasons() == {"bad_token": 1, "unreadable_body": 1}


async def test_a_query_with_too_many_parameters_is_unreadable() -> None:
    answer = await Listener().receive(webhook(), inbound(query="&".join(["a=1"] * 1001)), PEER)

    assert answer.status == 400
    assert "query" in orjson.loads(answer.body)["detail"]


async def test_an_event_that_cannot_be_named_says_which_value_is_missing() -> None:
    listener = Listener()

    answer = await listener.receive(webhook(event="shop.{{ body.kind }}"), inbound(), PEER)

    assert answer.status == 422
    assert "`body.kind` is missing" in orjson.loads(answer.body)["detail"]
    assert listener.intake.events == []
    assert await listener.reasons() == {"unnamed_event": 1}


@pytest.mark.parametrize("error", [JournalFull("no room"), JournalBroken("input/output error")])
async def test_what_cannot_be_made_durable_is_never_accepted(error: Exception) -> None:
    listener = Listener()
    listener.intake.error = error

    answer = await listener.receive(webhook(), inbound(), PEER)

    assert answer.status == 503
    assert answer.header("retry-after") == "5"
    assert b"input/output" not in answer.body


async def test_a_webhook_that_answers_nothing_says_that_it_has_the_event() -> None:
    listener = Listener()

    answer = await listener.receive(webhook(answer="none"), inbound(), PEER)

    assert (answer.status, answer.headers, answer.body) == (204, (), b"")
    assert len(listener.intake.events) == 1


async def test_a_caller_who_waits_gets_what_the_workflow_says() -> None:
    listener = Listener()
    listener.intake.answer = Response(status=201, headers={"X-Order": "7"}, body={"ok": True})

    answer = await listener.receive(webhook(answer="wait:1500ms"), inbound(), PEER)

    assert answer.status == 201
    assert answer.header("x-order") == "7"
    assert orjson.loads(answer.body) == {"ok": True}
    assert listener.intake.waited == [(listener.intake.events[0].id, 1.5)]


async def test_a_caller_who_waited_in_vain_gets_the_runs() -> None:
    listener = Listener()

    answer = await listener.receive(webhook(answer="wait:10s"), inbound(), PEER)

    assert answer.status == 202
    assert orjson.loads(answer.body)["event"] == listener.intake.events[0].id


async def test_without_a_public_url_runs_are_paths() -> None:
    answer = await Listener(public_url=None).receive(webhook(), inbound(), PEER)

    assert orjson.loads(answer.body)["runs"][0]["url"] == f"/api/v1/runs/{plan().id}"


TEXT = st.text(alphabet=st.characters(codec="latin-1"), max_size=40)
HOOKS = (
    github(),
    webhook(event="{{ body.kind }}", subject="{{ headers.host }} {{ query }} {{ body }}"),
    webhook("plain", methods=["GET", "POST", "DELETE"], accept=["text/plain", "application/json", FORM]),
)


@given(
    hook=st.sampled_from(HOOKS),
    body=st.one_of(
        st.binary(max_size=80),
        st.recursive(
            st.none() | st.text() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False),
            st.lists,
            max_leaves=5,
        ).map(lambda value: orjson.dumps({"kind": value}, default=str) if not isinstance(value, int) else b"{}"),
    ),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"]),
    media=st.sampled_from(["", "application/json", FORM, "text/plain", "a+json"]) | TEXT,
    headers=st.lists(
        st.tuples(st.sampled_from(["x-hub-signature-256", "x-event", "content-encoding", "cookie", "host"]), TEXT),
        max_size=4,
    ),
    query=TEXT,
)
async def test_no_request_makes_an_error_of_ours(
    hook: CompiledWebhook, body: bytes, method: str, media: str, headers: list[tuple[str, str]], query: str
) -> None:
    listener = Listener()
    request = inbound(body, method=method, media=media, headers=tuple(headers), query=query)

    answer = await listener.receive(hook, request, PEER)

    assert answer.status in {202, 400, 401, 405, 415, 422}
    assert (answer.status == 202) == (len(listener.intake.events) == 1)
    orjson.loads(answer.body)


TOKENS = {"credential:new": b"the newer token", "credential:old": b"the older token"}


def proving(**auth: Json) -> CompiledWebhook:
    value = Webhook.model_validate({"auth": auth})
    return webhook("in", build_verifier(value.auth, lambda ref: Secret(TOKENS[ref])), auth=auth)


async def test_the_event_says_which_of_the_secrets_the_caller_used() -> None:
    listener = Listener()
    known = proving(type="token", token="header:x-token", secret=list(TOKENS))

    for token in TOKENS.values():
        await listener.receive(known, inbound(b"{}", headers={"x-token": token.decode()}), PEER)

    assert [event.key for event in listener.intake.events] == [0, 1]
    assert [event.observed for event in listener.intake.events] == [None, None]


async def test_a_webhook_that_only_observes_lets_everybody_in_as_nobody_and_says_what_it_saw() -> None:
    listener = Listener()
    known = proving(type="token", token="header:x-token", secret="credential:new", mode="observe")

    for token in ("the newer token", "wrong"):
        answer = await listener.receive(known, inbound(b"{}", headers={"x-token": token}), PEER)
        assert answer.status == 202

    seen = [(event.observed, event.key, event.trust) for event in listener.intake.events]
    assert seen == [("accepted", 0, Trust.ANONYMOUS), ("bad_token", None, Trust.ANONYMOUS)]
    registry = listener.observer.metrics.registry
    counted = [
        registry.get_sample_value("hooksd_requests_observed_total", {"webhook": "in", "verdict": verdict})
        for verdict in ("accepted", "bad_token")
    ]
    assert counted == [1, 1]


async def test_a_message_of_amazon_sns_is_json_although_it_is_called_text() -> None:
    listener = Listener(clock=FakeClock(NOW))
    known = concrete("sns")
    hook = replace(webhook("sns", judge_of("sns"), auth={"preset": "sns", "topics": TOPIC}), media="application/json")

    answer = await listener.receive(hook, sent_by(known), PEER)

    (event,) = listener.intake.events
    assert answer.status == 202
    assert (event.type, event.delivery_id, event.media) == ("sns.Notification", "id-1", "application/json")
    assert event.data["TopicArn"] == TOPIC


async def test_while_the_keys_are_on_their_way_the_caller_is_asked_to_come_again_at_once() -> None:
    listener = Listener()
    known = proving(type="jwt", issuers="i", audience="a", jwks_url="https://issuer.example/jwks")
    request = inbound(b"{}", headers={"authorization": "Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA"})

    answer = await listener.receive(known, request, PEER)

    assert answer.status == 503
    assert b"retry-after" in dict(answer.headers)
    assert listener.intake.events == []


async def test_who_may_not_call_is_refused_before_the_body_is_read() -> None:
    listener = Listener()
    hook = webhook(allow_ips=["192.0.2.0/28", "2001:db8::/32"])

    assert (await listener.receive(hook, inbound(), "192.0.2.7")).status == 202
    assert (await listener.receive(hook, inbound(), "::ffff:192.0.2.7")).status == 202
    assert listener.receiver.screen(hook, head(), "198.51.100.1") is not None
    assert (await listener.receive(hook, inbound(), "unix")).status == 403
    assert await listener.reasons() == {"address": 2}


async def test_who_calls_too_often_is_told_when_to_come_again() -> None:
    listener = Listener()
    hook = webhook(rate="2/1m")

    statuses = [(await listener.receive(hook, inbound(), PEER)).status for _ in range(3)]
    answer = await listener.receive(hook, inbound(), "198.51.100.1")
    await listener.clock.advance(30)

    assert statuses == [202, 202, 429]
    assert (answer.status, answer.header("retry-after")) == (429, "30")
    assert (await listener.receive(hook, inbound(), PEER)).status == 202
    assert await listener.reasons() == {"rate": 2}


async def test_each_address_may_have_a_rate_for_itself() -> None:
    listener = Listener()
    hook = webhook(rate=["1/1m per address", "100/1s"])

    statuses = [(await listener.receive(hook, inbound(), peer)).status for peer in (PEER, PEER, "198.51.100.1")]

    assert statuses == [202, 429, 202]


async def test_strangers_use_up_no_rate_of_those_who_prove_who_they_are() -> None:
    listener = Listener()
    hook = webhook(verifier=TokenVerifier(token="t"), rate="1/1m")

    strangers = [(await listener.receive(hook, inbound(), PEER)).status for _ in range(5)]

    assert strangers == [401] * 5
    assert (await listener.receive(hook, inbound(headers={"x-token": "t"}), PEER)).status == 202


async def test_a_body_that_does_not_fit_its_schema_is_refused_with_the_places() -> None:
    listener = Listener()
    schema = {"required": ["email"], "properties": {"items": {"items": {"type": "integer"}}}}
    hook = webhook(schema=schema)

    good = await listener.receive(hook, inbound(b'{"email": "a", "items": [1]}'), PEER)
    bad = await listener.receive(hook, inbound(b'{"items": [1, "x"]}'), PEER)

    assert (good.status, bad.status) == (202, 422)
    document = orjson.loads(bad.body)
    assert {error["path"] for error in document["errors"]} == {"$", "$.items[1]"}
    assert "$" in document["detail"]
    assert len(listener.intake.events) == 1
    assert await listener.reasons() == {"schema": 1}
