"""Handshakes through the receiver: of our own making, and those that providers published, where they are at hand."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from hooksd.auth import build
from hooksd.auth.build import build_verifier
from hooksd.auth.handshake import build_greeter
from hooksd.auth.presets import PRESETS
from hooksd.auth.request import Inbound
from hooksd.config.snapshot import CompiledWebhook
from hooksd.model.base import Json
from hooksd.model.secret import Secret
from hooksd.model.webhook import Webhook
from hooksd.testing import FakeClock
from tests.web.doubles import PEER, Listener, inbound, webhook

SECRET = b"a secret of a sufficient length"

SLACK = b'{"type":"url_verification","challenge":"3eZb"}'


def provider(name: str, **keys: Json) -> CompiledWebhook:
    auth: Json = {"preset": name, "secret": "credential:in", **keys}
    value = Webhook.model_validate({"auth": auth})

    def secret(_: str) -> Secret:
        return Secret(SECRET)

    compiled = webhook(name, build_verifier(value.auth, secret), auth=auth)
    return replace(compiled, greeter=build_greeter(value.auth, secret))


async def test_a_handshake_is_answered_and_is_no_event() -> None:
    listener = Listener()
    now = f"{listener.clock.now():.0f}"
    mac = hmac.new(SECRET, f"v0:{now}:".encode() + SLACK, hashlib.sha256).hexdigest()
    headers = {"x-slack-request-timestamp": now, "x-slack-signature": f"v0={mac}"}

    answer = await listener.receive(provider("slack"), inbound(SLACK, headers=headers), PEER)
    forged = await listener.receive(provider("slack"), inbound(SLACK), PEER)

    assert (answer.status, answer.body) == (200, b"3eZb")
    assert forged.status == 401
    assert listener.intake.events == []


async def test_a_handshake_may_use_a_method_and_a_type_that_the_webhook_does_not_take() -> None:
    listener = Listener()
    asked = inbound(b"", query="validationToken=a%20b").changed(media="text/plain")
    head_request = inbound(b"").changed(method="HEAD", media="")

    graph = await listener.receive(provider("msgraph"), asked, PEER)
    trello = await listener.receive(provider("trello"), head_request, PEER)

    assert (graph.status, graph.body, graph.header("content-type")) == (200, b"a b", "text/plain; charset=utf-8")
    assert (trello.status, trello.body) == (200, b"")


async def test_what_was_read_for_a_handshake_and_is_none_is_refused_as_ever() -> None:
    listener = Listener()
    method = inbound(b"").changed(method="GET", media="")
    media = inbound(b"x").changed(media="text/plain")

    assert (await listener.receive(provider("dropbox"), method, PEER)).status == 405
    assert (await listener.receive(provider("msgraph"), media, PEER)).status == 415
    assert (await listener.receive(provider("slack"), method, PEER)).status == 405


async def test_a_handshake_with_the_wrong_token_is_forbidden() -> None:
    listener = Listener()
    query = "hub.mode=subscribe&hub.challenge=1&hub.verify_token="
    meta = provider("meta", verify_token="credential:told")

    right = await listener.receive(meta, inbound(b"", query=query + SECRET.decode(), method="GET"), PEER)
    wrong = await listener.receive(meta, inbound(b"", query=query + "x", method="GET"), PEER)

    assert (right.status, right.body) == (200, b"1")
    assert wrong.status == 403


def shared_handshakes() -> list[Any]:
    file = Path(__file__).parents[3] / "shared" / "vectors" / "handshakes.json"
    if not file.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason="no shared vectors beside the checkout"))]
    found = orjson.loads(file.read_bytes())
    return [pytest.param(vector, id=vector["id"]) for vector in found if vector["preset"] in PRESETS]


@pytest.mark.parametrize("vector", shared_handshakes())
async def test_every_published_handshake_is_answered_as_its_provider_wants(vector: dict[str, Any]) -> None:
    listener = Listener(clock=FakeClock(vector["now"]))
    auth = {"preset": vector["preset"], "secret": "env:ONE"}
    if "public_key" in vector:
        auth = {"preset": vector["preset"], "public_key": vector["public_key"]}
    if "verify_token" in vector:
        auth["verify_token"] = "env:T"
    value = Webhook.model_validate({"auth": auth})
    secrets = {"env:ONE": vector.get("secret", ""), "env:T": vector.get("verify_token", "")}

    def secret(reference: str) -> Secret:
        return Secret(secrets[reference].encode())

    with pytest.MonkeyPatch.context() as patch:
        # Some of the published secrets are shorter than ours may be.
        patch.setattr(build, "MIN_SECRET", 1)
        compiled = webhook("in", build_verifier(value.auth, secret), auth=auth)
        compiled = replace(compiled, greeter=build_greeter(value.auth, secret))
    url = urlsplit(vector["url"])
    headers = tuple((name.lower(), text) for name, text in vector["headers"])
    media = dict(headers).get("content-type", "")
    request = Inbound(
        method=vector["method"], path=url.path, query_string=url.query, headers=headers,
        body=vector["body"].encode(), media=media, url=vector["url"],
    )  # fmt: skip

    answer = await listener.receive(compiled, request, PEER)

    wanted = vector["response"]
    if wanted is None:
        assert answer.status in {202, 405}
        return
    assert answer.status == wanted["status"]
    assert answer.body.decode() == wanted.get("body", answer.body.decode())
    assert (answer.header("content-type") or "").startswith(wanted.get("type", ""))
    assert "json" not in wanted or orjson.loads(answer.body) == wanted["json"]
    assert all(answer.header(name.lower()) == text for name, text in wanted.get("headers", {}).items())
