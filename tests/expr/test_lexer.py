from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.expr.lexer import MAX_TOKENS, scan
from hooksd.expr.problem import ExpressionProblem


def texts(source: str) -> list[str]:
    return [token.text for token in scan(source).items]


def test_an_expression_becomes_tokens_with_their_places() -> None:
    tokens = scan("body.ref == 'é'").items

    assert [(token.text, token.start, token.end) for token in tokens] == [
        ("body", 0, 4), (".", 4, 5), ("ref", 5, 8), ("==", 9, 11), ("'é'", 12, 15), ("", 15, 15),
    ]  # fmt: skip


def test_constants_carry_their_values() -> None:
    source = r"""1 2.5 1e3 'a\'b' "\n\u00e9\\" """
    values = [token.value for token in scan(source).items if token.kind == "constant"]

    assert values == [1, 2.5, 1000.0, "a'b", "\né\\"]


def test_a_template_s_expression_ends_at_its_closing_mark_but_not_inside_a_map_or_a_text() -> None:
    source = "{{ {'a': {'b': '}}'}} }} tail"

    tokens = scan(source, 2, "}}")

    assert source[tokens.after :] == " tail"
    assert not tokens.trims


def test_a_minus_before_the_closing_mark_trims() -> None:
    assert scan("a -}} b", 0, "}}").trims
    assert texts("a - b") == ["a", "-", "b", ""]


@pytest.mark.parametrize(
    ("source", "message", "marked"),
    [
        ("a & b", "unexpected character '&'", "&"),
        ("a == 'open", "text that begins here never ends", "'open"),
        ("(a", "`(` is never closed", "("),
        ("(a]", "`(` is never closed", "("),
        ("a)", "`)` closes nothing", ")"),
        (r"'\q'", "unknown escape", r"\q"),
        (r"'\ud800'", "unknown escape", r"\ud800"),
        ("99999999999999999999", "too large", "99999999999999999999"),
        ("1e999", "too large", "1e999"),
    ],
)
def test_a_problem_marks_the_characters_that_are_wrong(source: str, message: str, marked: str) -> None:
    with pytest.raises(ExpressionProblem) as caught:
        scan(source)

    assert message in caught.value.message
    assert source[caught.value.start : caught.value.end] == marked


def test_a_missing_closing_mark_is_a_problem() -> None:
    with pytest.raises(ExpressionProblem, match="the end `}}` is missing"):
        scan("{{ a", 2, "}}")


def test_an_endless_expression_is_refused() -> None:
    with pytest.raises(ExpressionProblem, match="too long"):
        scan("1+" * MAX_TOKENS)


def problem_of(source: str) -> ExpressionProblem | None:
    try:
        scan(source)
    except ExpressionProblem as problem:
        return problem
    return None


@given(st.text(max_size=50))
def test_any_text_is_tokens_or_a_problem_inside_it(source: str) -> None:
    problem = problem_of(source)

    if problem is None:
        assert all(token.text == source[token.start : token.end] for token in scan(source).items)
    else:
        assert 0 <= problem.start <= problem.end <= len(source)
