from __future__ import annotations

from tests.engine.bench import Bench


def test_records_are_written_with_the_time_of_the_clock() -> None:
    bench = Bench({})

    assert bench.engine._crowd._world.at() == "2026-11-22T12:00:00.000Z"
