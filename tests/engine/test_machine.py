from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.engine.commands import Attempt, Command, Conclude, Finish, Rest
from hooksd.engine.machine import INTERRUPTED, MAX_INTERRUPTIONS, decide
from hooksd.model.record import EventAccepted, RunEnded, RunPlan, StepStarted
from hooksd.model.stored import StoredBody, StoredCause, StoredEvent
from hooksd.testing import NOON, Playbook

TWO = {"steps": [{"id": "build", "run": ["make"]}, {"id": "ship", "send": "shop"}]}
CLEANED = {
    **TWO,
    "on_failure": [{"id": "alert", "send": "chat"}, {"id": "undo", "run": ["undo"]}],
    "finally": [{"id": "report", "send": "chat"}],
    "deadline": "10m",
}


def emitted_by(playbook: Playbook, step: str | None, *runs: str, kind: str = "order.paid") -> EventAccepted:
    run = playbook.run
    return EventAccepted(
        at="2026-11-22T12:00:00.000Z",
        revision="r1",
        event=StoredEvent(
            id="evt_019ab000-0000-7000-8000-00000000000a",
            type=kind,
            source="workflow/deploy",
            subject=None,
            time="2026-11-22T12:00:00.000Z",
            trust="signed",
            hop=1,
            cause=StoredCause(event=run.event.id, run=run.id, step=step),
            webhook=None,
            delivery_id=None,
            headers={},
            query={},
            body=StoredBody(media="application/json", size=0, encoding="none"),
        ),
        origin=None,
        runs=tuple(
            RunPlan(id=run_id, workflow="other", definition="sha256:0", origin=run.plan.origin, concurrency=None)
            for run_id in runs
        ),
    )


def test_steps_follow_each_other_and_the_run_succeeds() -> None:
    Playbook(TWO).does("build").does("ship").ends("succeeded")


def test_a_step_without_an_id_is_named_for_its_place() -> None:
    Playbook({"steps": [{"run": ["make"]}, {"sleep": "1s"}]}).does("steps[0]").asks(Attempt(step="steps[1]", number=1))


def test_a_run_in_the_queue_wants_nothing() -> None:
    playbook = Playbook(TWO)

    assert decide(playbook._queued) is None


def test_after_a_failure_the_rest_is_left_and_on_failure_and_finally_are_done() -> None:
    (
        Playbook(CLEANED)
        .asks(Attempt(step="build", number=1))
        .began("build")
        .ended("build", "failed", error="exit status 2")
        .does("alert")
        .does("undo")
        .does("report")
        .ends("failed", step="build", error="exit status 2")
    )


def test_after_success_only_finally_is_done() -> None:
    Playbook(CLEANED).does("build").does("ship").does("report").ends("succeeded")


def test_what_cleans_up_is_done_whatever_of_it_fails_and_the_status_stays() -> None:
    (
        Playbook(CLEANED)
        .does("build")
        .asks(Attempt(step="ship", number=1))
        .began("ship")
        .ended("ship", "failed", error="gave up")
        .began("alert")
        .ended("alert", "failed", error="no chat")
        .began("undo")
        .ended("undo", "failed", error="exit status 1")
        .began("report")
        .ended("report", "failed", error="no chat")
        .ends("failed", step="ship", error="gave up")
    )


def test_a_failing_finally_does_not_turn_success_into_failure() -> None:
    Playbook(CLEANED).does("build").does("ship").began("report").ended("report", "failed").ends("succeeded")


def test_on_error_continue_goes_on_and_the_run_may_still_succeed() -> None:
    document = {"steps": [{"id": "lint", "run": ["lint"], "on_error": "continue"}, {"id": "ship", "send": "shop"}]}

    Playbook(document).began("lint").ended("lint", "failed", error="ugly").does("ship").ends("succeeded")


def test_a_skipped_step_is_no_failure() -> None:
    Playbook(TWO).ended("build", "skipped").does("ship").ends("succeeded")


def test_a_failed_attempt_is_made_again_after_its_wait() -> None:
    (
        Playbook(TWO)
        .began("build")
        .retried("build", wait=2.5)
        .asks(Attempt(step="build", number=2, not_before=NOON + 2.5))
        .passes(2.5)
        .began("build", 2)
        .retried("build", 2, wait=5.0)
        .asks(Attempt(step="build", number=3, not_before=NOON + 7.5))
        .began("build", 3)
        .ended("build")
        .asks(Attempt(step="ship", number=1))
    )


def test_a_program_cut_off_by_a_crash_is_never_started_again() -> None:
    (
        Playbook(CLEANED)
        .began("build")
        .asks(Conclude(step="build", status="interrupted", attempts=1, error=INTERRUPTED))
        .ended("build", "interrupted", error=INTERRUPTED)
        .asks(Attempt(step="alert", number=1))
    )


def test_a_delivery_cut_off_by_a_crash_goes_on() -> None:
    Playbook(TWO).does("build").began("ship").asks(Attempt(step="ship", number=2))


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_an_idempotent_request_cut_off_by_a_crash_is_made_again(method: str) -> None:
    playbook = Playbook({"steps": [{"id": "ask", "http": f"{method} https://a.example/"}]})

    playbook.began("ask").asks(Attempt(step="ask", number=2))


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_any_other_request_cut_off_by_a_crash_is_interrupted(method: str) -> None:
    playbook = Playbook({"steps": [{"id": "ask", "http": f"{method} https://a.example/"}]}).began("ask")

    playbook.asks(Conclude(step="ask", status="interrupted", attempts=1, error=INTERRUPTED))


def test_on_interrupt_overrides_what_is_safe_both_ways() -> None:
    Playbook({"steps": [{"id": "a", "run": ["a"], "on_interrupt": "retry"}]}).began("a").asks(
        Attempt(step="a", number=2)
    )
    Playbook({"steps": [{"id": "a", "send": "a", "on_interrupt": "fail"}]}).began("a").asks(
        Conclude(step="a", status="interrupted", attempts=1, error=INTERRUPTED)
    )


def test_a_step_that_was_there_at_every_crash_is_given_up() -> None:
    playbook = Playbook({"steps": [{"id": "a", "http": "GET https://a.example/"}]})
    for attempt in range(1, MAX_INTERRUPTIONS):
        playbook.began("a", attempt).asks(Attempt(step="a", number=attempt + 1))
    playbook.began("a", MAX_INTERRUPTIONS).asks(
        Conclude(step="a", status="interrupted", attempts=MAX_INTERRUPTIONS, error=INTERRUPTED)
    )


def test_waiting_for_a_delivery_is_never_given_up() -> None:
    playbook = Playbook({"steps": [{"id": "a", "send": "a"}]})
    for attempt in range(1, 3 * MAX_INTERRUPTIONS):
        playbook.began("a", attempt).asks(Attempt(step="a", number=attempt + 1))


def test_retries_are_no_interruptions() -> None:
    playbook = Playbook({"steps": [{"id": "a", "http": "GET https://a.example/", "retry": {"max": 50}}]})
    for attempt in range(1, 3 * MAX_INTERRUPTIONS):
        playbook.began("a", attempt).retried("a", attempt, wait=0.0)
    playbook.began("a", 3 * MAX_INTERRUPTIONS).asks(Attempt(step="a", number=3 * MAX_INTERRUPTIONS + 1))


def test_a_restart_does_not_begin_a_sleep_again() -> None:
    (
        Playbook({"steps": [{"id": "rest", "sleep": "1h"}, {"id": "ship", "send": "shop"}]})
        .asks(Attempt(step="rest", number=1))
        .began("rest", wake_in=3600.0)
        .passes(3000)
        .asks(Rest(step="rest", attempt=1, until=NOON + 3600))
        .ended("rest")
        .asks(Attempt(step="ship", number=1))
    )


def test_an_event_in_the_log_is_not_emitted_again() -> None:
    playbook = Playbook({"steps": [{"id": "tell", "emit": "order.paid"}, {"id": "ship", "send": "shop"}]})
    event = emitted_by(playbook, "tell", "run_1", "run_2")
    output = {"event": event.event.id, "runs": ["run_1", "run_2"]}

    (
        playbook.asks(Attempt(step="tell", number=1))
        .told(event)
        .asks(Conclude(step="tell", status="ok", attempts=1, output=output))
        .ended("tell", output=output)
        .asks(Attempt(step="ship", number=1))
    )


def test_an_event_of_another_run_changes_nothing() -> None:
    playbook = Playbook({"steps": [{"id": "tell", "emit": "order.paid"}]})
    other = Playbook({"steps": [{"id": "tell", "emit": "order.paid"}]})
    event = emitted_by(other, "tell")
    foreign = emitted_by(playbook, "tell").event
    strange = StoredCause(event="evt_x", run="run_x", step="tell")
    fields: dict[str, Any] = {name: getattr(foreign, name) for name in foreign.__dataclass_fields__}

    playbook.told(
        EventAccepted(at=event.at, revision="r1", event=StoredEvent(**{**fields, "cause": strange}), origin=None)
    )

    playbook.asks(Attempt(step="tell", number=1))


def test_the_end_of_a_run_is_announced_once() -> None:
    playbook = Playbook({"steps": [{"id": "a", "set": {"x": 1}}]}).ended("a", output={"x": 1})
    assert playbook.run.announced is None

    playbook.told(emitted_by(playbook, None, kind="workflow.deploy.succeeded"))

    assert playbook.refolded().announced == "succeeded"
    playbook.ends("succeeded")


def test_variables_come_from_the_log() -> None:
    playbook = Playbook({"steps": [{"id": "a", "set": {"x": 1}}, {"id": "b", "set": {"x": 2, "y": 3}}]})

    playbook.ended("a", output={"x": 1}).ended("b", output={"x": 2, "y": 3})

    assert playbook.refolded().variables == {"x": 2, "y": 3}


def test_the_deadline_counts_from_the_start_of_the_run_and_again_from_the_start_of_the_cleanup() -> None:
    (
        Playbook(CLEANED)
        .due(600)
        .passes(100)
        .began("build")
        .ended("build", "failed")
        .asks(Attempt(step="alert", number=1))
        .due(700)
        .passes(50)
        .ended("alert")
        .ended("undo")
        .asks(Attempt(step="report", number=1))
        .due(700)
    )


def test_a_passed_deadline_ends_the_steps_as_timed_out_and_cleans_up() -> None:
    (
        Playbook(CLEANED)
        .began("build")
        .passes(600)
        .ended("build", "cancelled", error="too late", detail={"reason": "deadline"})
        .asks(Attempt(step="alert", number=1))
        .due(1200)
        .ended("alert")
        .ended("undo")
        .ended("report")
        .ends("timed_out", step="build", error="too late")
    )


def test_a_run_replaced_by_a_newer_one_is_cancelled_and_only_finally_is_done() -> None:
    (
        Playbook(CLEANED)
        .began("build")
        .ended("build", "cancelled", error="newer", detail={"reason": "restart"})
        .does("report")
        .ends("cancelled", step="build", error="newer")
    )


def test_a_deadline_that_passes_during_the_cleanup_ends_the_run_with_the_status_it_had() -> None:
    (
        Playbook(CLEANED)
        .began("build")
        .ended("build", "failed", error="broken")
        .began("alert")
        .ended("alert", "cancelled", detail={"reason": "deadline"})
        .ends("failed", step="build", error="broken")
    )


def test_nothing_follows_the_end() -> None:
    playbook = Playbook(TWO).does("build").does("ship").ends("succeeded")

    assert decide(playbook.refolded()) is None


# --- the law: whatever happens and wherever it crashes, a run ends once, and a program starts at most once

STEPS: dict[str, dict[str, Any]] = {
    "run": {"run": ["x"]},
    "send": {"send": "x"},
    "post": {"http": "POST https://x.example/"},
    "get": {"http": "GET https://x.example/"},
    "sleep": {"sleep": "1s"},
    "lax": {"run": ["x"], "on_error": "continue"},
}
NOT_TWICE = {"run", "post", "lax"}


@st.composite
def workflows(draw: st.DrawFn) -> dict[str, Any]:
    kinds = st.lists(st.sampled_from(sorted(STEPS)), max_size=3)

    def some(prefix: str, minimum: int = 0) -> list[dict[str, Any]]:
        chosen = draw(kinds.filter(lambda items: len(items) >= minimum))
        return [{"id": f"{prefix}{place}_{kind}", **STEPS[kind]} for place, kind in enumerate(chosen)]

    return {"steps": some("s", 1), "on_failure": some("f"), "finally": some("z")}


OUTCOMES = ("ok", "ok", "ok", "failed", "cancelled", "crash", "crash")


@given(document=workflows(), data=st.data())
def test_every_run_ends_once_and_no_program_starts_twice_wherever_it_crashes(
    document: dict[str, Any], data: st.DataObject
) -> None:
    playbook = Playbook(document)
    while (command := decide(playbook.refolded())) is not None:
        playbook.asks(command)
        obey(playbook, command, data.draw(st.sampled_from(OUTCOMES)))
        assert len(playbook.records) < 500

    ends = [record for record in playbook.records if isinstance(record, RunEnded)]
    starts = Counter(record.step for record in playbook.records if isinstance(record, StepStarted))
    assert len(ends) == 1
    assert all(count == 1 for step, count in starts.items() if step.partition("_")[2] in NOT_TWICE)


def obey(playbook: Playbook, command: Command, outcome: str) -> None:
    match command:
        case Finish(status=status):
            playbook.ends(status)
        case Conclude(step=step, status=result):
            playbook.ended(step, result)
        case Rest(step=step):
            playbook.ended(step)
        case Attempt(step=step, number=number):
            playbook.began(step, number, wake_in=1.0 if step.endswith("sleep") else None)
            end(playbook, step, outcome)


def end(playbook: Playbook, step: str, outcome: str) -> None:
    """Let a step that began end; after a crash nothing is known of it."""
    match outcome:
        case "ok":
            playbook.ended(step)
        case "failed":
            playbook.ended(step, "failed", error="x")
        case "cancelled":
            playbook.ended(step, "cancelled", detail={"reason": "deadline"})
