"""Nothing that data holds can steer a terminal."""

from __future__ import annotations

import sys
import unicodedata

import click
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.cli.output import as_json, as_pretty_json, counted, safe, table, terminal_width
from hooksd.cli.width import cells

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


WIDE = (("2026", "POST https://erp.example/in/a/long/way", "dlv_01a20177-4243-7000-8000-000000000001 attempt 1: 503"),)


@pytest.mark.parametrize(
    ("width", "row"),
    [
        (None, "2026  POST https://erp.example/in/a/long/way  dlv_01a20177-4243-7000-8000-000000000001 attempt 1: 503"),
        (104, "2026  POST https://erp.example/in/a/long/way  dlv_01a20177-4243-7000-8000-000000000001 attempt 1: 503"),
        (100, "2026  POST https://erp.example/in/a/long/way  dlv_01a20177-4243-7000-8000-000000000001 attempt 1: 5…"),
        (70, "2026  POST https://erp.ex…  dlv_01a20177-4243-7000-8000-000000000001 …"),
        (62, "2026  POST https:…  dlv_01a20177-4243-7000-8000-000000000001 …"),
        (61, "2026  POST https://erp.example/in/a/long/way  dlv_01a20177-4…"),
        (50, "2026  POST https://erp.example/in/a…  dlv_01a2017…"),
        (10, "2026  POST https:…  …"),
    ],
    ids=["no terminal", "fits", "cut", "another column gives way", "the least", "no room for it", "both", "too narrow"],
)
def test_on_a_terminal_a_row_is_one_line_and_what_is_last_is_cut_after_its_first_word(
    width: int | None, row: str
) -> None:
    lines = [
        click.unstyle(line) for line in table(("TIME", "WHAT", "DETAIL"), WIDE, width=width, cuts=((-1, 42), (1, 12)))
    ]

    assert lines[1] == row
    assert lines[0].split() == ["TIME", "WHAT", "DETAIL"] if width != 10 else True


@given(
    st.lists(st.tuples(*[st.text(alphabet="ab \u65e5\u0301", max_size=60)] * 4), min_size=1, max_size=5),
    st.integers(60, 200),
)
def test_no_row_is_wider_than_the_terminal(rows: list[tuple[str, ...]], width: int) -> None:
    header = ("ONE", "TWO", "THREE", "FOUR")
    lines = [click.unstyle(line) for line in table(header, rows, width=width, cuts=((0, 12), (1, 12), (2, 12)))]

    assert max(map(cells, lines)) <= width
    assert [click.unstyle(line) for line in table(header, rows, width=1000)] == [
        click.unstyle(line) for line in table(header, rows)
    ]


@pytest.mark.parametrize(("is_terminal", "width"), [(True, 93), (False, None)])
def test_only_a_terminal_has_a_width(monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool, width: int | None) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    monkeypatch.setenv("COLUMNS", "93")

    assert terminal_width() == width


def test_what_is_counted_is_told_in_words() -> None:
    assert counted({"webhooks": 1, "workflows": 2, "roles": 0}) == "1 webhook, 2 workflows, 0 roles"
    assert counted({"runs": 1, "deliveries": 1}) == "1 run, 1 delivery"
