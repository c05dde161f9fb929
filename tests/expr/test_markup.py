from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.expr.markup import Block, Output, Text, is_template, split
from hooksd.expr.problem import ExpressionProblem


def shape(source: str) -> list[str]:
    return [part.text if isinstance(part, Text) else source[part.start : part.end] for part in split(source)]


def test_a_template_is_text_outputs_and_blocks() -> None:
    parts = split("a {{ body.x }}{% if body.y %} b")

    assert [type(part) for part in parts] == [Text, Output, Block, Text]


def test_the_parts_are_all_of_the_source() -> None:
    assert shape("a {{ body.x }}{% if body.y %} b\n") == ["a ", "{{ body.x }}", "{% if body.y %}", " b\n"]


def test_a_minus_removes_the_white_space_on_its_side() -> None:
    assert shape("a \n{{- 1 }} b") == ["a", "{{- 1 }}", " b"]
    assert shape("a {{ 1 -}} \n b") == ["a ", "{{ 1 -}}", "b"]
    assert shape("a {%- if 1 -%} b") == ["a", "{%- if 1 -%}", "b"]


def test_what_is_raw_is_copied() -> None:
    assert shape("{% raw %}{{ x }}{% if %}{% endraw %}!") == ["{{ x }}{% if %}", "!"]


def test_lone_braces_and_comment_marks_are_text() -> None:
    assert shape("} }} %} {# {") == ["} }} %} {# {"]
    assert not is_template("} }} {# #}")
    assert is_template("{{ x")
    assert is_template("{% x")


@pytest.mark.parametrize(
    ("source", "message", "marked"),
    [
        ("a {{ body.x", "the end `}}` is missing", "{{ body.x"),
        ("a {% if x", "the end `%}` is missing", "{% if x"),
        ("{% raw %} x", "`{% endraw %}` is missing", "{% raw %}"),
        ("{% 1 %}", "a word like `if` is missing", "1"),
        ("{{ 'x }}", "never ends", "'x }}"),
    ],
)
def test_what_never_ends_is_marked_from_its_beginning(source: str, message: str, marked: str) -> None:
    with pytest.raises(ExpressionProblem) as caught:
        split(source)

    assert message in caught.value.message
    assert source[caught.value.start : caught.value.end] == marked


@given(st.text("ab {}\n'", max_size=30))
def test_text_without_opening_marks_stays_as_it_is(source: str) -> None:
    if not is_template(source):
        assert "".join(shape(source)) == source
