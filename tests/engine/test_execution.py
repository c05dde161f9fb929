from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from hooksd.engine.world import PROGRAMS
from hooksd.errors import JournalFull
from hooksd.model.effect import Effect, Performed
from hooksd.model.record import EventAccepted, RunEnded, StepEnded, StepRetried, StepStarted
from hooksd.testing import RecordingPerformer
from tests.engine.bench import Bench


def explode(effect: Effect) -> Performed:
    raise OSError(f"no more processes for {type(effect).__name__}")


async def test_an_adapter_that_raises_fails_the_step_and_not_the_engine() -> None:
    performer = RecordingPerformer(explode)
    async with Bench({"w": {"steps": [{"id": "a", "run": ["a"]}]}}, performer=performer).running() as bench:
        await bench.happens()
        await bench.happens()

        first, second = bench.records(RunEnded)
        assert (first.status, second.status) == ("failed", "succeeded")
        assert "OSError: no more processes" in str(first.error)


async def test_an_outcome_that_is_not_json_fails_the_step() -> None:
    performer = RecordingPerformer(Performed(ok=True, output=2**80))
    async with Bench({"w": {"steps": [{"run": ["a"]}]}}, performer=performer).running() as bench:
        await bench.happens()

        assert "not JSON" in str(bench.records(RunEnded)[0].error)


async def test_a_body_nested_beyond_reason_fails_the_step_and_not_the_engine() -> None:
    nested: Any = 1
    for _ in range(200):
        nested = [nested]
    async with Bench({"w": {"steps": [{"run": ["a"], "env": {"A": "{{ body | tojson }}"}}]}}).running() as bench:
        await bench.happens([[[[nested]]]])

        assert bench.engine.unfinished == 0


async def test_a_detail_that_the_log_cannot_hold_ends_that_run_only() -> None:
    performer = RecordingPerformer(Performed(ok=True, detail={"odd": object()}))
    async with Bench({"w": {"steps": [{"run": ["a"]}]}}, performer=performer).running() as bench:
        await bench.happens()
        await bench.happens()

        assert [ended.status for ended in bench.records(RunEnded)] == ["failed", "succeeded"]
        assert bench.engine.unfinished == 0


async def test_what_a_run_did_is_in_the_log_before_the_events_it_leads_to() -> None:
    workflows = {
        "w": {"steps": [{"id": "first", "set": {"a": 1}}, {"id": "tell", "emit": "order.paid"}]},
        "q": {"on": "workflow.w.*", "steps": [{"set": {"b": 1}}]},
    }
    async with Bench(workflows).running() as bench:
        accepted = await bench.happens()

        story = [record for record in bench.journal.records if getattr(record, "workflow", "w") == "w"]
        told = [
            getattr(record, "step", record.type)
            for record in story
            if isinstance(record, EventAccepted) or getattr(record, "run", None) == accepted.runs[0].id
        ]
        assert told == [
            "event.accepted", "run.started", "first", "event.accepted", "tell", "event.accepted", None
        ]  # fmt: skip


async def test_a_caller_is_answered_when_the_answer_is_in_the_log() -> None:
    document = {"steps": [{"run": ["a"]}, {"respond": "done"}]}
    async with Bench({"w": document}).running() as bench, asyncio.TaskGroup() as tasks:
        bench.performer.hold()
        accepted = await bench.happens()
        caller = tasks.create_task(bench.engine.response(accepted.event, 60))
        await bench.clock.settle()
        bench.journal.fail_with(JournalFull("no room"))
        bench.performer.release()
        await bench.clock.advance(1)
        assert not caller.done()
        bench.journal.fail_with(None)
        await bench.clock.advance(5)

        response = await caller
        assert response is not None
        assert response.body == "done"


async def test_what_succeeds_is_not_done_again() -> None:
    async with Bench({"w": {"steps": [{"run": ["a"], "retry": {"max": 3, "delay": "1s"}}]}}).running() as bench:
        await bench.happens()
        await bench.clock.advance(60)

        assert len(bench.performer.effects) == 1


async def test_a_delivery_that_was_given_up_is_not_tried_again_by_the_step() -> None:
    performer = RecordingPerformer(Performed(ok=False, kind="exhausted", error="given up"))
    document = {"steps": [{"send": "shop", "retry": {"max": 3, "delay": "1s"}}]}
    async with Bench(
        {"w": document}, performer=performer, endpoints={"shop": {"url": "https://a.example"}}
    ).running() as bench:
        await bench.happens()
        await bench.clock.advance(60)

        assert len(bench.performer.effects) == 1
        assert bench.records(RunEnded)[0].status == "failed"


async def test_no_step_begins_after_the_deadline() -> None:
    document = {"deadline": "10s", "steps": [{"run": ["a"]}, {"sleep": "1s"}, {"run": ["b"]}]}
    async with Bench({"w": document}).running() as bench:
        bench.performer.hold()
        await bench.happens()
        bench.journal.fail_with(JournalFull("no room"))
        bench.performer.release()
        await bench.clock.advance(20)
        bench.journal.fail_with(None)
        await bench.clock.advance(10)

        assert len(bench.performer.effects) == 1
        assert bench.records(RunEnded)[0].status == "timed_out"


async def test_attempts_count_what_was_tried() -> None:
    document = {
        "steps": [
            {"run": ["{{ body.nix }}"], "on_error": "continue"},
            {"run": ["a"], "on_error": "continue"},
            {"fail": "no"},
        ]
    }
    async with Bench({"w": document}).running() as bench:
        await bench.happens({})

        assert [ended.attempts for ended in bench.records(StepEnded)] == [0, 1, 1]


async def test_the_time_of_an_attempt_is_measured() -> None:
    performer = RecordingPerformer()
    performer.hold()
    async with Bench({"w": {"steps": [{"run": ["a"]}]}}, performer=performer).running() as bench:
        await bench.happens()
        await bench.clock.advance(1.5)
        performer.release()
        await bench.clock.settle()

        assert bench.records(StepEnded)[0].ms == 1500
        assert bench.records(RunEnded)[0].ms == 1500


async def test_a_program_that_waits_for_its_turn_keeps_its_time_and_only_the_deadline_cuts_it_off() -> None:
    performer = RecordingPerformer()
    performer.hold()
    document = {"deadline": "1m", "steps": [{"run": ["a"], "timeout": "5s"}]}
    async with Bench({"w": document}, performer=performer).running() as bench:
        await bench.happens()
        await bench.clock.advance(59)
        assert performer.cancelled == []

        await bench.clock.advance(1)

        assert len(performer.cancelled) == 1
        assert bench.records(RunEnded)[0].status == "timed_out"


@pytest.mark.parametrize(("asked", "waited"), [(0.0, 1), (0.5, 1), (4.0, 4), (3600.0, 10)])
async def test_a_receiver_that_asks_for_time_gets_it_up_to_the_longest_wait_of_the_rule(
    asked: float, waited: int
) -> None:
    busy = Performed(ok=True, code=429, patience=asked)
    step = {"http": "GET https://a.example/", "retry": {"max": 2, "delay": "1s", "max_delay": "10s"}}
    async with Bench({"w": {"steps": [step]}}, performer=RecordingPerformer(busy)).running() as bench:
        await bench.happens()
        await bench.clock.advance(waited - 0.5)
        assert len(bench.performer.effects) == 1
        await bench.clock.advance(0.5)
        assert len(bench.performer.effects) == 2

    (ended,) = bench.records(RunEnded)
    assert ended.status == "failed"


async def test_every_record_of_a_step_names_its_workflow() -> None:
    failed = Performed(ok=False, error="no")
    step = {"run": ["a"], "retry": {"max": 2, "delay": "1s"}}
    async with Bench({"w": {"steps": [step]}}, performer=RecordingPerformer(failed)).running() as bench:
        await bench.happens()
        await bench.clock.advance(1)

    kinds: tuple[type[StepStarted | StepRetried | StepEnded], ...] = (StepStarted, StepRetried, StepEnded)
    named = [record.workflow for kind in kinds for record in bench.records(kind)]
    assert named == ["w"] * 4


async def test_a_retry_that_would_come_after_the_deadline_ends_the_run_at_the_deadline() -> None:
    step = {"run": ["a"], "retry": {"max": 2, "delay": "1m"}}
    performer = RecordingPerformer(Performed(ok=False, error="no"))
    async with Bench({"w": {"steps": [step], "deadline": "10s"}}, performer=performer).running() as bench:
        await bench.happens()
        await bench.clock.advance(10)

        assert bench.records(RunEnded)[0].status == "timed_out"
        assert bench.records(RunEnded)[0].ms == 10_000
        assert bench.records(StepEnded)[0].attempts == 1


async def test_a_run_replaced_while_it_sleeps_wakes_up_and_goes() -> None:
    document = {"concurrency": "k", "on_busy": "restart", "steps": [{"sleep": "1h"}]}
    async with Bench({"w": document}).running() as bench:
        await bench.happens()
        newer = await bench.happens()

        (ended,) = bench.records(RunEnded)
        assert ended.status == "cancelled"
        assert newer.runs[0].id in str(ended.error)


async def test_a_run_replaced_while_it_cleans_up_finishes_cleaning_up() -> None:
    performer = RecordingPerformer()
    document = {
        "concurrency": "k",
        "on_busy": "restart",
        "steps": [{"set": {"a": 1}}],
        "finally": [{"run": ["clean"], "timeout": "5s"}],
    }
    async with Bench({"w": document}, performer=performer).running() as bench:
        performer.hold()
        await bench.happens()
        await bench.happens()
        assert performer.cancelled == []
        performer.release()
        await bench.clock.settle()

        assert [ended.status for ended in bench.records(RunEnded)] == ["succeeded", "succeeded"]


@pytest.mark.parametrize("error", ["x" * 10_000])
async def test_errors_are_cut_to_what_people_read(error: str) -> None:
    performer = RecordingPerformer(Performed(ok=False, error=error))
    async with Bench({"w": {"steps": [{"run": ["a"]}]}}, performer=performer).running() as bench:
        await bench.happens()

        assert len(str(bench.records(RunEnded)[0].error)) == 2000


async def test_an_error_that_is_not_utf8_ends_the_run_all_the_same() -> None:
    performer = RecordingPerformer(Performed(ok=False, error="bad \udcff byte"))
    async with Bench({"w": {"steps": [{"run": ["a"]}]}}, performer=performer).running() as bench:
        await bench.happens()

        assert bench.records(RunEnded)[0].status == "failed"


async def test_a_run_that_waits_for_a_place_for_its_program_has_not_begun_its_step() -> None:
    workflows = {"w": {"steps": [{"run": ["a"]}]}}
    async with Bench(workflows).running() as bench:
        bench.performer.hold()
        for _ in range(PROGRAMS + 3):
            await bench.happens()

        assert len(bench.performer.effects) == PROGRAMS
        assert len(bench.records(StepStarted)) == PROGRAMS

    async with bench.reborn(workflows).running(recover=True) as again:
        await again.clock.settle()

    assert len(again.performer.effects) == 3, "those that were under way are interrupted, those that waited are not"
    statuses = Counter(ended.status for ended in again.records(StepEnded))
    assert statuses == {"interrupted": PROGRAMS, "ok": 3}


async def test_a_place_goes_to_the_next_when_a_program_has_ended() -> None:
    async with Bench({"w": {"steps": [{"run": ["a"]}]}}).running() as bench:
        bench.performer.hold()
        for _ in range(PROGRAMS + 3):
            await bench.happens()
        bench.performer.release()
        await bench.clock.settle()

    assert [ended.status for ended in bench.records(RunEnded)] == ["succeeded"] * (PROGRAMS + 3)


async def test_a_run_that_waits_for_a_place_ends_at_its_deadline() -> None:
    long = {"on": "test.happened", "steps": [{"run": ["a"]}]}
    short = {"on": "other.happened", "deadline": "1m", "steps": [{"run": ["b"]}]}
    async with Bench({"long": long, "short": short}).running() as bench:
        bench.performer.hold()
        for _ in range(PROGRAMS):
            await bench.happens()
        await bench.happens(kind="other.happened")
        await bench.clock.advance(60)

    (ended,) = bench.records(RunEnded)
    (step,) = bench.records(StepEnded)
    assert (ended.workflow, ended.status) == ("short", "timed_out")
    assert (step.status, step.attempts) == ("cancelled", 0)


async def test_a_stop_does_not_wait_for_runs_that_wait_for_a_place() -> None:
    async with Bench({"w": {"steps": [{"run": ["a"]}]}}).running() as bench:
        bench.performer.hold()
        for _ in range(PROGRAMS + 1):
            await bench.happens()
        assert bench.engine.running == PROGRAMS + 1
        async with asyncio.TaskGroup() as tasks:
            stop = tasks.create_task(bench.engine.drain(10))
            await bench.clock.settle()
            assert bench.engine.running == PROGRAMS
            await bench.clock.advance(10)
            await stop


async def test_who_waited_for_a_place_is_judged_by_the_roles_of_now() -> None:
    async with Bench({"w": {"steps": [{"run": ["a"]}]}}).running() as bench:
        bench.performer.hold()
        for _ in range(PROGRAMS + 1):
            await bench.happens()
        bench.define({"w": {"steps": [{"run": ["a"]}]}}, roles={"deployer": {"allow": ["run:b"]}})
        bench.performer.release()
        await bench.clock.settle()

    *others, last = bench.records(StepEnded)
    assert {other.status for other in others} == {"ok"}
    assert (last.status, last.attempts) == ("failed", 0)
    assert len(bench.performer.effects) == PROGRAMS
