from __future__ import annotations

from hooksd.engine.preparing import Skip
from hooksd.engine.steps.intent import Refuse, Settle
from tests.engine.steps.occasions import wants


def test_a_false_condition_skips_and_tells_what_its_names_were() -> None:
    assert wants({"if": "body.n > 3", "run": ["x"]}, {"n": 1}) == Skip(
        detail={"condition": "body.n > 3", "values": {"body.n": 1}}
    )


def test_a_step_that_has_begun_is_not_skipped_any_more() -> None:
    assert not isinstance(wants({"if": "body.n > 3", "run": ["x"]}, {"n": 1}, number=2), Skip)


def test_what_cannot_be_rendered_is_refused_by_name() -> None:
    intent = wants({"set": {"a": "{{ body.nix }}"}}, {})

    assert isinstance(intent, Refuse)
    assert "body.nix" in intent.error


def test_a_secret_of_somebody_else_is_refused_even_in_a_condition() -> None:
    secrets = {"mine": "s3cret"}

    assert wants({"set": {"a": "{{ secrets.mine }}"}}, secrets=secrets) == Settle(output={"a": "s3cret"})
    assert isinstance(wants({"set": {"a": "{{ secrets.yours }}"}}, secrets=secrets), Refuse)
    assert isinstance(wants({"if": "secrets.yours == 'a'", "set": {"a": 1}}, secrets=secrets), Refuse)
    assert isinstance(wants({"set": {"a": "{{ secrets.mine }}"}}, allow=None), Refuse)


def test_the_value_of_a_secret_in_a_condition_is_not_told() -> None:
    skip = wants({"if": "secrets.mine == body", "set": {"a": 1}}, "x", secrets={"mine": "s3cret"})

    assert isinstance(skip, Skip)
    assert "s3cret" not in str(skip)
