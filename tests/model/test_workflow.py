from __future__ import annotations

import pytest
from pydantic import ValidationError

from hooksd.model.workflow import Workflow, step_key

WHOLE = {
    "on": "order.paid",
    "steps": [{"set": {"a": 1}}, {"id": "last", "emit": "order.done"}],
    "on_failure": [{"fail": "twice"}],
    "finally": [{"set": {"b": 2}}],
}


def test_one_event_type_may_stand_without_a_list() -> None:
    assert Workflow.model_validate(WHOLE).on == ("order.paid",)


def test_steps_are_walked_list_by_list_in_order() -> None:
    walked = [(phase, index) for phase, index, _ in Workflow.model_validate(WHOLE).all_steps()]

    assert walked == [("steps", 0), ("steps", 1), ("on_failure", 0), ("finally", 0)]


def test_a_step_without_an_id_is_known_by_its_place() -> None:
    assert step_key("steps", 0, None) == "steps[0]"
    assert step_key("finally", 2, "tidy") == "tidy"


@pytest.mark.parametrize("missing", ["on", "steps"])
def test_a_workflow_needs_something_that_starts_it_and_something_to_do(missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        Workflow.model_validate({key: value for key, value in WHOLE.items() if key != missing})


@pytest.mark.parametrize("steps", [[], None, "true"])
def test_steps_are_a_list_with_something_in_it(steps: object) -> None:
    with pytest.raises(ValidationError):
        Workflow.model_validate({**WHOLE, "steps": steps})
