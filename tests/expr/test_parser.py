from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.expr.filters import FILTERS
from hooksd.expr.lexer import scan
from hooksd.expr.parser import MAX_NESTING, Parser
from hooksd.expr.predicates import PREDICATES
from hooksd.expr.problem import ExpressionProblem
from hooksd.expr.scope import NAMES


def problem_of(source: str) -> ExpressionProblem:
    with pytest.raises(ExpressionProblem) as caught:
        Parser(source, scan(source)).whole()
    return caught.value


def references(source: str) -> list[tuple[str, str]]:
    parser = Parser(source, scan(source))
    parser.whole()
    return [(reference.name, source[reference.start : reference.end]) for reference in parser.references]


def test_every_name_that_is_read_is_known_with_its_place() -> None:
    assert references("body.a['b c'][0].d == vars.x | default(run.id) and headers['x-a']") == [
        ("body.a.b c.0.d", "body.a['b c'][0].d"),
        ("vars.x", "vars.x"),
        ("run.id", "run.id"),
        ("headers.x-a", "headers['x-a']"),
    ]


def test_a_computed_key_ends_the_known_part_of_a_name() -> None:
    assert references("body.list[vars.n].x") == [("body.list", "body.list"), ("vars.n", "vars.n")]
    assert references("body.list[1:]") == [("body.list", "body.list")]


@pytest.mark.parametrize(
    ("source", "marked", "message", "hint"),
    [
        ("bdy.ref", "bdy", "unknown name `bdy`", "did you mean `body`?"),
        ("body.ref == main", "main", "unknown name `main`", "text stands in quotes"),
        ("headers.x-github", "github", "unknown name `github`", "headers['x-name']"),
        ("range(5)", "range", "unknown name `range`", "there are no functions"),
        ("body.a | defalt(1)", "defalt", "unknown filter `defalt`", "did you mean `default`?"),
        ("body.a | default", "default", "needs arguments", "default(fallback)"),
        ("body.a | upper(1)", "1", "too many arguments for `upper`", "none"),
        ("body.a | join(',', sep=1)", "sep", "`join` has no argument `sep`", "separator"),
        ("body.a | join(',', separator=1)", "separator", "too many arguments", "separator, attribute"),
        ("body.a is defind", "defind", "unknown test `defind`", "did you mean `defined`?"),
        ("body.a is like", "like", "takes 1 argument", "like('...')"),
        ("body.a is defined(1)", "defined", "takes no arguments", "alone"),
        ("body.a.upper()", "upper", "cannot be called", "write body.a | upper(...)"),
        ("body.pop('a')", "pop", "cannot be called", "value | filter"),
        ("body.a()", "a", "cannot be called", "value | filter"),
        ("body.a = 1", "=", "`=` compares nothing", "write `==`"),
        ("2 ** 3", "**", "no operator `**`", None),
        ("1 +", "", "ends too early", None),
        ("", "", "an expression is missing", None),
        ("1 2", "2", "unexpected `2`", None),
        ("* 2", "*", "a value is missing", None),
        ("body.", "", "a key is missing after the dot", "[0]"),
        ("body.1", "1", "a key is missing after the dot", "[0]"),
        ("{1: 2}", "1", "the key of a map is a text", "{'key': value}"),
        ("[1 2]", "2", "`,` or `]` is missing here", None),
        ("body[1:2:3]", ":", "`]` is missing here", None),
        ("body.a |", "", "the name of a filter is missing", None),
        ("body.a is", "", "the name of a test is missing", None),
        ("secrets", "secrets", "read one by one", "secrets.NAME"),
        ("secrets[body.x]", "secrets", "read one by one", "secrets.NAME"),
        ("secrets[0]", "secrets", "read one by one", "secrets.NAME"),
        ("secrets | items", "secrets", "read one by one", "secrets.NAME"),
    ],
)
def test_a_mistake_is_marked_named_and_answered(source: str, marked: str, message: str, hint: str | None) -> None:
    problem = problem_of(source)

    assert source[problem.start : problem.end] == marked
    assert message in problem.message
    assert (hint or "") in (problem.hint or "")


def test_brackets_can_only_be_nested_so_deep() -> None:
    assert "nested deeper" in problem_of("(" * 200 + "1" + ")" * 200).message
    assert "nested deeper" in problem_of("1 if 1 else " * 200 + "1").message
    source = "(" * (MAX_NESTING - 1) + "1" + ")" * (MAX_NESTING - 1)
    Parser(source, scan(source)).whole()


def test_long_chains_are_not_deep() -> None:
    for source in ["1" + " + 1" * 1000, "not " * 2000 + "true", "body" + ".a" * 1000, "1" + " | abs" * 1000]:
        Parser(source, scan(source)).whole()


def test_only_the_names_of_the_place_are_known() -> None:
    with pytest.raises(ExpressionProblem, match="unknown name `body`"):
        Parser("body.x", scan("body.x"), names={"secrets"}).whole()


def test_the_variables_of_a_loop_are_no_names_of_the_scope() -> None:
    parser = Parser("item.a == loop.index", scan("item.a == loop.index"), locals_=frozenset({"item", "loop"}))
    parser.whole()

    assert parser.references == []


WORDS = st.sampled_from(
    [*sorted(NAMES), *sorted(FILTERS), *sorted(PREDICATES), *"()[]{}.,:|=+-*/%~<>", "'t'", "1", "2.5", "and", "or",
     "not", "in", "is", "if", "else", "true", "null", "==", "!="]
)  # fmt: skip


def problem_in(source: str) -> ExpressionProblem | None:
    try:
        Parser(source, scan(source)).whole()
    except ExpressionProblem as problem:
        return problem
    return None


@given(st.lists(WORDS, max_size=25).map(" ".join))
def test_any_words_are_an_expression_or_a_problem_inside_them(source: str) -> None:
    problem = problem_in(source)

    assert problem is None or 0 <= problem.start <= problem.end <= len(source)
