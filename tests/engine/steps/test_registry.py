from __future__ import annotations

from hooksd.engine.steps.registry import VERBS, is_repeatable
from hooksd.model.step import STEP_MODELS
from hooksd.testing import workflow_of


def repeatable(verb: str, value: object, **options: object) -> bool:
    return is_repeatable(workflow_of({"steps": [{verb: value, **options}]}).steps[0])


def test_every_verb_of_the_format_can_be_carried_out() -> None:
    assert set(VERBS) == set(STEP_MODELS)


def test_a_program_is_not_started_twice_unless_the_step_says_so() -> None:
    assert not repeatable("run", ["x"])
    assert not repeatable("shell", "x")
    assert repeatable("run", ["x"], on_interrupt="retry")


def test_a_request_is_made_again_where_the_method_is_idempotent() -> None:
    assert repeatable("http", "GET https://a.example/")
    assert repeatable("http", "DELETE https://a.example/")
    assert not repeatable("http", "POST https://a.example/")
    assert repeatable("http", "POST https://a.example/", on_interrupt="retry")
    assert not repeatable("http", "GET https://a.example/", on_interrupt="fail")


def test_deliveries_and_inner_steps_go_on() -> None:
    assert repeatable("send", "shop")
    assert repeatable("emit", "x")
    assert repeatable("sleep", "1s")
