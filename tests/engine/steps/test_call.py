from __future__ import annotations

from hooksd.engine.steps.intent import Act, Refuse
from hooksd.model.effect import Deliver
from hooksd.model.retry import Retry
from tests.engine.steps.occasions import wants


def test_a_call_is_one_attempt_at_one_endpoint_with_the_body_of_the_event() -> None:
    intent = wants({"id": "ask", "call": "shop"}, {"a": 1})

    assert isinstance(intent, Act)
    assert isinstance(intent.effect, Deliver)
    assert (intent.effect.endpoints, intent.effect.body) == (("shop",), b'{"a":1}')
    assert (intent.effect.is_call, intent.effect.retry) == (True, "none")


def test_a_call_is_tried_again_when_the_step_says_so() -> None:
    intent = wants({"call": "shop", "retry": {"max": 2}, "json": {"b": 2}})

    assert isinstance(intent, Act)
    assert isinstance(intent.effect, Deliver)
    assert (intent.effect.body, intent.effect.retry) == (b'{"b":2}', Retry(max=2))


def test_the_endpoint_must_be_allowed() -> None:
    intent = wants({"call": "shop"}, allow=("send:bank",))

    assert isinstance(intent, Refuse)
    assert "send:shop" in intent.error
