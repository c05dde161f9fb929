from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.expr.operators import COMPARISONS, MAX_ITEMS, arithmetic, bounded, item, part
from hooksd.expr.problem import Absent, RenderProblem
from hooksd.expr.scope import MAX_TEXT

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(["+", "-", "*", "/", "//", "%"]), JSON_VALUES, JSON_VALUES)
def test_arithmetic_gives_a_value_or_a_problem(name: str, left: Any, right: Any) -> None:
    try:
        found = arithmetic(name, left, right)
    except RenderProblem:
        return
    assert isinstance(found, int | float | str | list)


@given(st.sampled_from(sorted(COMPARISONS)), JSON_VALUES, JSON_VALUES)
def test_a_comparison_gives_true_false_or_a_problem(name: str, left: Any, right: Any) -> None:
    try:
        found = COMPARISONS[name](left, right)
    except RenderProblem:
        return
    assert isinstance(found, bool)


@given(JSON_VALUES, JSON_VALUES)
def test_an_element_is_there_or_absent(value: Any, key: Any) -> None:
    try:
        item(value, key, "body[x]")
    except Absent as absent:
        assert absent.missing == "body[x]"  # noqa: PT017 - the other outcome is as good


def test_an_overflow_is_a_problem() -> None:
    with pytest.raises(RenderProblem, match="too large"):
        arithmetic("//", 10**400, 0.5)


def test_texts_and_lists_cannot_grow_without_limit() -> None:
    with pytest.raises(RenderProblem, match="longer"):
        arithmetic("+", "a" * MAX_TEXT, "b")
    with pytest.raises(RenderProblem, match="longer"):
        arithmetic("+", [0] * MAX_ITEMS, [0])
    with pytest.raises(RenderProblem, match="longer"):
        bounded(2, 1)


def test_a_part_is_like_in_python_and_never_outside() -> None:
    assert part("abc", 1, 99) == "bc"
    assert part([1, 2, 3], None, -1) == [1, 2]
    assert part("", 5, 9) == ""
    with pytest.raises(RenderProblem, match="whole number"):
        part("abc", True, None)
