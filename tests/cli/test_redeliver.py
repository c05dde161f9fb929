"""Delivering again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import orjson
import pytest

from hooksd.cli import redeliver as module
from hooksd.cli.client import Answer, Client, TooLate
from hooksd.errors import Unreachable
from hooksd.model.record import DeliveryCreated, DeliveryEnded, DeliveryStatus
from tests.cli.conftest import DELIVERY, STORY, Command, FakeDaemon, Terminal, write_log

CREATED = next(record for record in STORY if isinstance(record, DeliveryCreated))
ONE = f"POST /api/v1/deliveries/{DELIVERY}/redeliver"
TAKEN = {"delivery": DELIVERY, "endpoint": "chat", "attempts": 1}
AT = "2026-11-22T04:00:0{}.000Z"


def name(number: int) -> str:
    return f"dlv_01a20177-4243-7000-8000-{number:012d}"


def request(number: int) -> str:
    return f"POST /api/v1/deliveries/{name(number)}/redeliver"


def end(number: int, status: DeliveryStatus = "exhausted", endpoint: str = "chat", second: int = 0) -> DeliveryEnded:
    return DeliveryEnded(at=AT.format(second), delivery=name(number), endpoint=endpoint, status=status, attempts=3)


MANY = "POST /api/v1/redeliveries"


def all_of_it(document: Any) -> Any:
    """Ask for whatever is wanted."""
    return {"deliveries": [{"delivery": one["id"], "asked": True, "detail": None} for one in document["deliveries"]]}


@pytest.fixture
def failed(home: Path, daemon: FakeDaemon) -> FakeDaemon:
    """A daemon, and a log of three deliveries that failed, one of them asked for again, and one that did not."""
    again = replace(CREATED, at=AT.format(4), delivery=name(1), attempts=3, again=name(1))
    ends = [end(1), end(2, second=1), end(3, "gone", "erp", 2), end(4, "delivered", second=3)]
    write_log(home / ".hooksd" / "log", [*ends, again, end(1, second=5)])
    daemon.says(MANY, 202, all_of_it)
    return daemon


def asked(daemon: FakeDaemon) -> list[str]:
    """Return the deliveries that were asked for, in their order."""
    return [one["id"] for request, data in daemon.asked if request == MANY for one in data["deliveries"]]


# --- one


def test_one_is_asked_for_at_once(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(ONE, 202, TAKEN)

    result = hooksd("redeliver", DELIVERY)

    assert (result.status, result.out) == (0, f"delivery {DELIVERY}  chat\n")
    assert daemon.asked == [(ONE, None)]


def test_waiting_tells_how_each_ended(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(ONE, 202, TAKEN)
    daemon.says(f"GET /api/v1/deliveries/{DELIVERY}", 200, {"id": DELIVERY, "status": "exhausted", "attempts": 2})

    result = hooksd("redeliver", DELIVERY, "--wait", "--json")

    assert (result.status, orjson.loads(result.out)) == (1, TAKEN)
    assert "exhausted after 2 attempts" in result.err


def test_one_that_is_refused_does_not_hinder_the_others(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(request(2), 409, {"title": "Conflict", "detail": "it is a call"})
    daemon.says(ONE, 202, TAKEN)

    result = hooksd("redeliver", name(2), DELIVERY)

    assert result.status == 1
    assert "it is a call" in result.err
    assert len(daemon.asked) == 2


# --- many


def test_many_are_shown_before_anybody_is_asked(hooksd: Command, failed: FakeDaemon) -> None:
    result = hooksd("redeliver", "--status", "failed", "--dry-run")

    assert result.status == 0
    *lines, left = result.out.splitlines()
    assert left == "left out: 1 delivery, asked for again since then; --again takes them too"
    assert [line.split() for line in lines] == [
        ["ENDPOINT", "STATUS", "DELIVERIES", "FIRST", "ENDED", "LAST", "ENDED"],
        ["chat", "exhausted", "1", AT.format(1), AT.format(1)],
        ["erp", "gone", "1", AT.format(2), AT.format(2)],
    ]
    assert failed.asked == []


def test_many_are_asked_for_oldest_first_with_the_attempts_they_had(hooksd: Command, failed: FakeDaemon) -> None:
    result = hooksd("redeliver", "--status", "failed", "--yes")

    assert (result.status, result.out) == (0, "")
    wanted = [{"id": name(2), "attempts": 3}, {"id": name(3), "attempts": 3}]
    assert failed.asked == [(MANY, {"deliveries": wanted})]
    assert "2 deliveries asked for again" in result.err


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        (["--endpoint", "chat"], [2]),
        (["--endpoint", "chat", "--again"], [2, 1]),
        (["--status", "gone"], [3]),
        (["--status", "delivered"], [4]),
        (["--since", "2026-11-22T04:00:02Z"], [3]),
        (["--until", "2026-11-22T04:00:02Z"], [2]),
    ],
)
def test_they_are_chosen_by_what_became_of_them(
    hooksd: Command, failed: FakeDaemon, arguments: list[str], numbers: list[int]
) -> None:
    hooksd("redeliver", *arguments, "--yes")

    assert asked(failed) == [name(number) for number in numbers]


def test_programs_see_each(hooksd: Command, failed: FakeDaemon) -> None:
    looked = hooksd("redeliver", "--status", "failed", "--dry-run", "--json")
    told = [
        {"delivery": name(2), "asked": True, "detail": None},
        {"delivery": name(3), "asked": False, "detail": "it is a \x1b[31mcall"},
    ]
    failed.answers[MANY] = [(202, {"deliveries": told})]
    done = hooksd("redeliver", "--status", "failed", "--yes", "--json")

    assert [one["delivery"] for one in looked.objects()] == [name(2), name(3)]
    assert (done.status, done.objects()) == (1, told)
    assert r"1 delivery left as it is: it is a \x1b[31mcall" in done.err


def test_an_interruption_says_how_far_it_came(
    hooksd: Command, failed: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 1)
    real = Client.post

    def interrupted(self: Client, path: str, data: Any, *, patience: float) -> Answer:
        if name(3) in str(data):
            raise KeyboardInterrupt
        return real(self, path, data, patience=patience)

    monkeypatch.setattr(Client, "post", interrupted)

    result = hooksd("redeliver", "--status", "failed", "--yes")

    assert result.status == 130
    assert "1 of 2 deliveries asked for; the same command goes on with the rest" in result.err


@pytest.mark.parametrize(("error", "status"), [(Unreachable, 69), (TooLate, 75)])
def test_a_daemon_that_goes_away_is_told_with_how_far_it_came(
    hooksd: Command, failed: FakeDaemon, monkeypatch: pytest.MonkeyPatch, error: type[Exception], status: int
) -> None:
    monkeypatch.setattr(module, "PART", 1)
    real = Client.post

    def gone(self: Client, path: str, data: Any, *, patience: float) -> Answer:
        if name(3) in str(data):
            raise error("it hung up")
        return real(self, path, data, patience=patience)

    monkeypatch.setattr(Client, "post", gone)

    result = hooksd("redeliver", "--status", "failed", "--yes")

    assert result.status == status
    assert "it hung up; 1 of 2 deliveries asked for; the same command goes on with the rest" in result.err


def test_a_daemon_whose_log_is_full_is_asked_again(
    hooksd: Command, failed: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)
    full = (503, {"title": "Service Unavailable", "detail": "full"})
    failed.answers[MANY] = [full, (202, all_of_it)]

    assert hooksd("redeliver", "--status", "gone", "--yes").status == 0

    failed.answers[MANY] = [full]
    assert hooksd("redeliver", "--status", "gone", "--yes").status == 1


def test_a_key_that_may_not_do_it_ends_it_at_once(hooksd: Command, failed: FakeDaemon) -> None:
    failed.answers[MANY] = [(403, {"title": "Forbidden", "detail": "this key may not"})]

    result = hooksd("redeliver", "--status", "failed", "--yes")

    assert (result.status, "this key may not" in result.err) == (1, True)
    assert len(failed.asked) == 1


def test_where_nobody_can_be_asked_yes_must_be_said(hooksd: Command, failed: FakeDaemon) -> None:
    result = hooksd("redeliver", "--status", "failed")

    assert result.status == 64
    assert "say --yes to go on" in result.err
    assert failed.asked == []


@pytest.mark.parametrize(("answer", "count"), [(True, 2), (False, 0)])
def test_a_person_is_asked(
    hooksd: Command, failed: FakeDaemon, monkeypatch: pytest.MonkeyPatch, *, answer: bool, count: int
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return "y\n" if answer else "n\n"

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "y" if answer else "n")

    result = hooksd("redeliver", "--status", "failed")

    assert result.status == (0 if answer else 130)
    assert len(asked(failed)) == count


def test_nothing_to_do_is_said(hooksd: Command, failed: FakeDaemon) -> None:
    result = hooksd("redeliver", "--endpoint", "nobody")

    assert (result.status, "nothing of that kind" in result.err) == (0, True)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--yes"],
        [DELIVERY, "--endpoint", "chat"],
        [DELIVERY, "--dry-run"],
        ["--endpoint", "chat", "--wait"],
        [DELIVERY, "--wait", "--timeout", "5"],
        ["evt_1"],
        ["dlv_../../config"],
        ["--since", "yesterday"],
    ],
)
def test_what_cannot_be_meant_ends_with_64(hooksd: Command, daemon: FakeDaemon, arguments: list[str]) -> None:
    assert hooksd("redeliver", *arguments).status == 64
    assert daemon.asked == []


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(("columns", "end"), [(60, "11-22 04:…"), (80, "11-22 04:00:00Z")])
def test_the_preview_fits_into_a_terminal(terminal: Terminal, columns: int, end: str) -> None:
    shown = [click.unstyle(line) for line in terminal("redeliver", "--endpoint", "chat", "--dry-run", columns=columns)]

    assert max(map(len, shown)) <= columns
    assert shown[1].startswith("chat")
    assert shown[1].endswith(f"  {end}")
