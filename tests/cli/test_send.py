"""Sending an endpoint an event by hand."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from hooksd.cli.client import Client
from tests.cli.conftest import DELIVERY, EVENT, Command, FakeDaemon

SEND = "POST /api/v1/endpoints/erp/send"
LOOK = f"GET /api/v1/deliveries/{DELIVERY}"
SENT = {"event": EVENT, "delivery": DELIVERY}


@pytest.fixture
def headers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The headers of every event that is sent."""
    seen: list[dict[str, str]] = []
    real = Client.publish

    def publish(self: Client, path: str, raw: bytes, headers: dict[str, str], *, patience: float) -> Any:
        seen.append(dict(headers))
        return real(self, path, raw, headers, patience=patience)

    monkeypatch.setattr(Client, "publish", publish)
    return seen


def test_json_is_sent_as_an_event(hooksd: Command, daemon: FakeDaemon, headers: list[dict[str, str]]) -> None:
    daemon.says(SEND, 202, SENT)

    result = hooksd("send", "erp", "--data", '{"order": 7}', "--type", "order.paid é", "--subject", "a b")

    assert (result.status, result.out) == (0, f"event {EVENT}\ndelivery {DELIVERY}  erp\n")
    assert f"hooksd deliveries show {DELIVERY}" in result.err
    assert daemon.asked == [(SEND, {"order": 7})]
    (given,) = headers
    assert given.pop("ce-id") != ""
    assert given == {
        "content-type": "application/json", "ce-specversion": "1.0", "ce-source": "hooksd/cli",
        "ce-type": "order.paid%20%C3%A9", "ce-subject": "a%20b",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options", "media"),
    [
        ("order.json", [], "application/json"),
        ("page.html", [], "text/html"),
        ("data.unknown", [], "application/octet-stream"),
        ("data.unknown", ["--media", "text/csv"], "text/csv"),
    ],
)
def test_a_file_is_sent_as_what_its_name_says(
    hooksd: Command,
    daemon: FakeDaemon,
    home: Path,
    headers: list[dict[str, str]],
    name: str,
    options: list[str],
    media: str,
) -> None:
    (home / name).write_bytes(b"[1]")
    daemon.says(SEND, 202, SENT)

    hooksd("send", "erp", "--file", name, *options)

    assert daemon.asked == [(SEND, [1])]
    assert headers[0]["content-type"] == media


def test_standard_input_is_a_file_too(hooksd: Command, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon.says(SEND, 202, SENT)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"[2]")))

    hooksd("send", "erp", "--file", "-")

    assert daemon.asked == [(SEND, [2])]


def test_programs_get_one_object(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(SEND, 202, SENT)

    result = hooksd("send", "erp", "--data", "1", "--json")

    assert orjson.loads(result.out) == SENT
    assert result.err == ""


@pytest.mark.parametrize(
    ("end", "status", "said"),
    [
        (
            {"status": "delivered", "attempts": 1, "exchanges": [{"status": 204}]},
            0,
            "delivered after 1 attempt, answered 204",
        ),
        (
            {"status": "exhausted", "attempts": 2, "error": "timed \x1b[31mout"},
            1,
            r"exhausted after 2 attempts: timed \x1b[31mout",
        ),
    ],
)
def test_waiting_tells_how_it_ended(
    hooksd: Command, daemon: FakeDaemon, end: dict[str, Any], status: int, said: str
) -> None:
    daemon.says(SEND, 202, SENT)
    daemon.says(LOOK, 200, {"id": DELIVERY, "status": "pending", "attempts": 0})
    daemon.says(LOOK, 200, {"id": DELIVERY, **end})

    result = hooksd("send", "erp", "--data", "1", "--wait")

    assert result.status == status
    assert said in result.err


def test_waiting_has_an_end(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(SEND, 202, SENT)
    view = {
        "id": DELIVERY,
        "status": "pending",
        "attempts": 1,
        "error": "500",
        "next_attempt_at": "2026-11-22T05:00:00Z",
    }
    daemon.says(LOOK, 200, view)

    result = hooksd("send", "erp", "--data", "1", "--wait", "--timeout", "1ms")

    assert result.status == 75
    assert "has no end after 1ms: 1 attempt: 500, again at 2026-11-22T05:00:00Z" in result.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--data JSON or with --file FILE"),
        (["--data", "1", "--file", "x"], "--data JSON or with --file FILE"),
        (["--data", "{a: 1}"], "--data is no JSON"),
        (["--file", "nowhere"], "cannot read nowhere"),
        (["--data", "1", "--media", "text/plain"], "--media is about --file"),
        (["--data", "1", "--wait", "--timeout", "30"], "--timeout: `30` is no duration"),
        (["--file", "here", "--media", "a/b\r\nx: y"], "is no media type"),
    ],
)
def test_what_cannot_be_meant_ends_with_64(
    hooksd: Command, daemon: FakeDaemon, home: Path, arguments: list[str], said: str
) -> None:
    (home / "here").touch()

    result = hooksd("send", "erp", *arguments)

    assert result.status == 64
    assert said in result.err
    assert daemon.asked == []


def test_an_unknown_endpoint_is_told_in_the_words_of_the_daemon(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says("POST /api/v1/endpoints/a%2Fb/send", 404, {"title": "Not Found", "detail": "there is no endpoint"})

    result = hooksd("send", "a/b", "--data", "1")

    assert (result.status, "there is no endpoint" in result.err) == (1, True)
