from __future__ import annotations

import pytest

from hooksd.clock import rfc3339
from hooksd.engine.run import Emitted, Planned, Progress, Verdict
from hooksd.expr.event import event_json
from hooksd.model import body
from hooksd.model.arrival import Arrival
from hooksd.model.ids import EventId
from hooksd.model.trust import Trust
from hooksd.testing import NOON
from tests.engine.steps.occasions import ended, run_at


def test_a_run_stands_at_a_step_until_nothing_is_left() -> None:
    run = run_at({"id": "a", "run": ["x"]})

    assert run.step is not None
    assert run.step.key == "a"
    assert run._replace(phase=None).step is None
    assert run.id == run.plan.id


def test_a_run_that_starts_works_and_ends_is_what_replacing_values_by_their_names_makes_of_it() -> None:
    run = run_at({"run": ["x"]})._replace(
        position=1, cleanup_at=5.0, progress=Progress(attempt=1), variables={"v": 1}, announced="failed"
    )
    progress = Progress(attempt=2)

    assert run.started(7.0) == run._replace(started_at=7.0)
    assert run.at_work(progress) == run._replace(progress=progress)
    assert run.over("failed") == run._replace(phase=None, progress=None, ended="failed")


def test_a_run_after_a_step_is_what_replacing_each_value_by_its_name_makes_of_it() -> None:
    run = run_at({"run": ["x"]})._replace(progress=Progress(attempt=2), emitted={"a": Emitted(event="e", runs=())})
    results, verdict = {"a": ended("a", "failed")}, Verdict(status="failed", step="a")

    after = run.after_step("finally", 3, cleanup_at=5.0, results=results, variables={"v": 1}, verdict=verdict)

    assert after == run._replace(
        progress=None,
        phase="finally",
        position=3,
        cleanup_at=5.0,
        results=results,
        variables={"v": 1},
        verdict=verdict,
    )


@pytest.mark.parametrize("raw", [b'{"a": [1, 2]}', b"null", b"", b'"text"'])
def test_a_run_is_the_same_whether_its_event_was_kept_whole_or_light(raw: bytes) -> None:
    run = run_at({"run": ["x"]})
    arrival = Arrival(
        id=EventId("evt_1"),
        type="push",
        subject=None,
        time=rfc3339(NOON),
        trust=Trust.SIGNED,
        webhook="w",
        delivery_id=None,
        headers={},
        query={},
        document=body.read("application/json", raw),
    )

    begun = [
        Planned(run.plan, run.workflow, event, "r1", rfc3339(NOON)).begun()
        for event in (arrival, arrival.light(), arrival.event())
    ]

    assert begun[0] == begun[1] == begun[2]._replace(event=arrival)
    assert begun[0].event.data == arrival.data
    assert event_json(begun[0].event) == event_json(begun[2].event)
    assert (begun[0].id, begun[0].accepted_at) == (run.plan.id, NOON)
