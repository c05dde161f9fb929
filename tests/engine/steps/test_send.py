from __future__ import annotations

from typing import Any

from hooksd.engine.steps.intent import Act, Refuse
from hooksd.model.effect import Deliver
from hooksd.model.retry import Retry
from tests.engine.steps.occasions import wants


def delivery(step: dict[str, Any], data: Any = None) -> Deliver:
    intent = wants(step, data)
    assert isinstance(intent, Act), intent
    assert isinstance(intent.effect, Deliver)
    return intent.effect


def test_the_body_of_the_event_is_sent_on_as_it_came() -> None:
    effect = delivery({"id": "ship", "send": ["shop", "bank"]}, {"a": 1})

    assert effect.endpoints == ("shop", "bank")
    assert (effect.media, effect.body) == ("application/json", b'{"a":1}')
    assert effect.step == "ship"
    assert effect.retry is None


def test_a_payload_replaces_it() -> None:
    effect = delivery({"send": "shop", "form": {"a": "{{ body.a }} &"}, "query": {"q": "1"}}, {"a": 1})

    assert (effect.media, effect.body) == ("application/x-www-form-urlencoded", b"a=1+%26")
    assert effect.query == {"q": "1"}


def test_the_retry_rule_of_the_step_goes_with_it() -> None:
    assert delivery({"send": "shop", "retry": "quick"}).retry == "quick"
    assert delivery({"send": "shop", "retry": {"max": 2}}).retry == Retry(max=2)


def test_every_endpoint_must_be_allowed() -> None:
    intent = wants({"send": ["shop", "bank"]}, allow=("send:shop",))

    assert isinstance(intent, Refuse)
    assert "send:bank" in intent.error


def test_a_header_with_a_line_break_is_refused() -> None:
    assert isinstance(wants({"send": "shop", "headers": {"X-A": "{{ body }}"}}, "a\nb"), Refuse)
