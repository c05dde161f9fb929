from __future__ import annotations

from hooksd.engine.steps.intent import Answer, Refuse, Settle, Sleep
from tests.engine.steps.occasions import wants


def test_set_keeps_the_type_of_a_value_that_is_one_expression() -> None:
    intent = wants({"set": {"n": "{{ body.n }}", "text": "n={{ body.n }}", "fixed": [1]}}, {"n": 3}, allow=None)

    assert intent == Settle(output={"n": 3, "text": "n=3", "fixed": [1]})


def test_respond_says_status_headers_and_body() -> None:
    step = {"respond": {"id": "{{ run.id }}"}, "status": 201, "headers": {"X-N": "{{ body.n }}"}}

    intent = wants(step, {"n": 3}, allow=None)

    assert intent == Answer(status=201, headers={"X-N": "3"}, body={"id": "run_019ab000-0000-7000-8000-000000000002"})


def test_an_answer_cannot_have_a_broken_header() -> None:
    assert isinstance(wants({"respond": 1, "headers": {"X-N": "{{ body }}"}}, "a\r\nb"), Refuse)


def test_fail_fails_with_its_text() -> None:
    assert wants({"fail": "no {{ body.what }}"}, {"what": "stock"}, allow=None) == Refuse(error="no stock")


def test_sleep_is_as_long_as_it_says() -> None:
    assert wants({"sleep": "1.5h"}, allow=None) == Sleep(seconds=5400.0)
