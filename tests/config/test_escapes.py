from __future__ import annotations

import json

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from hooksd.config.escapes import source_offset


@given(text=st.text(max_size=20), ascii_only=st.booleans())
def test_every_character_of_a_json_text_is_found_in_its_source(text: str, *, ascii_only: bool) -> None:
    raw = json.dumps(text, ensure_ascii=ascii_only)
    for index, char in enumerate(text):
        start, end = source_offset(raw, index), source_offset(raw, index + 1)
        assert json.loads(f'"{raw[start:end]}"') == char


@pytest.mark.parametrize(
    ("raw", "char"),
    [
        ("'abc'", "c"),
        ('"a\\tbc"', "c"),
        ('"\\u00e9\\U0001F600c"', "c"),
        ('"""\nac"""', "c"),
        ("'''\nac'''", "c"),
        ('"""a\\\n   \n  c"""', "c"),
        ('"""a"bc"""', "c"),
    ],
)
def test_a_character_of_a_toml_text_is_found_in_its_source(raw: str, char: str) -> None:
    text = tomli.loads(f"x = {raw}")["x"]
    assert raw[source_offset(raw, text.index(char))] == char


def test_the_end_of_a_text_is_its_closing_delimiter() -> None:
    assert source_offset('"abc"', 3) == 4
    assert source_offset('"abc"', 99) == 4
    assert source_offset("'abc'", 99) == 4


def test_what_is_no_text_has_only_a_start() -> None:
    assert source_offset("[1, 2]", 3) == 0
