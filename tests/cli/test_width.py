"""What a text takes on a terminal, and texts that are cut to what there is."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.cli.output import safe
from hooksd.cli.width import cells, fitted, padded, shortened

PARTS = st.lists(st.tuples(st.text(max_size=12), st.sampled_from([None, "red", "bright_black"])), max_size=6)


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("hello", 5), ("größe", 5), ("日本", 4), ("🎉!", 3), ("e\u0301", 1), ("a\u200bb", 2), ("\uff57", 2)],
    ids=["none", "ASCII", "Latin", "wide", "emoji", "combining", "invisible", "full width"],
)
def test_characters_take_as_many_cells_as_a_terminal_gives_them(text: str, count: int) -> None:
    assert cells(text) == count


@pytest.mark.parametrize(
    ("text", "length", "short"),
    [
        ("hello", 5, "hello"),
        ("hello", 4, "hel…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
    ],
    ids=["fits", "cut", "wide and fits", "wide and cut", "half a character is none"],
)
def test_a_cut_shows(text: str, length: int, short: str) -> None:
    assert shortened(text, length) == short


@given(st.text(max_size=40), st.integers(1, 50))
def test_no_text_is_wider_than_it_may_be_and_none_is_cut_that_fits(text: str, length: int) -> None:
    short = shortened(text, length)

    assert cells(short) <= length
    assert (short == text) is (cells(text) <= length)


def test_cells_of_a_table_are_filled_up_to_the_width_of_what_is_shown() -> None:
    assert (padded("日本", 6), padded("ab", 6), padded("abcdef", 3)) == ("日本  ", "ab    ", "abcdef")


@given(PARTS, st.integers(1, 40))
def test_a_coloured_line_is_cut_as_its_text_would_be_and_no_colour_runs_out_of_it(
    parts: list[tuple[str, str | None]], width: int
) -> None:
    line = "".join(click.style(safe(text), fg=tone) for text, tone in parts)

    cut = fitted(line, width)

    assert click.unstyle(cut) == shortened(click.unstyle(line), width)
    assert "\x1b" not in cut or cut.rfind("\x1b[0m") > cut.rfind("\x1b[3")


def test_a_line_that_fits_or_that_no_terminal_shows_stays_as_it_is() -> None:
    line = click.style("hello", fg="red")

    assert (fitted(line, 5), fitted(line * 9, None)) == (line, line * 9)
