"""Each record has a readable line, whatever is in it."""

from __future__ import annotations

from dataclasses import replace

import click
import orjson

from hooksd.cli.lines import _DESCRIBERS, line
from hooksd.model.holding import EndpointHeld, EndpointReleased
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import (
    RECORD_TYPES,
    ConfigApplied,
    ConfigHeld,
    ConfigRejected,
    DaemonStarted,
    DaemonStopped,
    EventAccepted,
    LogDamaged,
    Record,
    StepRetried,
    StepStarted,
)
from tests.cli.conftest import AT, DELIVERY, EVENT, RUN, STORY, event_of
from tests.cli.conftest import plan as plan_of_run

OTHERS: tuple[Record, ...] = (
    StepRetried(at=AT, run=RUN, step="build", attempt=1, error="exit status 3", retry_at=AT),
    StepStarted(at=AT, run=RUN, workflow="deploy", step="rest", attempt=1, wake_at=AT),
    ConfigApplied(at=AT, revision="abc", commit=None, dirty=False, counts={"webhooks": 1}, added=("webhook/a",)),
    ConfigRejected(
        at=AT,
        revision="abd",
        running="abc",
        diagnostics=(
            {"severity": "warning", "file": "b.toml", "line": 1, "column": 1, "message": "hm"},
            {"severity": "error", "file": "a.toml", "line": 3, "column": 2, "message": "unknown key `x`"},
        ),
    ),
    ConfigRejected(at=AT, revision="abd", running="abc", diagnostics=()),
    ConfigHeld(at=AT, revision="abd", running="abc", reason="it would remove 5 of 6 definitions", removed=()),
    DaemonStarted(at=AT, version="0.1.0", pid=7, unfinished_runs=1, unfinished_deliveries=2),
    DaemonStopped(at=AT, reason="SIGTERM"),
    EndpointHeld(at=AT, endpoint="shop", reason="receiver", until=AT, error="a\nb"),
    EndpointHeld(at=AT, endpoint="shop", reason="suspended"),
    EndpointReleased(at=AT, endpoint="shop", reason="receiver"),
    LogDamaged(at=AT, segment="log-1.jsonl", offset=10, size=20, kind="torn"),
)


def told(record: Record) -> str:
    return click.unstyle(line(orjson.loads(orjson.dumps(record))))


def test_every_type_of_record_has_its_own_line() -> None:
    # What a segment begins with is never shown.
    assert set(_DESCRIBERS) == set(RECORD_TYPES) - {"segment", "log.carried"}


def test_a_line_says_when_and_what_in_one_harmless_line() -> None:
    for record in [*STORY, *OTHERS]:
        text = told(record)

        assert text.startswith(f"{AT}  {record.type}")
        assert text.isprintable()


def test_lines_say_what_matters() -> None:
    text = "\n".join(told(record) for record in [*STORY, *OTHERS])

    for words in (
        "github.push from webhook/github -> deploy  evt_01a20177-423b-7893-b564-e2d45adda24d",
        "build  failed in 350ms",
        f"  {RUN}",
        "exit status 3",
        "chat  attempt 1: http_5xx 503 in 12ms",
        "chat  exhausted after 1 attempt  ",
        "github  401 bad_signature  from 192.0.2.7  3 times",
        "revision abd: a.toml:3:2: unknown key `x`",
        "+webhook/a",
        "1 run, 2 deliveries to resume",
        "torn: 20 bytes at 10 of log-1.jsonl",
    ):
        assert words in text


def test_a_record_of_a_later_version_has_a_line_too() -> None:
    text = click.unstyle(line({"type": "run.paused", "at": AT, "why": "\x1b"}))

    assert "run.paused" in text
    assert text.isprintable()


def test_the_line_of_a_step_begins_with_its_workflow_where_the_record_says_it() -> None:
    old = StepStarted(at=AT, run=RUN, step="rest", attempt=1)

    assert "  deploy rest  attempt 1" in told(replace(old, workflow="deploy"))
    assert "  rest  attempt 1" in told(old)


def test_an_event_of_a_webhook_that_only_observes_says_why_it_would_be_refused() -> None:
    accepted = next(record for record in STORY if isinstance(record, EventAccepted))

    def of(observed: str | None) -> str:
        return told(replace(accepted, event=replace(accepted.event, observed=observed)))

    assert of("bad_signature").endswith("would be refused: bad_signature")
    assert of("accepted") == of(None) == told(accepted)


def test_an_event_that_only_endpoints_get_has_begun_something() -> None:
    event = event_of(EVENT, "shop.order", webhook="shop")
    plan = DeliveryPlan(id=DELIVERY, endpoint="erp")
    begun = [
        told(EventAccepted(at=AT, revision="abc", event=event, origin=None, runs=runs, deliveries=sent))
        for runs, sent in [((), ()), ((), (plan,)), ((plan_of_run(RUN, "deploy"),), (plan,))]
    ]

    assert "-> starts nothing  " in begun[0]
    assert "-> to erp  " in begun[1]
    assert "-> deploy, to erp  " in begun[2]
