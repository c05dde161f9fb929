from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from hooksd.cli import verify
from tests.auth.signing import jwks, token
from tests.auth.vectors import shared_vectors
from tests.cli.conftest import Command, Write

SECRET = "It's a Secret to Everybody"
NOW = "1700000000"
BODY = '{"type":"event_callback","event":{"type":"message"},"event_id":"Ev1"}'
FILE = """
version = 1
[webhooks.slack]
auth.preset = "slack"
auth.secret = ["env:OTHER", "env:IN"]
[webhooks.watching]
auth.preset = "slack"
auth.secret = "env:IN"
auth.mode = "observe"
[webhooks.meta]
auth.preset = "meta"
auth.secret = "env:IN"
auth.verify_token = "env:OTHER"
[webhooks.named]
auth.type = "bearer"
auth.secret = "env:IN"
event = "order.{{ body.kind }}"
[webhooks.issued]
auth.type = "jwt"
auth.issuers = "i"
auth.audience = "a"
auth.jwks_url = "https://issuer.example/jwks"
"""


@pytest.fixture
def house(home: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> Path:
    write("in.toml", FILE)
    monkeypatch.setenv("IN", SECRET)
    monkeypatch.setenv("OTHER", "another secret")
    return home


def line(body: str = BODY, *, moment: str = NOW, secret: str = SECRET, **more: Any) -> str:
    mac = hmac.new(secret.encode(), f"v0:{moment}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = [
        ["Content-Type", "application/json"], ["X-Slack-Request-Timestamp", moment], ["X-Slack-Signature", f"v0={mac}"],
    ]  # fmt: skip
    told = {"method": "POST", "url": "https://h.example/hooks/slack", "headers": headers, "body": body, **more}
    return json.dumps(told)


def said(**members: Any) -> dict[str, Any]:
    return {
        "accepted": False, "reason": None, "key": None, "event_type": None, "delivery_id": None, "handshake": None,
        **members,
    }  # fmt: skip


ACCEPTED = said(accepted=True, key=1, event_type="slack.event_callback.message", delivery_id="Ev1")


def test_each_line_gets_its_verdict(house: Path, hooksd: Command) -> None:
    lines = [line(), line(secret="wrong"), "", line(now=1700000301), line(body="{}") + " ", line("{}", body_b64="e30=")]
    (house / "requests.jsonl").write_text("\n".join(lines))

    result = hooksd("verify", "slack", "requests.jsonl", "--now", NOW)

    assert result.status == 1
    assert result.objects() == [
        ACCEPTED,
        said(reason="bad_signature"),
        said(reason="stale_timestamp"),
        said(accepted=True, key=1, event_type="webhook.slack"),
        said(accepted=True, key=1, event_type="webhook.slack"),
    ]


def test_when_all_are_accepted_it_succeeds(house: Path, hooksd: Command) -> None:
    (house / "requests.jsonl").write_text(line() + "\n")

    result = hooksd("verify", "slack", "requests.jsonl", "--now", NOW)

    assert (result.status, result.objects()) == (0, [ACCEPTED])
    assert hooksd("verify", "slack", "requests.jsonl").status == 1  # now it is too old


def test_a_webhook_that_observes_accepts_and_says_why_it_would_not_have(house: Path, hooksd: Command) -> None:
    (house / "requests.jsonl").write_text(line() + "\n" + line(secret="wrong"))

    result = hooksd("verify", "watching", "requests.jsonl", "--now", NOW)

    first, second = result.objects()
    assert result.status == 0
    assert (first["accepted"], first["reason"], first["key"]) == (True, None, 0)
    assert (second["accepted"], second["reason"], second["key"]) == (True, "bad_signature", None)


def test_a_handshake_is_shown_with_its_answer(house: Path, hooksd: Command) -> None:
    asked = "https://h.example/hooks/meta?hub.mode=subscribe&hub.challenge=1158&hub.verify_token="
    lines = [{"method": "GET", "url": asked + "another+secret", "headers": []}, {"method": "GET", "url": asked + "x"}]
    (house / "requests.jsonl").write_text("\n".join(map(json.dumps, lines)))

    result = hooksd("verify", "meta", "requests.jsonl")

    greeted, refused = result.objects()
    assert result.status == 1
    assert greeted["accepted"]
    assert greeted["reason"] is None
    assert (greeted["handshake"]["status"], greeted["handshake"]["body"]) == (200, "1158")
    assert refused == said(reason="bad_token")


def test_an_event_is_called_what_it_would_be(house: Path, hooksd: Command) -> None:
    headers = [["authorization", f"Bearer {SECRET}"]]
    lines = [{"url": "/", "headers": headers, "body": body} for body in ('{"kind":"paid"}', "{}", "{")]
    (house / "requests.jsonl").write_text("\n".join(map(json.dumps, lines)))

    found = [verdict["event_type"] for verdict in hooksd("verify", "named", "requests.jsonl").objects()]

    assert found == ["order.paid", None, None]


@pytest.mark.parametrize(("document", "expected"), [(jwks(), said(accepted=True, key=0, event_type="webhook.issued")),
                                                    (None, said(reason="keys_unavailable"))])  # fmt: skip
def test_keys_that_are_elsewhere_are_fetched_once(
    house: Path, hooksd: Command, monkeypatch: pytest.MonkeyPatch, document: bytes | None, expected: dict[str, Any]
) -> None:
    async def fetch(_: str) -> bytes:
        if document is None:
            raise httpx.ConnectError("no route")
        return document

    monkeypatch.setattr(verify, "fetch_https", fetch)
    bearer = f"Bearer {token({'iss': 'i', 'aud': 'a', 'exp': 1700000100})}"
    (house / "requests.jsonl").write_text(
        json.dumps({"url": "/", "headers": [["Authorization", bearer]], "body": "{}"})
    )

    assert hooksd("verify", "issued", "requests.jsonl", "--now", NOW).objects() == [expected]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1 is no request"),
        ("[]", "line 1 is no request"),
        ("{}", "line 1 is no request: a key is missing: 'url'"),
        ('{"url": "/", "headers": [["a"]]}', "line 1 is no request"),
        ('{"url": "/", "body_b64": "!"}', "line 1 is no request"),
        ('{"url": "/", "body": 1}', "line 1 is no request"),
        ('{"url": "/", "now": "x"}', "line 1 is no request"),
    ],
)
def test_a_line_that_is_no_request_is_told_by_its_number(house: Path, hooksd: Command, text: str, message: str) -> None:
    (house / "requests.jsonl").write_text(text)

    result = hooksd("verify", "slack", "requests.jsonl")

    assert result.status == 64
    assert message in result.err


def test_a_webhook_that_is_not_there_is_told(house: Path, hooksd: Command) -> None:
    (house / "requests.jsonl").write_text("")

    assert "did you mean `slack`?" in hooksd("verify", "slak", "requests.jsonl").err


def test_definitions_with_errors_judge_nothing(home: Path, hooksd: Command, write: Write) -> None:
    write("in.toml", "version = 1\n[webhooks.in]\n")
    (home / "requests.jsonl").write_text("")

    result = hooksd("verify", "in", "requests.jsonl")

    assert result.status == 78
    assert "H015" in result.err


SHORT = 8


@pytest.mark.parametrize("vector", [
    vector for vector in shared_vectors("published.json", "derived.json")
    if not vector.values[0] or (
        len(vector.values[0].get("secret", "x" * SHORT)) >= SHORT
        and not {"auth", "certs", "secrets"} & set(vector.values[0])
        and vector.values[0].get("reason") != "config_error"
    )
])  # fmt: skip
def test_every_published_request_gets_its_verdict_from_the_command(
    home: Path, hooksd: Command, write: Write, monkeypatch: pytest.MonkeyPatch, vector: dict[str, Any]
) -> None:
    key = f"auth.public_key = {json.dumps(vector['public_key'])}" if "public_key" in vector else 'auth.secret = "env:S"'
    write("in.toml", f'version = 1\n[webhooks.in]\nauth.preset = "{vector["preset"]}"\n{key}\n')
    monkeypatch.setenv("S", vector.get("secret", ""))
    (home / "requests.jsonl").write_text(json.dumps(vector))

    result = hooksd("verify", "in", "requests.jsonl")

    (verdict,) = result.objects()
    assert verdict["accepted"] == (vector["expect"] == "valid")
    assert verdict["reason"] == vector.get("reason", verdict["reason"])
    assert result.status == (0 if verdict["accepted"] else 1)
