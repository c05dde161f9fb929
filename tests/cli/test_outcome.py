"""Waiting for the end of a delivery."""

from __future__ import annotations

from pathlib import Path

import pytest

from hooksd.cli.client import Client
from hooksd.cli.outcome import seconds_from, waited
from hooksd.config.settings import UnixAddress
from hooksd.errors import HooksdError, UsageError
from tests.cli.conftest import DELIVERY, FakeDaemon

LOOK = f"GET /api/v1/deliveries/{DELIVERY}"


def client(home: Path) -> Client:
    return Client(UnixAddress(path=home / ".hooksd" / "state" / "admin.sock"))


def test_it_is_over_when_it_is_no_longer_pending(
    home: Path, daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.says(LOOK, 200, {"id": DELIVERY, "status": "pending", "attempts": 0})
    daemon.says(LOOK, 200, {"id": DELIVERY, "status": "gone", "attempts": 1, "exchanges": [{"status": 410}]})

    assert waited(client(home), DELIVERY, 10) == 1
    assert "gone after 1 attempt, answered 410" in capsys.readouterr().err


def test_what_the_daemon_does_not_know_is_no_outcome(home: Path, daemon: FakeDaemon) -> None:
    daemon.says(LOOK, 404, {"title": "Not Found", "detail": "the log holds no delivery"})

    with pytest.raises(HooksdError, match="the log holds no delivery"):
        waited(client(home), DELIVERY, 10)


def test_a_duration_has_a_unit() -> None:
    assert seconds_from("--timeout", "2m") == 120
    with pytest.raises(UsageError, match="--timeout: `2` is no duration"):
        seconds_from("--timeout", "2")
