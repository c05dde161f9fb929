from __future__ import annotations

import time
import timeit
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.expr.condition import MAX_SHOWN, Judged, compile_condition
from hooksd.expr.problem import ExpressionProblem

SCOPE: dict[str, Any] = {
    "event": {"type": "github.push"},
    "body": {"ref": "refs/heads/main", "deleted": False, "long": "x" * 500, "null": None},
    "headers": {"x-kind": "a"},
    "secrets": {"key": "hush"},
}


def judge(source: str) -> Judged:
    return compile_condition(source).judge(SCOPE)


def test_a_condition_that_holds_is_true_and_nothing_else() -> None:
    assert judge("body.ref == 'refs/heads/main' and not body.deleted") == Judged(value=True)
    assert judge("body.ref == 'refs/heads/other'") == Judged(value=False)


def test_any_value_counts_as_true_or_false() -> None:
    assert judge("body.ref").value
    assert not judge("body.null").value
    assert not judge("[]").value


@pytest.mark.parametrize("source", ["body.draft", "not body.draft", "body.draft != 1", "body.draft.x and true"])
def test_a_missing_value_never_makes_a_condition_true_and_is_named(source: str) -> None:
    assert judge(source) == Judged(value=False, missing="body.draft")


def test_a_missing_value_that_decides_nothing_is_not_named() -> None:
    assert judge("body.draft or body.ref") == Judged(value=True)
    assert judge("body.draft and body.deleted") == Judged(value=False)


def test_an_error_makes_a_condition_false_and_is_told_without_data() -> None:
    judged = judge("body.ref < 1")

    assert not judged.value
    assert judged.missing is None
    assert judged.error == "`<` compares two numbers or two texts, not text and a number"


def test_values_nested_too_deeply_are_an_error_and_no_crash() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    other: Any = 1
    for _ in range(100_000):
        other = [other]

    judged = compile_condition("body.a == body.b").judge({"body": {"a": deep, "b": other}})

    assert judged == Judged(value=False, error="the values are nested too deeply")


def test_the_names_that_a_condition_reads_are_known() -> None:
    condition = compile_condition("body.ref == 'x' or headers['x-kind'] in [event.type]")

    assert condition.names == {"body.ref", "headers.x-kind", "event.type"}


def test_the_values_behind_a_condition_are_shown_without_secrets_and_cut() -> None:
    condition = compile_condition("body.ref == secrets.key and body.long and body.nope and body.ref.x and event.type")

    assert condition.values(SCOPE) == {
        "body.ref": "refs/heads/main",
        "body.long": "x" * MAX_SHOWN + "…",
        "event.type": "github.push",
    }


def test_a_condition_that_makes_no_sense_is_found_when_it_is_compiled() -> None:
    with pytest.raises(ExpressionProblem, match="unknown name `bdy`"):
        compile_condition("bdy.ref == 1")
    with pytest.raises(ExpressionProblem, match="unknown name `body`"):
        compile_condition("body.ref == 1", names={"secrets"})


def test_a_condition_does_not_show_its_function() -> None:
    assert "function" not in repr(compile_condition("body.ref"))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
SOURCES = st.sampled_from(
    [
        "body.a == body.b", "body.a < body.b or body.c", "body.a in body.b", "body.a | length > 1", "not body.a.b.c",
        "body.a[0] ~ body.b == 'x'", "body.a | map('b') | join(',') | upper is like('*A*')", "body.a + body.b",
        "body.a | sort | first == body.b", "body.a | int % 2", "body.a | default(body.b) | string | startswith('a')",
    ]
)  # fmt: skip


@given(SOURCES, JSON_VALUES)
def test_whatever_the_data_are_a_condition_only_ever_judges(source: str, body: Any) -> None:
    judged = compile_condition(source).judge({"body": body})

    assert judged.value is False or (judged.missing is None and judged.error is None)


def test_a_condition_on_an_event_takes_some_microseconds() -> None:
    condition = compile_condition("event.type == 'github.push' and body.ref == 'refs/heads/main'")

    seconds = min(timeit.repeat(lambda: condition.judge(SCOPE), timer=time.process_time, number=1000, repeat=5)) / 1000

    assert seconds < 100e-6
