from __future__ import annotations

from typing import Any

import pytest

from hooksd.engine.steps.intent import Act, Refuse
from hooksd.model.effect import Deliver
from hooksd.model.received import Files, ReceivedFile
from hooksd.model.retry import Retry
from tests.engine.steps.occasions import wants

PHOTO = ReceivedFile(field="photo", name="me.jpg", filename="me.jpg", media="image/jpeg", size=3, digest="sha256:ab")


def delivery(step: dict[str, Any], data: Any = None, files: Files | None = None) -> Deliver:
    intent = wants(step, data, files=files)
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


@pytest.mark.parametrize(
    ("data", "media", "body"),
    [("{{ body.a }}", "text/plain", b"x y"), ("{{ body }}", "application/json", b'{"a":"x y"}'), (None, "", b"")],
)
def test_data_is_text_or_json_for_the_endpoint_to_make_a_body_of(data: Any, media: str, body: bytes) -> None:
    effect = delivery({"send": "shop", "data": data}, {"a": "x y"})

    assert (effect.media, effect.body) == (media, body)


def test_files_of_the_event_go_with_its_body_and_with_no_other() -> None:
    assert delivery({"send": "shop"}, {}, {"photo": PHOTO}).files == {"photo": PHOTO}
    assert delivery({"send": "shop", "json": {}}, {}, {"photo": PHOTO}).files == {}


def test_headers_of_endpoints_can_read_the_event_that_started_the_run() -> None:
    effect = delivery({"send": "shop", "json": {}}, {"a": 1})

    assert effect.scope is not None
    assert effect.scope()["body"] == {"a": 1}
    assert set(effect.scope()) == {"event", "body", "headers", "query"}


def test_the_retry_rule_of_the_step_goes_with_it() -> None:
    assert delivery({"send": "shop", "retry": "quick"}).retry == "quick"
    assert delivery({"send": "shop", "retry": {"max": 2}}).retry == Retry(max=2)


def test_every_endpoint_must_be_allowed() -> None:
    intent = wants({"send": ["shop", "bank"]}, allow=("send:shop",))

    assert isinstance(intent, Refuse)
    assert "send:bank" in intent.error


def test_a_header_with_a_line_break_is_refused() -> None:
    assert isinstance(wants({"send": "shop", "headers": {"X-A": "{{ body }}"}}, "a\nb"), Refuse)
