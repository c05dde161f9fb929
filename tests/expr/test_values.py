from __future__ import annotations

from types import MappingProxyType
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.expr.problem import RenderProblem
from hooksd.expr.values import json_text, kind, number, same, text, weight


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""), (True, "true"), (False, "false"), (1, "1"), (1.0, "1.0"), ("é", "é"), ([1, None], "[1,null]"),
        ({"a": {"b": True}}, '{"a":{"b":true}}'), (MappingProxyType({"a": 1}), '{"a":1}'), ((1, 2), "[1,2]"),
    ],
)  # fmt: skip
def test_a_value_in_text_reads_as_json_with_an_empty_null(value: Any, written: str) -> None:
    assert text(value) == written


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False), st.lists))
def test_the_text_of_a_list_is_its_json(value: Any) -> None:
    assert orjson.loads(json_text(value)) == value


def test_what_is_no_json_cannot_be_written() -> None:
    deep: list[Any] = []
    for _ in range(2000):
        deep = [deep]

    for value in (deep, {1: 2}, object(), 2**70, "\ud800"):
        with pytest.raises(RenderProblem, match="cannot be written as JSON"):
            json_text(value)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"), (True, "true or false"), (1, "a number"), (1.5, "a number"), ("", "text"), ([], "a list"),
        ({}, "a map"), (object(), "no JSON value"),
    ],
    ids=["null", "boolean", "integer", "float", "text", "list", "map", "other"],
)  # fmt: skip
def test_values_are_called_by_their_kind(value: Any, name: str) -> None:
    assert kind(value) == name


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, float("inf"), float("nan")])
def test_a_number_that_json_cannot_hold_is_a_problem(value: float) -> None:
    with pytest.raises(RenderProblem, match="too large"):
        number(value)


def test_true_is_not_one() -> None:
    assert not same(True, 1)
    assert not same(0, False)
    assert same(True, True)
    assert same(1, 1.0)
    assert same({"a": [1]}, {"a": [1]})


def test_reading_large_values_costs_more() -> None:
    assert weight(1) == weight("") == weight([]) == 1
    assert weight("a" * 10_000_000) > 30_000
    assert weight(["a"] * 1_000_000) > 100_000
