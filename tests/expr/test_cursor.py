from __future__ import annotations

import pytest

from hooksd.expr.cursor import Cursor
from hooksd.expr.lexer import scan
from hooksd.expr.problem import ExpressionProblem


def cursor(source: str) -> Cursor:
    return Cursor(scan(source).items)


def test_words_and_marks_are_taken_only_where_they_stand() -> None:
    here = cursor("not in")

    assert not here.take("in")
    assert here.take("not")
    assert here.previous.text == "not"
    assert here.stands("in")


def test_text_in_quotes_is_no_word() -> None:
    assert not cursor("'in'").stands("'in'")


def test_the_end_stays() -> None:
    here = cursor("a")
    here.advance()

    assert here.advance().kind == "end"
    assert here.advance().kind == "end"
    assert here.ahead(5).kind == "end"
    here.end()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda here: here.expect(")"), r"`\)` is missing here"),
        (lambda here: here.separator("]"), r"`,` or `\]` is missing here"),
        (lambda here: here.word("a name"), "a name is missing here"),
        (lambda here: here.end(), "unexpected `1`"),
    ],
    ids=["expect", "separator", "word", "end"],
)
def test_what_is_missing_is_said_where_it_should_stand(ask: object, message: str) -> None:
    assert callable(ask)
    with pytest.raises(ExpressionProblem, match=message) as caught:
        ask(cursor("  1"))

    assert (caught.value.start, caught.value.end) == (2, 3)
