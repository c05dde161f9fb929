from __future__ import annotations

import pytest

from hooksd.engine.steps.intent import Publish, Refuse
from hooksd.model.event import MAX_HOP
from tests.engine.steps.occasions import wants


def test_the_body_of_the_event_goes_on_unless_there_is_another() -> None:
    same = wants({"emit": "order.paid"}, {"n": 1})
    other = wants({"emit": "order.paid", "json": {"m": "{{ body.n }}"}, "subject": "order/{{ body.n }}"}, {"n": 1})

    assert same == Publish(type="order.paid", subject=None, media="application/json", raw=b'{"n":1}', data={"n": 1})
    assert other == Publish(
        type="order.paid", subject="order/1", media="application/json", raw=b'{"m":1}', data={"m": 1}
    )


def test_null_is_a_body() -> None:
    intent = wants({"emit": "order.paid", "json": None}, {"n": 1})

    assert isinstance(intent, Publish)
    assert intent.data is None


def test_an_event_that_came_too_far_is_the_last() -> None:
    assert isinstance(wants({"emit": "a"}, hop=MAX_HOP - 1), Publish)
    refused = wants({"emit": "a"}, hop=MAX_HOP)

    assert isinstance(refused, Refuse)
    assert "start each other" in refused.error


@pytest.mark.parametrize("kind", ["", "a b", "a\nb", "x" * 513])
def test_data_cannot_make_a_strange_event_type(kind: str) -> None:
    assert isinstance(wants({"emit": "{{body.kind}}"}, {"kind": kind}), Refuse)


def test_a_role_that_names_event_types_allows_only_those() -> None:
    assert isinstance(wants({"emit": "order.paid"}, allow=("emit:order.*",)), Publish)
    assert isinstance(wants({"emit": "user.made"}, allow=("emit:order.*",)), Refuse)
    assert isinstance(wants({"emit": "user.made"}, allow=None), Publish)
