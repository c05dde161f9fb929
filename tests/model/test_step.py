from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from hooksd.model.step import STEP_MODELS, HttpStep, RunStep, ShellStep, Step, verb_of, verbs_in

STEP: TypeAdapter[Step] = TypeAdapter(Step)


def errors(table: dict[str, object]) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        STEP.validate_python(table)
    return [error["type"] for error in caught.value.errors()]


def test_the_one_verb_says_which_kind_of_step_it_is() -> None:
    step = STEP.validate_python({"run": ["true"]})

    assert isinstance(step, RunStep)
    assert verb_of(step) == "run"


@pytest.mark.parametrize("table", [{}, {"id": "a"}, {"run": ["true"], "emit": "x"}])
def test_a_step_has_exactly_one_verb(table: dict[str, object]) -> None:
    assert verb_of(table) is None
    assert errors(table) == ["step_verb"]


def test_every_verb_in_a_table_is_named() -> None:
    assert verbs_in({"http": "GET https://x", "id": "a", "run": ["true"]}) == ["run", "http"]


@pytest.mark.parametrize("script", ["echo {{ body.x }}", "{% if body.x %}true{% endif %}"])
def test_a_script_is_a_constant(script: str) -> None:
    assert errors({"shell": script}) == ["shell_template"]


def test_a_script_may_use_the_braces_of_the_shell() -> None:
    assert isinstance(STEP.validate_python({"shell": "echo ${HOME} {a,b}"}), ShellStep)


@pytest.mark.parametrize("status", ["2xx", "404", "599"])
def test_an_expected_status_is_a_code_or_a_class(status: str) -> None:
    step = STEP.validate_python({"http": "GET https://x", "expect": status})

    assert isinstance(step, HttpStep)
    assert step.expect == (status,)


@pytest.mark.parametrize("status", ["20x", "ok", "700", "2", "xxx"])
def test_anything_else_is_no_status(status: str) -> None:
    assert errors({"http": "GET https://x", "expect": [status]}) == ["expect"]


def test_null_is_a_json_body_and_silence_is_none() -> None:
    said = STEP.validate_python({"http": "POST https://x", "json": None})
    silent = STEP.validate_python({"http": "POST https://x"})

    assert isinstance(said, HttpStep)
    assert isinstance(silent, HttpStep)
    assert (said.has_json, silent.has_json) == (True, False)


def test_every_kind_of_step_has_the_common_keys() -> None:
    common = {"id", "if_", "timeout", "retry", "on_error", "on_interrupt"}

    assert all(common <= set(model.model_fields) for model in STEP_MODELS.values())
