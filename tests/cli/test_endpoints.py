"""How things stand with endpoints."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from hooksd.cli.endpoints import told
from tests.cli.conftest import Command, FakeDaemon

LIST = "GET /api/v1/endpoints"
WELL: dict[str, Any] = {
    "held": None, "breaker": "closed", "failures": 0, "in_flight": 0, "waiting": 0, "pending": 0, "last": None,
}  # fmt: skip
LAST = {"at": "2026-11-22T04:00:00.000Z", "outcome": "http_5xx", "status": 503}


def held(reason: str, until: str | None = None, error: str | None = None) -> dict[str, Any]:
    return {**WELL, "held": {"reason": reason, "until": until, "error": error}}


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (WELL, "ok"),
        ({**WELL, "failures": 3}, "3 failed in a row"),
        ({**WELL, "breaker": "probing", "failures": 10}, "probing"),
        (held("breaker", "2026-11-22T04:00:30.123Z"), "breaker until 2026-11-22T04:00:30Z"),
        (held("suspended", error="the receiver answered 410"), "suspended: the receiver answered 410"),
        (held("disabled"), "disabled"),
    ],
)
def test_how_things_stand_is_told_in_a_few_words(state: dict[str, Any], text: str) -> None:
    assert told(state) == text


def test_endpoints_are_a_table_with_what_is_on_its_way(hooksd: Command, daemon: FakeDaemon) -> None:
    state = {**held("receiver", "2026-11-22T04:01:00.000Z"), "in_flight": 1, "waiting": 2, "pending": 7, "last": LAST}
    endpoints = [
        {"name": "audit", "url": "https://a.example/\x1b[31m" + "x" * 99, "state": WELL},
        {"name": "partner", "url": "https://b.example/", "state": state},
    ]
    daemon.says(LIST, 200, {"endpoints": endpoints})

    result = hooksd("endpoints")

    header, audit, partner = result.out.splitlines()
    assert header.split("  ")[0] == "ENDPOINT"
    assert audit.split()[:5] == ["audit", "ok", "0", "0", "0"]
    assert r"https://a.example/\x1b[31m" in audit
    assert "\x1b" not in result.out
    assert (
        "receiver until 2026-11-22T04:01:00Z  1          2        7        503 http_5xx at 2026-11-22T04:00:00Z"
        in partner
    )
    assert "hooksd endpoints resume" in result.err


def test_where_all_is_well_no_hint_is_given(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(LIST, 200, {"endpoints": [{"name": "a", "url": "u", "state": WELL}]})

    assert hooksd("endpoints").err == ""


def test_programs_get_one_object_a_line(hooksd: Command, daemon: FakeDaemon) -> None:
    endpoints = [{"name": "a", "url": "u", "state": WELL}, {"name": "b", "url": "u", "state": WELL}]
    daemon.says(LIST, 200, {"endpoints": endpoints})

    assert hooksd("endpoints", "--json").objects() == endpoints


def test_no_endpoint_is_said_beside_the_result(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(LIST, 200, {"endpoints": []})

    result = hooksd("endpoints")

    assert (result.status, result.out) == (0, "")
    assert "hooksd new endpoint" in result.err


def test_without_a_daemon_it_says_so(hooksd: Command) -> None:
    assert hooksd("endpoints").status == 69


RESUME = "POST /api/v1/endpoints/partner/resume"


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ({"released": "suspended", "state": WELL}, "partner  goes on, was: suspended"),
        ({"released": None, "state": WELL}, "partner  was not held"),
        ({"released": None, "state": held("disabled")}, "partner  still waits: disabled"),
    ],
)
def test_resuming_says_what_came_of_it(hooksd: Command, daemon: FakeDaemon, answer: Any, line: str) -> None:
    daemon.says(RESUME, 200, {"endpoint": "partner", **answer})

    result = hooksd("endpoints", "resume", "partner")

    assert (result.status, result.out) == (0, f"{line}\n")
    assert daemon.asked == [(RESUME, None)]


def test_several_are_resumed_and_one_that_is_unknown_does_not_hinder_the_others(
    hooksd: Command, daemon: FakeDaemon
) -> None:
    daemon.says(
        "POST /api/v1/endpoints/nope/resume", 404, {"title": "Not Found", "detail": "there is no endpoint 'nope'"}
    )
    daemon.says(RESUME, 200, {"endpoint": "partner", "released": "breaker", "state": WELL})

    result = hooksd("endpoints", "resume", "nope", "partner", "--json")

    assert result.status == 1
    assert "there is no endpoint 'nope'" in result.err
    assert orjson.loads(result.out)["released"] == "breaker"


def test_a_daemon_that_refuses_is_told(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(LIST, 500, {"title": "Internal Server Error", "detail": "hooksd made an error"})

    assert hooksd("endpoints").status == 1
