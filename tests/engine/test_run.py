from __future__ import annotations

import pytest
from msgspec.structs import replace

from hooksd.clock import rfc3339
from hooksd.engine.run import Planned
from hooksd.expr.event import event_json
from hooksd.model import body
from hooksd.model.arrival import Arrival
from hooksd.model.ids import EventId
from hooksd.model.trust import Trust
from hooksd.testing import NOON
from tests.engine.steps.occasions import run_at


def test_a_run_stands_at_a_step_until_nothing_is_left() -> None:
    run = run_at({"id": "a", "run": ["x"]})

    assert run.step is not None
    assert run.step.key == "a"
    assert replace(run, phase=None).step is None
    assert run.id == run.plan.id


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

    assert begun[0] == begun[1] == replace(begun[2], event=arrival)
    assert begun[0].event.data == arrival.data
    assert event_json(begun[0].event) == event_json(begun[2].event)
    assert (begun[0].id, begun[0].accepted_at) == (run.plan.id, NOON)
