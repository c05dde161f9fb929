"""Nothing that data holds can steer a terminal."""

from __future__ import annotations

import unicodedata

import click
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.cli.output import as_json, as_pretty_json, counted, safe, shortened, table

EVIL = "\x1b]0;owned\x07 \x9b31m \u202e\r\n\x00"


def test_control_characters_are_shown_and_not_obeyed() -> None:
    assert safe(EVIL) == r"\x1b]0;owned\x07 \x9b31m \u202e\x0d\x0a\x00"


@given(st.text())
def test_no_text_has_a_control_character_left(text: str) -> None:
    assert {unicodedata.category(char) for char in safe(text)}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})


@given(st.dictionaries(st.text(), st.text() | st.integers(-(2**53), 2**53) | st.none()))
def test_json_stays_the_same_value_on_one_line_without_control_characters(tree: dict[str, object]) -> None:
    try:
        line = as_json(tree)
    except orjson.JSONEncodeError:
        return  # a lone surrogate, which no record holds

    assert orjson.loads(line) == tree
    assert safe(line) == line


def test_json_for_people_is_harmless_too() -> None:
    text = as_pretty_json({"name": EVIL})

    assert orjson.loads(text) == {"name": EVIL}
    assert "\x9b" not in text


def test_a_table_has_columns_as_wide_as_their_cells_and_no_spaces_at_the_end() -> None:
    lines = [click.unstyle(line) for line in table(("NAME", "X"), [("a", 1), ("longer\x1b", "")])]

    assert lines == ["NAME        X", "a           1", r"longer\x1b"]


@pytest.mark.parametrize(("length", "text"), [(5, "hello"), (4, "hel…")], ids=["fits", "cut"])
def test_a_cut_shows(length: int, text: str) -> None:
    assert shortened("hello", length) == text


def test_what_is_counted_is_told_in_words() -> None:
    assert counted({"webhooks": 1, "workflows": 2, "roles": 0}) == "1 webhook, 2 workflows, 0 roles"
    assert counted({"runs": 1, "deliveries": 1}) == "1 run, 1 delivery"
