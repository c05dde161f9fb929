from __future__ import annotations

from typing import Any

import pytest

from hooksd.engine.definitions import DefinitionStore
from hooksd.engine.recovery import Lost, recovered
from hooksd.engine.run import Run
from hooksd.journal.replay import unfinished
from hooksd.model.effect import Performed
from hooksd.testing import RecordingPerformer
from tests.engine.bench import Bench

SLEEPING: dict[str, Any] = {"steps": [{"id": "a", "run": ["a"]}, {"sleep": "1h"}]}


def taken_up(bench: Bench) -> tuple[tuple[Run, ...], tuple[Lost, ...]]:
    journal = bench.journal
    return recovered(
        unfinished(journal.read()),
        definitions=DefinitionStore(journal),
        snapshot=bench.snapshot,
        blob=journal.blob,
    )


async def test_runs_come_back_as_they_were_in_the_order_of_their_events() -> None:
    performer = RecordingPerformer(Performed(ok=True, output="made"))
    async with Bench({"w": SLEEPING}, performer=performer).running() as bench:
        first = await bench.happens({"n": 1})
        second = await bench.happens({"n": 2})

    runs, lost = taken_up(bench)

    assert lost == ()
    assert [run.id for run in runs] == [first.runs[0].id, second.runs[0].id]
    assert runs[0].event.data == {"n": 1}
    assert runs[0].results["a"].output == "made"
    assert runs[0].progress is not None
    assert runs[0].progress.wake_at == bench.clock.now() + 3600


async def test_an_output_kept_beside_the_log_comes_back_whole() -> None:
    performer = RecordingPerformer(Performed(ok=True, output="x" * 100_000))
    async with Bench({"w": SLEEPING}, performer=performer).running() as bench:
        await bench.happens()

    (run,) = taken_up(bench)[0]

    assert run.results["a"].output == "x" * 100_000


async def test_a_large_body_comes_back_whole() -> None:
    async with Bench({"w": SLEEPING}).running() as bench:
        await bench.happens({"text": "x" * 100_000})

    (run,) = taken_up(bench)[0]

    assert run.event.data == {"text": "x" * 100_000}


@pytest.mark.parametrize("what", ["definition", "body"])
async def test_a_run_that_misses_something_is_lost_and_the_others_are_not(what: str) -> None:
    async with Bench({"w": SLEEPING}).running() as bench:
        await bench.happens({"text": "x" * 100_000})
        bench.define({"w": {**SLEEPING, "deadline": "2h"}})
        await bench.happens({"n": 2})
    plan = bench.journal.records[0]
    blobs = {"definition": getattr(plan, "runs")[0].definition, "body": getattr(plan, "event").body.content}  # noqa: B009
    del bench.journal.blobs[blobs[what]]

    runs, (lost,) = taken_up(bench)

    assert [run.event.data for run in runs] == [{"n": 2}]
    assert "cannot go on after the restart" in lost.reason
