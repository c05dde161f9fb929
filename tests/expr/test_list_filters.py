from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.expr import list_filters as filters
from hooksd.expr.problem import Absent, RenderProblem
from hooksd.expr.scope import MAX_TEXT
from hooksd.expr.template import compile_template

PEOPLE = [
    {"name": "Bob", "age": 7, "of": {"x": 2}},
    {"name": "Ann", "age": 9, "of": {"x": 1}},
    {"name": "Cid", "age": 0},
]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'abc' | length", 3),
        ("{'a': 1} | count", 1),
        ("[1, 2] | first", 1),
        ("'abc' | last", "c"),
        ("[1, null, true] | join('-')", "1--true"),
        ("body | join(', ', attribute='name')", "Bob, Ann, Cid"),
        ("[1, 2] | reverse", [2, 1]),
        ("'ab' | reverse", "ba"),
        ("[2, 1, 1.5] | sort", [1, 1.5, 2]),
        ("['b', 'a'] | sort(reverse=true)", ["b", "a"]),
        ("body | sort('name') | map('name')", ["Ann", "Bob", "Cid"]),
        ("body[:2] | map('of.x')", [2, 1]),
        ("[1, '1', 1, [1], [1], '1'] | unique", [1, "1", [1]]),
        ("body | selectattr('age') | map('name')", ["Bob", "Ann"]),
        ("body | selectattr('age', 'eq', 9) | map('name')", ["Ann"]),
        ("body | selectattr('name', 'in', ['Bob', 'Cid']) | map('name')", ["Bob", "Cid"]),
        ("body | selectattr('of.x', 'ne', 1) | map('name')", ["Bob"]),
        ("body | rejectattr('of') | map('name')", ["Cid"]),
        ("{'a': 1} | items", [["a", 1]]),
        ("{'a': 1} | keys", ["a"]),
        ("{'a': 1} | values", [1]),
        ("[1, 2.5] | sum", 3.5),
        ("body | sum('age')", 16),
        ("[] | sum", 0),
        ("[2, 1] | min", 1),
        ("['a', 'b'] | max", "b"),
        ("-2 | abs", 2),
        ("2.567 | round(2)", 2.57),
        ("2.6 | round", 3),
    ],
)
def test_filters_over_lists_do_what_their_names_say(source: str, expected: Any) -> None:
    found = compile_template("{{ " + source + " }}").render({"body": PEOPLE})

    assert found == expected
    assert type(found) is type(expected)


def test_a_tuple_is_a_list() -> None:
    assert filters.length((1, 2)) == 2
    assert filters.first((1, 2)) == 1


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (filters.length, [1], "`length` takes text, a list or a map"),
        (filters.join, ["abc"], "`join` takes a list, not text"),
        (filters.join, [["a"] * 1001, "b" * 2000], "longer"),
        (filters.sort, [[1, "a"]], "a list of numbers or a list of texts"),
        (filters.sort, [[True, False]], "a list of numbers or a list of texts"),
        (filters.pluck, [PEOPLE, 1], "named by text"),
        (filters.selectattr, [PEOPLE, "age", "gt", 1], "'eq', 'ne' or 'in'"),
        (filters.selectattr, [PEOPLE, "age", "in", 1], "`in` takes a list"),
        (filters.items, [[]], "`items` takes a map"),
        (filters.total, [["a"]], "a list of numbers"),
        (filters.total, [[2**64 - 1, 1]], "too large"),
        (filters.absolute, ["a"], "`abs` takes a number"),
        (filters.rounded, [1, 99], "from 0 to 15"),
        (filters.rounded, [True], "takes a number"),
    ],
)
def test_filters_over_lists_refuse_what_does_not_fit(function: Any, arguments: list[Any], message: str) -> None:
    with pytest.raises(RenderProblem) as caught:
        function(*arguments)

    assert message in caught.value.message


@pytest.mark.parametrize("function", [filters.first, filters.last, filters.smallest, filters.largest])
def test_of_nothing_the_first_and_the_least_are_missing(function: Any) -> None:
    with pytest.raises(Absent):
        function([])


def test_an_element_without_the_attribute_is_missing_by_name() -> None:
    with pytest.raises(Absent) as caught:
        filters.pluck(PEOPLE, "of.x")

    assert caught.value.missing == "of.x"


def test_a_joined_text_is_bounded_by_what_it_becomes() -> None:
    with pytest.raises(RenderProblem, match="longer"):
        filters.join(["a" * (MAX_TEXT - 1), "bc"])


@given(st.lists(st.integers(-100, 100)))
def test_sorting_keeps_all_elements_in_order(values: list[int]) -> None:
    assert filters.sort(values) == sorted(values)
    assert filters.sort(values, None, True) == sorted(values, reverse=True)


@given(st.lists(st.integers(0, 3) | st.sampled_from(["0", "1"])))
def test_no_element_stays_twice(values: list[Any]) -> None:
    assert filters.unique(values) == list(dict.fromkeys(values))
