"""What the daemon runs, and whether it agrees with the files."""

from __future__ import annotations

from typing import Any

import click
import pytest

from tests.cli.conftest import AT, Command, FakeDaemon

STATUS: dict[str, Any] = {
    "state": "IN_SYNC", "since": AT, "revision": "abc", "running": "abc", "diagnostics": [], "reason": None,
    "removed": [], "commit": "f7b248fff5da22fe9e6a", "dirty": True, "counts": {"webhooks": 2}, "unfinished_runs": 3,
    "unfinished_deliveries": 4, "log": "ok", "version": "0.1.0", "pid": 7, "started_at": AT,
    "listen": "127.0.0.1:9000", "admin": "unix:admin.sock",
}  # fmt: skip
PROBLEM = {
    "code": "H012", "severity": "error", "message": "unknown key `onn`\x1b[0m", "file": "a.toml", "line": 2,
    "column": 1, "end_column": 4, "excerpt": "onn = 1", "hint": "did you mean `on`?", "related": [],
}  # fmt: skip


def test_all_is_well(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says("GET /api/v1/status", 200, STATUS)

    result = hooksd("status")

    assert result.status == 0
    for words in (
        f"IN_SYNC since {AT}",
        "revision abc, commit f7b248fff5da and changes that are not committed",
        "2 webhooks",
        "3 runs, 4 deliveries",
        "127.0.0.1:9000",
    ):
        assert words in result.out


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("ok", "log:          ok\n"),
        ("full", "log:          full: callers get 503 until there is room on its file system\n"),
        ("broken", "log:          broken: callers get 503, and the daemon ends\n"),
        ("\x1b[2J", "log:          \\x1b[2J\n"),
    ],
)
def test_a_log_that_takes_nothing_is_told_with_what_it_means(
    hooksd: Command, daemon: FakeDaemon, log: str, told: str
) -> None:
    daemon.says("GET /api/v1/status", 200, {**STATUS, "log": log})

    assert told in click.unstyle(hooksd("status").out)


def test_rejected_files_end_with_1_and_show_the_place(hooksd: Command, daemon: FakeDaemon) -> None:
    rejected = {**STATUS, "state": "REJECTED", "revision": "abd", "diagnostics": [PROBLEM]}
    daemon.says("GET /api/v1/status", 200, rejected)

    result = hooksd("status")

    assert result.status == 1
    assert "a.toml:2:1" in result.out
    assert "2 | onn = 1\n  | ^^^" in result.out
    assert "did you mean `on`?" in result.out
    assert "files:        revision abd" in result.out
    assert "\x1b" not in result.out


def test_the_answer_as_it_is(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says("GET /api/v1/status", 200, STATUS)

    assert hooksd("status", "--json").objects() == [STATUS]


def test_a_daemon_that_refuses_is_heard(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says("GET /api/v1/status", 401, {"title": "Unauthorized"})

    result = hooksd("status")

    assert result.status == 1
    assert "Unauthorized" in result.err
