"""Why something happened, or did not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hooksd.cli.explain import story
from hooksd.journal.reader import LogReader
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import DeliveryCreated, DeliveryEnded, EventAccepted, Record, StepEnded, StepRetried
from tests.cli.conftest import AT, DELIVERY, EMITTED, EVENT, RUN, STORY, Command, write_log

pytestmark = pytest.mark.usefixtures("log")


@pytest.mark.parametrize("identifier", [EVENT, RUN, DELIVERY], ids=["event", "run", "delivery"])
def test_the_story_is_the_same_from_wherever_one_asks(hooksd: Command, identifier: str) -> None:
    result = hooksd("explain", identifier)

    assert result.status == 0
    for words in (
        f"github.push  {EVENT}",
        "received 2026-11-22T04:00:00.000Z from webhook/github, trust signed, 2 bytes of application/json",
        "webhook defined at deploy.toml:3",
        f"deploy  failed  {RUN}",
        "build  run  failed (3) in 350ms  exit status 3",
        "release  not started: its condition was false",
        "when body.ref == 'refs/tags/v1'",
        r'body.ref = "refs/heads/\u001b]0;evil\u0007main"',
        f"delivery to chat  exhausted  {DELIVERY}",
        "503 http_5xx  503 Service Unavailable",
        f"deploy.failed  {EMITTED}",
        "alert  succeeded",
    ):
        assert words in result.out
    assert "\x1b" not in result.out


def test_an_emitted_event_is_explained_alone_too(hooksd: Command) -> None:
    result = hooksd("explain", EMITTED)

    assert "alert  succeeded" in result.out
    assert "release" not in result.out


def test_the_records_behind_it_are_every_record_of_the_story_once_in_order(hooksd: Command) -> None:
    result = hooksd("explain", EVENT, "--json")

    assert [tree["type"] for tree in result.objects()] == [record.type for record in STORY[:-1]]


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("github", "is no event, run or delivery"),
        ("evt_nonsense", "is no identifier"),
        ("evt_01a20177-0000-7893-b564-e2d45adda24d", "the log knows nothing of"),
    ],
    ids=["a name", "shortened", "unknown"],
)
def test_what_cannot_be_explained_is_said(hooksd: Command, identifier: str, words: str) -> None:
    result = hooksd("explain", identifier)

    assert result.status == 64
    assert words in result.err


def test_an_event_without_listeners_says_so(hooksd: Command, tmp_path_factory: pytest.TempPathFactory) -> None:
    first = STORY[0]
    assert isinstance(first, EventAccepted)
    directory = tmp_path_factory.mktemp("log")
    write_log(directory, [replace(first, runs=(), not_started=())])

    assert "no workflow listens to github.push" in hooksd("explain", EVENT, "--log-dir", str(directory)).out
    assert len(story(LogReader(directory), EVENT)) == 1


def test_a_run_under_way_shows_what_it_did_so_far(hooksd: Command, tmp_path_factory: pytest.TempPathFactory) -> None:
    begun: tuple[Record, ...] = (
        STORY[0],
        StepRetried(at=AT, run=RUN, step="build", attempt=1, error="exit status 3", retry_at=AT),
        StepEnded(
            at=AT,
            run=RUN,
            step="build",
            verb="run",
            status="ok",
            attempts=2,
            ms=5.0,
            code=0,
            output="built\x1b\n",
            detail={"stderr": "a warning", "truncated": False},
        ),
        next(record for record in STORY if isinstance(record, DeliveryCreated)),
    )
    directory = tmp_path_factory.mktemp("log")
    write_log(directory, begun)

    out = hooksd("explain", RUN, "--log-dir", str(directory)).out

    assert f"deploy  not over  {RUN}" in out
    assert "build  attempt 1 failed  exit status 3" in out
    assert r"output: built\x1b" in out
    assert "stderr: a warning" in out
    assert "truncated" not in out
    assert "delivery to chat  under way" in out


def test_a_delivery_that_was_asked_for_again_is_told_once_with_its_last_end(hooksd: Command, home: Path) -> None:
    created = next(record for record in STORY if isinstance(record, DeliveryCreated))
    again = replace(created, attempts=1, again=DELIVERY)
    delivered = DeliveryEnded(at=AT, delivery=DELIVERY, endpoint="chat", status="delivered", attempts=2)
    write_log(home / "again", [*STORY, again, delivered])

    out = hooksd("explain", EVENT, "--log-dir", "again").out

    assert out.count("delivery to chat") == 1
    assert f"delivery to chat  delivered  {DELIVERY}" in out


def test_an_event_that_an_endpoint_could_not_take_says_so(hooksd: Command, home: Path) -> None:
    accepted = STORY[0]
    assert isinstance(accepted, EventAccepted)
    planned = replace(accepted, runs=(), not_started=(), deliveries=(DeliveryPlan(id=DELIVERY, endpoint="erp"),))
    ended = DeliveryEnded(
        at=AT, delivery=DELIVERY, endpoint="erp", status="exhausted", attempts=0, error="it takes text"
    )
    write_log(home / "other", [planned, ended])

    result = hooksd("explain", EVENT, "--log-dir", "other")

    assert f"delivery to erp  exhausted  {DELIVERY}" in result.out
    assert "nothing was sent  it takes text" in result.out


def test_a_delivery_that_somebody_asked_for_over_the_api_says_who(hooksd: Command, home: Path) -> None:
    created = next(record for record in STORY if isinstance(record, DeliveryCreated))
    asked = replace(created, event="", run="", step="", is_call=True, by="plugin")
    write_log(home / "other", [asked])

    result = hooksd("explain", DELIVERY, "--log-dir", "other")

    assert result.status == 0
    assert f"delivery to chat  under way  {DELIVERY}" in result.out
    assert "asked for by plugin" in result.out
