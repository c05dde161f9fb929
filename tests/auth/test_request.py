from __future__ import annotations

from hooksd.auth.request import Inbound
from tests.auth.requests import inbound


def test_every_value_of_a_header_is_returned_in_order() -> None:
    request = inbound().changed(headers=(("x-a", "1"), ("x-b", "2"), ("x-a", "3")))

    assert request.header_values("x-a") == ["1", "3"]
    assert request.header_values("x-none") == []


def test_headers_that_somebody_has_by_name_are_the_same_headers() -> None:
    named = {"x-a": "1", "x-b": "2"}
    by_name, in_order = (
        Inbound(method="POST", path="/", query_string="", headers=headers, body=b"", media="")
        for headers in (named, tuple(named.items()))
    )

    assert by_name.pairs == in_order.pairs
    assert by_name.unrepeated == in_order.unrepeated == named


def test_headers_have_no_names_when_one_came_twice() -> None:
    assert inbound().changed(headers=(("x-a", "1"), ("x-a", "1"))).unrepeated is None
