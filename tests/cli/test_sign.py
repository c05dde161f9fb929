from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Write

FILE = """
version = 1
[webhooks.in]
auth.preset = "github"
auth.secret = "env:IN"
[webhooks.signed_url]
auth.preset = "square"
auth.secret = "env:IN"
path = "/square"
[webhooks.inside]
auth.preset = "mailgun"
auth.secret = "env:IN"
[webhooks.other]
auth.preset = "sns"
auth.topics = "arn:aws:sns:eu-central-1:123456789012:orders"
[webhooks.watching]
auth.type = "bearer"
auth.secret = "env:IN"
auth.mode = "observe"
methods = ["PUT"]
"""


@pytest.fixture
def house(home: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> Path:
    write("in.toml", FILE)
    monkeypatch.setenv("IN", "It's a Secret to Everybody")
    (home / "body.json").write_bytes(b'{"ref": "refs/heads/main"}\n')
    return home


def words(out: str) -> list[str]:
    return shlex.split(out.replace("\\\n", " "))


@pytest.mark.usefixtures("house")
def test_a_curl_sends_the_file_as_it_is_with_its_signature(hooksd: Command) -> None:
    result = hooksd("sign", "in", "--body", "body.json", "--event", "push", "--id", "d-1")

    assert result.status == 0
    assert result.out.splitlines()[1].startswith("  -H ")
    assert words(result.out) == [
        "curl", "http://127.0.0.1:9000/hooks/in", "-H", "Content-Type: application/json", "-H", "X-GitHub-Event: push",
        "-H", "X-GitHub-Delivery: d-1", "-H",
        "X-Hub-Signature-256: sha256=348c3854d2a4d750692eed86d0911cc4c82a65b0858f5077392c76aa27d5f0f9",
        "--data-binary", "@body.json",
    ]  # fmt: skip


@pytest.mark.usefixtures("house")
def test_what_is_signed_is_verified(house: Path, hooksd: Command) -> None:
    said = words(hooksd("sign", "in", "--body", "body.json", "--event", "push", "--id", "d-1").out)
    headers = [word.split(": ", 1) for word, flag in zip(said[1:], said, strict=False) if flag == "-H"]
    line = {"url": said[1], "headers": headers, "body": (house / "body.json").read_text()}
    (house / "requests.jsonl").write_text(json.dumps(line))

    result = hooksd("verify", "in", "requests.jsonl")

    assert result.status == 0
    assert result.objects() == [
        {"accepted": True, "reason": None, "key": 0, "event_type": "in.push", "delivery_id": "d-1", "handshake": None}
    ]


@pytest.mark.usefixtures("house")
def test_a_signature_that_stands_in_the_body_changes_what_is_sent(hooksd: Command) -> None:
    said = words(hooksd("sign", "inside", "--body", "body.json", "--now", "1700000000").out)

    assert said[-2] == "--data-raw"
    assert json.loads(said[-1])["signature"].keys() == {"signature", "timestamp", "token"}


@pytest.mark.usefixtures("house")
def test_a_signed_url_must_be_known(hooksd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = hooksd("sign", "signed_url", "--body", "body.json")
    monkeypatch.setenv("HOOKSD_PUBLIC_URL", "https://hooks.example.com")
    known = hooksd("sign", "signed_url", "--body", "body.json")
    told = hooksd("sign", "signed_url", "--body", "body.json", "--url", "https://other.example/x")

    assert refused.status == 64
    assert "say which with --url" in refused.err
    assert words(known.out)[1] == "https://hooks.example.com/square"
    assert words(told.out)[1] == "https://other.example/x"


@pytest.mark.usefixtures("house")
def test_another_method_and_a_webhook_that_only_observes_are_said(hooksd: Command) -> None:
    result = hooksd("sign", "watching", "--body", "body.json")

    assert words(result.out)[2:4] == ["-X", "PUT"]
    assert "only observes" in result.err


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("other", "--body", "body.json"), "only the provider can sign this"),
        (("inn", "--body", "body.json"), "there is no webhook `inn`: did you mean `in`?"),
        (("in", "--body", "nothing.json"), "cannot read nothing.json"),
    ],
)
def test_what_cannot_be_done_is_told(hooksd: Command, arguments: tuple[str, ...], message: str) -> None:
    result = hooksd("sign", *arguments)

    assert result.status == 64
    assert message in result.err
