"""What came in and what went out."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from hooksd.cli.deliveries import HEADER
from hooksd.model.record import RequestRefused
from tests.cli.conftest import AT, DELIVERY, EVENT, Command, Terminal, write_log

pytestmark = pytest.mark.usefixtures("log")


def test_it_is_newest_first_in_and_out(hooksd: Command) -> None:
    lines = hooksd("deliveries").out.splitlines()

    assert lines[0].split() == [title for title in HEADER if title]
    assert "401 refused" in lines[1]
    assert "3 times, bad_signature from 192.0.2.7" in lines[1]
    assert "503 http_5xx" in lines[2]
    assert f"{DELIVERY} attempt 1 in 12ms: 503 Service Unavailable" in lines[2]
    assert "accepted" in lines[3]
    assert f"{EVENT} -> deploy" in lines[3]
    assert len(lines) == 4


def test_a_receiver_cannot_steer_the_terminal(hooksd: Command) -> None:
    out = hooksd("deliveries").out

    assert "\x1b" not in out
    assert r"https://chat.example/\x1b[31mhook" in out


@pytest.mark.parametrize(
    ("arguments", "types"),
    [
        (["--failed"], ["request.refused", "attempt.ended"]),
        (["--webhook", "github"], ["request.refused", "event.accepted"]),
        (["--endpoint", "chat"], ["attempt.ended"]),
        (["--webhook", "github", "--failed"], ["request.refused"]),
        (["--endpoint", "other"], []),
        (["-n", "1"], ["request.refused"]),
    ],
    ids=["failed", "webhook", "endpoint", "webhook failed", "unknown", "one"],
)
def test_it_can_be_narrowed(hooksd: Command, arguments: list[str], types: list[str]) -> None:
    result = hooksd("deliveries", "--json", *arguments)

    assert [tree["type"] for tree in result.objects()] == types


def test_nothing_found_is_said_beside_the_result(hooksd: Command) -> None:
    result = hooksd("deliveries", "--endpoint", "other")

    assert (result.status, result.out) == (0, "")
    assert "nothing of that kind" in result.err


@pytest.mark.parametrize(
    ("arguments", "types"),
    [
        (["--status", "exhausted"], ["delivery.ended"]),
        (["--status", "failed", "--endpoint", "chat"], ["delivery.ended"]),
        (["--status", "delivered"], []),
        (["--since", "2026-11-22T04:00:00Z"], ["request.refused", "attempt.ended", "event.accepted"]),
        (["--since", "2026-11-22T04:00:01Z"], []),
        (["--until", "2026-11-22T04:00:00Z"], []),
        (["--status", "failed", "--since", "2026-11-22T05:00Z"], []),
    ],
)
def test_it_can_be_narrowed_by_end_and_by_time(hooksd: Command, arguments: list[str], types: list[str]) -> None:
    result = hooksd("deliveries", "--json", *arguments)

    assert [tree["type"] for tree in result.objects()] == types


def test_deliveries_by_their_end_say_after_how_many_attempts(hooksd: Command) -> None:
    line = hooksd("deliveries", "--status", "failed").out.splitlines()[1]

    assert line.split() == [
        "2026-11-22T04:00:00.000Z",
        "out",
        "chat",
        "exhausted",
        DELIVERY,
        "after",
        "1",
        "attempt:",
        "503",
    ]


def test_an_end_is_of_deliveries_alone(hooksd: Command) -> None:
    assert hooksd("deliveries", "--status", "failed", "--webhook", "github").status == 64
    assert hooksd("deliveries", "--status", "failed", "--failed").status == 64


def test_one_delivery_is_shown_as_curl_would(hooksd: Command) -> None:
    result = hooksd("deliveries", "show", DELIVERY)

    lines = result.out.splitlines()
    assert lines[0] == f"{DELIVERY}  to chat  exhausted after 1 attempt"
    assert r"> POST /\x1b[31mhook HTTP/1.1" in lines
    assert "< HTTP/1.1 503 Service Unavailable" in lines
    assert "\x1b" not in result.out


def test_its_records_are_shown_to_programs(hooksd: Command) -> None:
    kinds = [tree["type"] for tree in hooksd("deliveries", "show", DELIVERY, "--json").objects()]

    assert kinds == ["delivery.created", "attempt.started", "attempt.ended", "delivery.ended"]


@pytest.mark.parametrize("identifier", [EVENT, "dlv_1", DELIVERY[:-1] + "9", "\x1b[31m"])
def test_what_is_no_delivery_of_the_log_is_said(hooksd: Command, identifier: str) -> None:
    result = hooksd("deliveries", "show", identifier)

    assert (result.status, result.out) == (64, "")
    assert "\x1b" not in result.err


@pytest.mark.usefixtures("log")
def test_refused_triggers_are_found_by_their_endpoint(hooksd: Command, home: Path) -> None:
    refused = RequestRefused(at=AT, webhook=None, endpoint="erp", reason="unfit", status=422, peer="plugin", count=2)
    write_log(home / ".hooksd" / "log", [refused])

    shown = hooksd("deliveries", "--endpoint", "erp").out.splitlines()[1]
    told = hooksd("tail", "-n", "1", "--no-follow").out

    assert shown.split()[1:] == ["out", "erp", "422", "refused", "2", "times,", "unfit", "from", "plugin"]
    assert "erp  422 unfit  from plugin  2 times" in told
    assert hooksd("deliveries", "--endpoint", "chat", "--json").objects()[0]["type"] == "attempt.ended"


def test_who_knocked_at_the_admin_listener_is_shown(hooksd: Command, home: Path) -> None:
    knock = RequestRefused(at=AT, webhook=None, reason="bad_token", status=401, peer="192.0.2.9", listener="admin")
    write_log(home / ".hooksd" / "log", [knock])

    shown = hooksd("deliveries", "--failed").out.splitlines()[1]
    followed = hooksd("tail", "--no-follow").out.splitlines()[-1]

    assert shown.split()[1:] == ["in", "(admin)", "401", "refused", "bad_token", "from", "192.0.2.9"]
    assert followed.endswith("(admin)  401 bad_token  from 192.0.2.9")


def test_on_a_terminal_a_row_is_one_line_with_the_identifier_whole(
    hooksd: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped = hooksd("deliveries").out.splitlines()
    monkeypatch.setattr("hooksd.cli.deliveries.terminal_width", lambda: 100)
    shown = hooksd("deliveries").out.splitlines()

    assert max(map(len, shown)) <= 100 < max(map(len, piped))
    assert [len(shown), shown[1].split()[:3]] == [len(piped), ["11-22", "04:00:00Z", "in"]]
    assert DELIVERY in shown[2]
    assert EVENT in shown[3]


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(("columns", "is_told"), [(80, True), (300, False)])
def test_where_identifiers_do_not_fit_it_is_said_how_to_see_them(
    terminal: Terminal, columns: int, *, is_told: bool
) -> None:
    shown = [click.unstyle(line) for line in terminal("deliveries", columns=columns)]

    assert any(DELIVERY in line for line in shown) is not is_told
    assert ("with `| cat` behind it they are whole" in shown[-1]) is is_told


@pytest.mark.usefixtures("log")
def test_who_names_a_delivery_alone_is_told_how_to_see_it(hooksd: Command) -> None:
    result = hooksd("deliveries", DELIVERY)

    assert result.status == 64
    assert f"Did you mean 'hooksd deliveries show {DELIVERY}'?" in result.err
