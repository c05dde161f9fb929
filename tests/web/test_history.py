from __future__ import annotations

from typing import Any

from hooksd.model.record import Record, RunStarted
from hooksd.web.history import event_view, run_view
from tests.web.doubles import plan
from tests.web.records import (
    ACCEPTED,
    AGAIN,
    ATTEMPT,
    CREATED,
    DELIVERED,
    DONE,
    ENDED,
    RETRIED,
    RUN,
    STARTED,
    STEP,
    trees,
)


def run_of(*records: Record) -> dict[str, Any]:
    view = run_view(RUN, trees(ACCEPTED, *records))
    assert view is not None
    return view


def test_a_run_that_waits_for_its_place_is_pending() -> None:
    view = run_of()

    assert view["status"] == "pending"
    assert view["workflow"] == "deploy"
    assert view["event"] == "evt_1"
    assert view["created_at"] == "t0"
    assert view["origin"] == {"file": "hooks.toml", "line": 3}
    assert view["steps"] == view["deliveries"] == []


def test_a_run_under_way_shows_the_attempt_of_its_step() -> None:
    view = run_of(STARTED, STEP, RETRIED, AGAIN)

    assert view["status"] == "running"
    assert view["started_at"] == "t1"
    assert view["steps"][0]["status"] == "running"
    assert view["steps"][0]["attempts"] == 2
    assert view["steps"][0]["started_at"] == "t2"


def test_a_step_that_waits_for_its_next_attempt_says_until_when() -> None:
    step = run_of(STARTED, STEP, RETRIED)["steps"][0]

    assert (step["status"], step["error"], step["retry_at"]) == ("pending", "exit 1", "t9")


def test_a_step_that_ended_shows_its_result_and_nothing_of_the_way_there() -> None:
    step = run_of(STARTED, STEP, RETRIED, AGAIN, DONE)["steps"][0]

    assert step == {
        "step": "build", "started_at": "t2", "ended_at": "t5", "status": "ok", "verb": "run", "attempts": 2, "ms": 7.5,
        "code": 0, "output": "text", "detail": {"stderr": "warning"},
    }  # fmt: skip


def test_a_run_that_ended_says_how_and_why() -> None:
    view = run_of(STARTED, DONE, ENDED)

    assert (view["status"], view["ended_at"], view["ms"]) == ("failed", "t9", 900.0)
    assert (view["step"], view["error"]) == ("smoke", "404")


def test_a_run_shows_what_it_sent() -> None:
    pending = run_of(STARTED, CREATED, ATTEMPT)["deliveries"][0]
    delivered = run_of(STARTED, CREATED, ATTEMPT, DELIVERED)["deliveries"][0]

    assert (pending["status"], pending["attempts"], pending["error"]) == ("pending", 1, "500")
    assert (delivered["status"], delivered["attempts"], delivered["error"]) == ("delivered", 2, None)


def test_records_of_other_runs_change_nothing() -> None:
    other = RunStarted(at="t1", run=plan(2).id, workflow="notify", revision="abc")

    assert run_of(other) == run_of()


def test_an_event_shows_its_runs_and_what_it_did_not_start() -> None:
    view = event_view("evt_1", trees(ACCEPTED, STARTED, ENDED))

    assert view is not None
    assert view["type"] == "github.push"
    assert [(run["workflow"], run["status"]) for run in view["runs"]] == [("deploy", "failed"), ("notify", "pending")]
    assert view["not_started"][0]["reason"] == "condition_false"


def test_a_run_is_found_among_events_that_started_others() -> None:
    before, emitted = trees(ACCEPTED), trees(ACCEPTED)
    before[0]["runs"] = []
    emitted[0]["runs"] = [{**emitted[0]["runs"][1], "id": "run_9"}]

    view = run_view("run_9", [*before, *trees(ACCEPTED), *emitted])

    assert view is not None
    assert view["workflow"] == "notify"


def test_what_the_log_does_not_hold_is_nothing() -> None:
    assert event_view("evt_2", trees(ACCEPTED)) is None
    assert run_view("run_2", trees(ACCEPTED)) is None
    assert run_view(RUN, []) is None


def test_an_event_shows_where_it_goes_by_subscription_and_where_not() -> None:
    record = trees(ACCEPTED)[0]
    record["deliveries"] = [{"id": "dlv_1", "endpoint": "slack"}, {"id": "dlv_2", "endpoint": "audit"}]
    record["not_sent"] = [{"endpoint": "open", "reason": "trust"}]

    view = event_view("evt_1", [record, *trees(CREATED, ATTEMPT)])

    assert view is not None
    assert view["deliveries"] == [
        {"id": "dlv_1", "endpoint": "slack", "status": "pending", "attempts": 1, "error": "500"},
        {"id": "dlv_2", "endpoint": "audit", "status": "pending", "attempts": 0, "error": None},
    ]
    assert view["not_sent"] == [{"endpoint": "open", "reason": "trust"}]


def test_an_event_of_an_old_record_went_nowhere() -> None:
    record = trees(ACCEPTED)[0]
    del record["deliveries"], record["not_sent"]

    view = event_view("evt_1", [record])

    assert view is not None
    assert (view["deliveries"], view["not_sent"]) == ([], [])
