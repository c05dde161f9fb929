from __future__ import annotations

from typing import Any

import pytest

from hooksd.model.event import MAX_HOP
from hooksd.model.record import EventAccepted, RunEnded
from hooksd.model.trust import Trust
from hooksd.telemetry.observer import Observer
from tests.engine.bench import Bench

QUIET: dict[str, Any] = {"on": "workflow.*", "run_as": None, "steps": [{"set": {"a": 1}}]}


async def test_the_news_of_an_end_has_the_trust_of_what_began_it() -> None:
    workflows = {
        "w": {"on": "test.*", "run_as": None, "steps": [{"set": {"a": 1}}]},
        "q": {**QUIET, "on": "workflow.w.*"},
    }
    async with Bench(workflows).running() as bench:
        await bench.happens(trust=Trust.ANONYMOUS)

        news = bench.records(EventAccepted)[1].event
        assert (news.type, news.trust, news.hop) == ("workflow.w.succeeded", "anonymous", 1)
        assert news.cause is not None
        assert news.cause.step is None


async def test_a_workflow_that_hears_of_its_own_end_stops_after_so_many() -> None:
    async with Bench({"w": {**QUIET, "on": ["test.*", "workflow.w.*"]}}).running() as bench:
        await bench.happens()
        for _ in range(20):
            await bench.clock.settle()

        assert len(bench.records(EventAccepted)) == MAX_HOP + 1
        assert bench.engine.unfinished == 0


@pytest.mark.parametrize("on_busy", ["skip", "latest"])
async def test_runs_that_never_began_are_news_too(on_busy: str) -> None:
    busy = {"concurrency": "k", "on_busy": on_busy, "steps": [{"run": ["x"]}]}
    kinds = {"skip": "workflow.w.skipped", "latest": "workflow.w.superseded"}
    async with Bench({"w": busy, "q": {**QUIET, "on": kinds[on_busy]}}).running() as bench:
        bench.performer.hold()
        for _ in range(3):
            await bench.happens()

        assert kinds[on_busy] in [record.event.type for record in bench.records(EventAccepted)]


async def test_an_end_that_was_told_stays_true_after_a_crash_before_it_was_written_down() -> None:
    workflows = {
        "w": {"concurrency": "k", "on_busy": "skip", "steps": [{"run": ["x"]}]},
        "q": {**QUIET, "on": "workflow.w.skipped"},
    }
    async with Bench(workflows).running() as bench:
        bench.performer.hold()
        await bench.happens()
        skipped = await bench.happens()
    news = next(place for place, record in enumerate(bench.journal.records) if "skipped" in str(record))
    del bench.journal.records[news + 1 :]

    async with bench.reborn(workflows).running(recover=True) as again:
        await again.clock.settle()

        ends = {ended.run: ended.status for ended in again.records(RunEnded)}
        assert ends[skipped.runs[0].id] == "skipped"
        assert [record.event.type for record in again.records(EventAccepted)].count("workflow.w.skipped") == 1


async def test_an_end_says_where_its_workflow_stands() -> None:
    async with Bench({"w": {"steps": [{"set": {"a": 1}}]}}).running() as bench:
        accepted = await bench.happens()

        (ended,) = bench.records(RunEnded)
        assert ended.origin == accepted.runs[0].origin
        assert ended.revision == bench.snapshot.revision.id


async def test_ends_are_counted() -> None:
    async with Bench({"w": {"steps": [{"set": {"a": 1}}]}}).running() as bench:
        await bench.happens()

        rendered = bench.observer.metrics.render().decode()
        assert 'workflow="w"' in rendered


class Talkative(Observer):
    """An observer of which somebody wants every line."""

    def __init__(self) -> None:
        super().__init__()
        self.is_verbose = True


async def test_what_is_only_counted_is_counted_as_what_is_told() -> None:
    workflows = {
        "ok": {"steps": [{"set": {"a": 1}}, {"if": "false", "fail": "no"}]},
        "bad": {"steps": [{"fail": "no"}], "finally": [{"set": {"b": 1}}]},
    }
    counted = []
    for kind in (Observer, Talkative):
        bench = Bench(workflows, observer=kind())
        async with bench.running():
            await bench.happens()
        lines = bench.observer.metrics.render().decode().splitlines()
        counted.append([line for line in lines if line.startswith(("hooksd_run", "hooksd_step"))])
    assert counted[0] == counted[1]
    assert 'hooksd_runs_total{status="failed",workflow="bad"} 1.0' in counted[0]
    assert 'hooksd_steps_total{status="skipped",verb="fail"} 1.0' in counted[0]
