from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hooksd.engine import crowd
from hooksd.engine.world import PROGRAMS
from hooksd.errors import JournalBroken, JournalFull
from hooksd.model.arrival import Arrival
from hooksd.model.body import Document
from hooksd.model.event import Event
from hooksd.model.record import EventAccepted, Origin, RunEnded, RunStarted
from tests.engine.bench import Bench

ORIGIN = Origin(file="w.toml", line=1)
SKIPPING: dict[str, Any] = {"concurrency": "k", "on_busy": "skip", "steps": [{"run": ["x"]}]}


async def test_a_skipped_run_says_which_one_was_in_its_way() -> None:
    async with Bench({"w": SKIPPING}).running() as bench:
        bench.performer.hold()
        first = await bench.happens()
        second = await bench.happens()

        (ended,) = bench.records(RunEnded)
        assert (ended.run, ended.status) == (second.runs[0].id, "skipped")
        assert first.runs[0].id in str(ended.error)
        assert [started.run for started in bench.records(RunStarted)] == [first.runs[0].id]


async def test_a_run_that_ends_while_another_is_being_skipped_leaves_nothing_behind() -> None:
    async with Bench({"w": SKIPPING}).running() as bench:
        bench.performer.hold()
        await bench.happens()
        await bench.engine.accept(bench.event(), origin=None)
        bench.performer.release()
        await bench.clock.settle()

        assert bench.engine.unfinished == 0
        assert bench.engine._crowd._groups == {}


async def test_a_reload_changes_the_rules_for_those_who_wait() -> None:
    document = {**SKIPPING, "on_busy": "queue"}
    async with Bench({"w": document}).running() as bench:
        bench.performer.hold()
        for _ in range(3):
            await bench.happens()
        assert len(bench.performer.effects) == 1
        bench.define({"w": {**document, "max_running": 3}})
        await bench.happens()

        assert len(bench.performer.effects) == 3


async def test_stopping_before_a_run_had_its_first_turn_leaves_it_for_the_next_start() -> None:
    workflows = {"w": {"steps": [{"run": ["x"]}]}}
    async with Bench(workflows).running() as bench, asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.engine.accept(bench.event(), origin=None))
        await asyncio.sleep(0)  # the event is on its way to the log
        await bench.engine.drain(10)
        await bench.clock.settle()
        assert bench.records(EventAccepted)
        assert bench.performer.effects == []

    async with bench.reborn(workflows).running(recover=True) as again:
        await again.clock.settle()
        assert len(again.performer.effects) == 1


async def test_runs_that_only_waited_begin_after_a_restart() -> None:
    workflows = {"w": {**SKIPPING, "on_busy": "queue"}}
    async with Bench(workflows).running() as bench:
        await bench.engine.drain(10)
        for _ in range(2):
            await bench.happens()
        assert bench.performer.effects == []

    async with bench.reborn(workflows).running(recover=True) as again:
        await again.clock.settle()
        assert [ended.status for ended in again.records(RunEnded)] == ["succeeded", "succeeded"]


async def test_a_run_that_came_back_can_be_replaced_by_a_newer_one() -> None:
    workflows = {"w": {"concurrency": "k", "on_busy": "restart", "steps": [{"sleep": "1h"}]}}
    async with Bench(workflows).running() as bench:
        await bench.happens()

    async with bench.reborn(workflows).running(recover=True) as again:
        await again.happens()

        assert [ended.status for ended in again.records(RunEnded)] == ["cancelled"]


async def test_draining_gives_a_step_its_time_that_comes_after_a_wait() -> None:
    async with Bench({"w": {"steps": [{"sleep": "1s"}, {"run": ["x"]}]}}).running() as bench:
        bench.performer.hold()
        await bench.happens()
        await bench.clock.advance(1)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bench.engine.drain(10))
            await bench.clock.advance(5)
            assert bench.performer.cancelled == []
            bench.performer.release()


async def test_one_task_carries_out_run_after_run() -> None:
    async with Bench({"w": {"steps": [{"run": ["x"]}]}}).running() as bench:
        for _ in range(3):
            await bench.happens()

        assert len(bench.records(RunEnded)) == 3
        assert [task.get_name() for task in asyncio.all_tasks()].count("runs") == 1


async def test_tasks_without_anything_to_do_end_when_they_are_many() -> None:
    async with Bench({"w": {"steps": [{"run": ["x"]}]}}).running() as bench:
        bench.performer.hold()
        for _ in range(crowd.SPARE + 10):
            await bench.engine.accept(bench.event(), origin=None)
        while len(bench.performer.effects) < PROGRAMS:
            await bench.clock.settle()
        bench.performer.release()
        while bench.engine.unfinished:
            await bench.clock.settle()

        assert [task.get_name() for task in asyncio.all_tasks()].count("runs") == crowd.SPARE


async def test_the_end_of_a_run_that_is_refused_is_written_as_soon_as_there_is_room() -> None:
    async with Bench({"w": SKIPPING}).running() as bench:
        bench.performer.hold()
        await bench.happens()
        await bench.happens()
        (skipped,) = bench.records(RunEnded)
        bench.journal.fail_with(JournalFull("no room"))
        bench.performer.release()
        await bench.clock.settle()
        assert bench.records(RunEnded) == [skipped]
        assert bench.engine.unfinished == 1

        bench.journal.fail_with(None)
        await bench.clock.advance(10)

        assert [ended.status for ended in bench.records(RunEnded)] == ["skipped", "succeeded"]
        assert bench.engine.unfinished == 0
        await bench.happens()
        assert len(bench.records(RunEnded)) == 3, "its place is free again"


async def test_when_the_end_of_a_run_cannot_be_written_any_more_the_engine_ends() -> None:
    bench = Bench({"w": {"steps": [{"set": {"a": 1}}]}})

    async def breaks() -> None:
        async with bench.running():
            await bench.happens()
            await bench.engine.accept(bench.event(), origin=None)
            bench.journal.fail_with(JournalBroken("gone"))
            await bench.clock.settle()

    with pytest.raises(ExceptionGroup) as ended:
        await breaks()

    assert ended.group_contains(JournalBroken)
    assert len(bench.records(RunEnded)) == 1


async def test_when_too_many_runs_wait_events_that_start_more_are_refused_until_some_have_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crowd, "ROOM", 3 * crowd.RUN_WEIGHT)
    async with Bench({"w": {"on": "test.happened", "steps": [{"run": ["x"]}]}}).running() as bench:
        bench.performer.hold()
        for _ in range(3):
            await bench.happens()
        with pytest.raises(JournalFull, match="too many runs"):
            await bench.happens()
        refused = bench.engine.take(arrival(bench.event()), origin=ORIGIN)
        assert refused is not None
        with pytest.raises(JournalFull, match="too many runs"):
            await refused.durable
        await bench.happens(kind="test.of-no-interest")
        assert len(bench.records(EventAccepted)) == 4, "what starts no run needs no room"

        bench.performer.release()
        await bench.clock.settle()
        await bench.happens()

    assert len(bench.records(EventAccepted)) == 5


def arrival(event: Event) -> Arrival:
    return Arrival(
        id=event.id,
        type=event.type,
        subject=None,
        time=event.time,
        trust=event.trust,
        webhook="w",
        delivery_id=None,
        headers={},
        query={},
        document=Document(event.media, event.raw, event.data),
    )
