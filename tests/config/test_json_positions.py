from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.config.json_positions import json_positions
from hooksd.config.position import Path

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=4), children, max_size=3),
    max_leaves=10,
)


def values_of(tree: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [(path, tree)] + [pair for key, item in items for pair in values_of(item, (*path, key))]


@given(
    tree=st.dictionaries(st.text(max_size=4), VALUES, max_size=4),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 0, 2]),
)
def test_the_text_at_the_position_of_a_value_parses_to_that_value(
    *, tree: dict[str, Any], ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(tree, ensure_ascii=ascii_only, indent=indent)
    positions, repeated = json_positions(text)
    assert repeated == ()
    for path, value in values_of(tree):
        if not path:
            continue
        span = positions[path]
        assert json.loads(text[span.start : span.end]) == value
        if isinstance(path[-1], str):
            assert json.loads(text[span.key_start : span.key_end]) == path[-1]


def test_a_repeated_key_is_told_with_both_places() -> None:
    text = '{"a": {"b": 1, "c": 2, "b": 3}}'
    _, repeated = json_positions(text)
    ((path, first, again),) = repeated
    assert path == ("a", "b")
    assert text[first.start : first.end] == "1"
    assert text[again.start : again.end] == "3"


def test_keys_that_are_spelled_differently_are_still_the_same() -> None:
    _, repeated = json_positions('{"a": 1, "\\u0061": 2}')
    assert [path for path, _, _ in repeated] == [("a",)]


def test_the_same_key_in_two_objects_is_no_repetition() -> None:
    assert json_positions('[{"a": 1}, {"a": 2}]')[1] == ()


def test_a_text_that_no_parser_accepted_is_refused() -> None:
    with pytest.raises(ValueError, match="no JSON at character 1"):
        json_positions("{x: 1}")
