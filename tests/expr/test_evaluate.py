from __future__ import annotations

from typing import Any

import pytest

from hooksd.expr.evaluate import evaluator
from hooksd.expr.lexer import scan
from hooksd.expr.parser import Parser
from hooksd.expr.problem import Absent, RenderProblem
from hooksd.expr.scope import Frame

BODY: dict[str, Any] = {
    "ref": "refs/heads/main",
    "after": "0123456789abcdef",
    "deleted": False,
    "null": None,
    "n": 7,
    "commits": [{"id": "a", "author": {"name": "Ann"}}, {"id": "b", "author": {"name": "Bob"}}],
    "labels": {"app": "web", "tier": "front"},
    "items": "a key that Python has a method for",
}


def value(source: str, **scope: Any) -> Any:
    frame = Frame({"body": BODY, "vars": {"key": "ref", "one": 1}, **scope})
    return evaluator(Parser(source, scan(source)).whole())(frame)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2 * 3 - 4", 3),
        ("(1 + 2) * 3", 9),
        ("10 / 4", 2.5),
        ("7 // 2", 3),
        ("7 % 4", 3),
        ("-body.n + 1", -6),
        ("-7 | abs", 7),
        ("'a' + 'b'", "ab"),
        ("[1] + [2]", [1, 2]),
        ("'n=' ~ body.n ~ body.null ~ true ~ [1]", "n=7true[1]"),
        ("1 < 2 < 3", True),
        ("1 < 3 < 2", False),
        ("'a' < 'b'", True),
        ("1 == 1.0", True),
        ("1 == true", False),
        ("0 == false", False),
        ("1 != true", True),
        ("1 in [true]", False),
        ("null == none", True),
        ("'main' in body.ref", True),
        ("'app' in body.labels", True),
        ("1 in body.labels", False),
        ("1 not in [1, 2]", False),
        ("not 1 in [2]", True),
        ("not not 1", True),
        ("not false and true", True),
        ("true or false and false", True),
        ("body.null or 'else'", "else"),
        ("body.n and body.ref", "refs/heads/main"),
        ("'yes' if body.n > 5 else 'no'", "yes"),
        ("'yes' if body.n > 9", None),
        ("1 if 0 else 2 if 0 else 3", 3),
        ("[1, 'a', body.n,]", [1, "a", 7]),
        ("{'a': 1, 'b': {'c': body.n}}", {"a": 1, "b": {"c": 7}}),
        ("[]", []),
        ("{}", {}),
        ("'b' ~ [1] | join", "b1"),
    ],
)
def test_operators_mean_what_they_mean_in_jinja_over_json(source: str, expected: Any) -> None:
    found = value(source)

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("body.commits[0].author.name", "Ann"),
        ("body.commits[-1].id", "b"),
        ("body['labels']['app']", "web"),
        ("body[vars.key]", "refs/heads/main"),
        ("body.commits[vars.one].id", "b"),
        ("body.after[:8]", "01234567"),
        ("body.after[8:]", "89abcdef"),
        ("body.after[2:4]", "23"),
        ("body.after[-4:]", "cdef"),
        ("body.commits[1:][0].id", "b"),
        ("body.ref[0]", "r"),
        ("body.items", "a key that Python has a method for"),
        ("(body.labels).app", "web"),
        ("[1, 2][1]", 2),
    ],
)
def test_elements_are_reached_by_keys_positions_and_parts(source: str, expected: Any) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("body.nope", "body.nope"),
        ("body.nope.deeper", "body.nope"),
        ("body.null.x", "body.null.x"),
        ("body.ref.upper", "body.ref.upper"),
        ("body.keys", "body.keys"),
        ("body.commits[9].id", "body.commits.9"),
        ("body.commits['0']", "body.commits.0"),
        ("body.__class__", "body.__class__"),
        ("body.commits.append", "body.commits.append"),
        ("body[vars.one]", "body[vars.one]"),
        ("body.commits[vars.key]", "body.commits[vars.key]"),
        ("body.commits[vars.one + 8]", "body.commits[vars.one + 8]"),
        ("body.commits[true or vars.one]", "body.commits[true or vars.one]"),
        ("run.id", "run"),
        ("[] | first", "first"),
        ("body.nope | upper | lower", "body.nope"),
        ("not body.nope", "body.nope"),
        ("body.nope == body.nope", "body.nope"),
        ("body.commits | map('nope')", "nope"),
    ],
)
def test_what_has_no_value_is_missing_by_name(source: str, missing: str) -> None:
    with pytest.raises(Absent) as caught:
        value(source)

    assert caught.value.missing == missing


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("body.nope | default('q')", "q"),
        ("body.nope.deeper | default('q')", "q"),
        ("body.null | default('q')", "q"),
        ("body.deleted | default('q')", False),
        ("body.deleted | default('q', true)", "q"),
        ("body.deleted | default('q', boolean=false)", False),
        ("body.nope | upper | default('q')", "q"),
        ("body.nope | default(body.nada) | default('q')", "q"),
        ("body.nope | default(body.n)", 7),
        ("body.nope is defined", False),
        ("body.nope.deeper is not defined", True),
        ("body.nope is undefined", True),
        ("body.null is defined", True),
        ("body.ref is defined", True),
        ("body.nope is defined and body.nope > 1", False),
        ("body.nope or 'else'", "else"),
        ("body.nope == 1 or body.n == 7", True),
        ("body.nope and false", False),
    ],
)
def test_a_missing_value_can_be_provided_for(source: str, expected: Any) -> None:
    assert value(source) == expected


@pytest.mark.parametrize("source", ["body.nope and true", "body.nope or false", "true and body.nope"])
def test_a_missing_value_that_decides_is_missing(source: str) -> None:
    with pytest.raises(Absent):
        value(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 + 'a'", "`+` does not work on a number and text; write `~`"),
        ("1 + true", "a number and true or false"),
        ("'a' * 1000000000", "`*` does not work on text and a number"),
        ("[1] * 3", "does not work"),
        ("'%s' % 1", "does not work"),
        ("-'a'", "does not work"),
        ("1 < 'a'", "compares two numbers or two texts, not a number and text"),
        ("null < 1", "not null and a number"),
        ("1 / 0", "by zero"),
        ("1 % 0", "by zero"),
        ("18446744073709551615 + 1", "too large"),
        ("1e308 * 10", "too large"),
        ("1 in 5", "looks in text, lists and maps"),
        ("1 in 'a'", "looks for text in text"),
        ("body.n[0:1]", "only text and lists have parts"),
        ("body.ref['a':]", "a position is a whole number"),
        ("body.ref is like(1)", "compares text with a pattern"),
    ],
)
def test_values_that_do_not_fit_are_an_error_that_shows_no_data(source: str, message: str) -> None:
    with pytest.raises(RenderProblem) as caught:
        value(source)

    assert message in caught.value.message
    assert caught.value.missing is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("body.ref is string", True), ("body.n is number", True), ("body.n is integer", True),
        ("2.5 is integer", False),
        ("true is number", False), ("true is boolean", True), ("body.null is none", True), ("1 is null", False),
        ("body is mapping", True), ("body.commits is sequence", True), ("body.deleted is false", True),
        ("0 is false", False), ("true is true", True), ("body.ref is like('refs/heads/*')", True),
        ("body.ref is not like('refs/tags/*')", True),
    ],
)  # fmt: skip
def test_tests_tell_kinds_apart(source: str, expected: object) -> None:
    assert value(source) is expected
