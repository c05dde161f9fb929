"""Asking for the verdict on the files."""

from __future__ import annotations

from tests.cli.conftest import Command, FakeDaemon

RELOAD = "POST /api/v1/reload"


def test_good_files(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(RELOAD, 200, {"state": "IN_SYNC", "revision": "abc"})

    result = hooksd("reload", "--wait")

    assert (result.status, result.out) == (0, "IN_SYNC: revision abc\n")
    assert daemon.asked == [(RELOAD, {})]


def test_rejected_files_end_with_1_and_are_told_beside_the_result(hooksd: Command, daemon: FakeDaemon) -> None:
    problem = {
        "code": "H012", "severity": "error", "message": "unknown key", "file": "a.toml", "line": 2, "column": 1,
        "end_column": 4, "excerpt": "onn = 1", "hint": None, "related": [],
    }  # fmt: skip
    daemon.says(RELOAD, 409, {"state": "REJECTED", "revision": "abd", "running": "abc", "diagnostics": [problem]})

    result = hooksd("reload")

    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("error[H012]: unknown key\n --> a.toml:2:1\n")
    assert "REJECTED: revision abc stays in force" in result.err


def test_a_held_set_says_how_to_agree_and_agreeing_says_so(hooksd: Command, daemon: FakeDaemon) -> None:
    held = {"state": "HELD", "revision": "abd", "running": "abc", "reason": "too much", "removed": ["webhook/a"]}
    daemon.says(RELOAD, 409, held)
    daemon.says(RELOAD, 200, {"state": "IN_SYNC", "revision": "abd"})

    first = hooksd("reload")
    second = hooksd("reload", "--accept", "abd", "--json")

    assert "hooksd reload --accept abd" in first.err
    assert "- webhook/a" in first.err
    assert daemon.asked[-1] == (RELOAD, {"accept": "abd"})
    assert second.objects() == [{"state": "IN_SYNC", "revision": "abd"}]


def test_a_log_without_room_is_told(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(RELOAD, 503, {"title": "Service Unavailable", "detail": "nothing can be written now"})

    result = hooksd("reload")

    assert result.status == 1
    assert "nothing can be written now" in result.err
