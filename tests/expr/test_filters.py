from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooksd.expr.filters import FILTERS, default
from hooksd.expr.problem import RenderProblem

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
EXAMPLES = max(50, settings().max_examples // 5)
"""For each filter: there are many, and what they are given is small."""


@pytest.mark.parametrize("name", sorted(FILTERS))
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_a_filter_gives_json_or_a_problem_whatever_it_is_given(name: str, data: st.DataObject) -> None:
    spec = FILTERS[name]
    count = data.draw(st.integers(spec.required, len(spec.parameters)))
    arguments = [data.draw(JSON_VALUES) for _ in range(count)]
    try:
        found = spec.function(data.draw(JSON_VALUES), *arguments)
    except RenderProblem:
        return
    assert found is None or isinstance(found, bool | int | float | str | list | dict)


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_every_filter_is_documented(name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "expressions.md").read_text()

    assert f"| `{name}" in page


def test_the_table_knows_parameters_and_which_are_needed() -> None:
    assert (FILTERS["replace"].parameters, FILTERS["replace"].required) == (("old", "new"), 2)
    assert (FILTERS["join"].parameters, FILTERS["join"].required) == (("separator", "attribute"), 0)
    assert (FILTERS["upper"].parameters, FILTERS["upper"].required) == ((), 0)


@pytest.mark.parametrize(
    ("value", "boolean", "expected"),
    [(None, False, "q"), (0, False, 0), (0, True, "q"), ("", True, "q"), ("x", True, "x")],
)
def test_default_is_for_null_and_when_asked_for_all_that_counts_as_false(
    value: Any, boolean: Any, expected: Any
) -> None:
    assert default(value, "q", boolean) == expected
