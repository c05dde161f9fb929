from __future__ import annotations

from hooksd.engine.run import Result
from tests.engine.steps.occasions import run_at


def test_a_run_stands_at_a_step_until_nothing_is_left() -> None:
    run = run_at({"id": "a", "run": ["x"]})

    assert run.step is not None
    assert run.step.key == "a"
    assert run._replace(phase=None).step is None
    assert run.id == run.plan.id


def test_only_what_ran_and_succeeded_is_ok() -> None:
    assert Result(status="ok").ok
    assert not Result(status="skipped").ok
    assert not Result(status="interrupted").ok
