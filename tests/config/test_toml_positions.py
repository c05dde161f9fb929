from __future__ import annotations

import math
from typing import Any

import pytest
import tomli
from hypothesis import assume, given
from hypothesis import strategies as st

from hooksd.config.position import Path
from hooksd.config.toml_positions import header_at, toml_positions

KEYS = st.text(alphabet="abAB09_-.\" '\\é\t", min_size=1, max_size=6)
TEXTS = st.text(alphabet="ab\"'\\\n\t{}[]#=,. é", max_size=12)
SCALARS = st.one_of(
    TEXTS, st.integers(-(2**40), 2**40), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(KEYS, children, max_size=3),
    max_leaves=8,
)


def quoted(text: str) -> str:
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(escapes.get(char, char) for char in text) + '"'


def written(value: Any, space: str) -> str:
    """Write a value as TOML, with white space wherever it may stand."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() if "'" not in value and "\n" not in value and len(value) % 2:
            return f"'{value}'"
        case str() if "'''" not in value and not value.endswith("'") and len(value) % 3 == 1:
            return f"'''\n{value}'''"
        case str():
            return quoted(value)
        case list():
            return "[" + ",".join(f"{space}{written(item, space)}{space}" for item in value) + "]"
        case dict():
            pairs = (f"{space}{quoted(key)}{space}={space}{written(item, space)}" for key, item in value.items())
            return "{" + ",".join(pairs) + space + "}"
        case float():
            text = repr(value)
            return text if "e" not in text or "." in text else text.replace("e", ".0e")
        case _:
            return repr(value)


def values_of(tree: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    found = [] if not path else [(path, tree)]
    return found + [pair for key, item in items for pair in values_of(item, (*path, key))]


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.dictionaries(KEYS, VALUES, max_size=3), st.sampled_from(["", " "]))
def test_the_text_at_the_position_of_a_value_parses_to_that_value(
    top: dict[str, Any], table: dict[str, Any], space: str
) -> None:
    lines = [f"{quoted(key)} = {written(value, space)} # [x] = 'y'" for key, value in top.items()]
    inside = [f"  {quoted(key)}={written(value, space)}" for key, value in table.items()]
    text = "\n".join(["# start", *lines, "", '[["t"."a b"]]', *inside, '[["t" . "a b"]]', *inside])
    tree = tomli.loads(text)
    positions = toml_positions(text)
    for path, value in values_of(tree):
        span = positions[path]
        if (path[:2] == ("t", "a b") and len(path) <= 3) or path == ("t",):
            assert text[span.start :].startswith("[[")
            continue
        again = tomli.loads(f"x = {text[span.start : span.end]}")["x"]
        assert again == value or (isinstance(value, float) and math.isclose(again, value))


@given(st.dictionaries(KEYS, SCALARS, min_size=1, max_size=4))
def test_the_text_at_the_position_of_a_key_is_that_key(table: dict[str, Any]) -> None:
    text = "\n".join(f"{quoted(key)} = {written(value, '')}" for key, value in table.items())
    positions = toml_positions(text)
    for key in table:
        span = positions[key,]
        assert tomli.loads(f"{text[span.key_start : span.key_end]} = 1") == {key: 1}


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("a.b.c = 1", ("a", "b", "c"), "1"),
        ("a.b.c = 1", ("a", "b"), "b"),
        ("a . 'b' = 1", ("a", "b"), "1"),
        ("[a.b]\nc = 1", ("a",), "[a"),
        ("[a.b]\nc = 1\n[a]\nd = 2", ("a",), "[a]"),
        ("[[s]]\nx = 1\n[s.t]\ny = 2\n[[s]]\nx = 3", ("s", 0, "t", "y"), "2"),
        ("[[s]]\nx = 1\n[[s]]\nx = 3", ("s", 1, "x"), "3"),
        ("[[s]]\n[[s.t]]\nx = 1\n[[s]]\n[[s.t]]\nx = 2", ("s", 1, "t", 0, "x"), "2"),
        ("d = 1979-05-27 07:32:00Z\ne = 1", ("d",), "1979-05-27 07:32:00Z"),
        ('x = """a""b\\"""""\ny = 2', ("x",), '"""a""b\\"""""'),
        ("x = '''it's'''\ny = 2", ("y",), "2"),
        ("x = [ 1 , [2 ,], # 3\n]\ny = 2", ("x", 1), "[2 ,]"),
        ('"k\\u0041" = 1', ("kA",), "1"),
        ("a = { b = 1,\n c = 2, }", ("a", "c"), "2"),
    ],
)
def test_positions_of_every_kind_of_key_and_table(text: str, path: Path, expected: str) -> None:
    span = toml_positions(text)[path]
    assert text[span.start : span.end] == expected


def test_an_empty_text_has_no_positions() -> None:
    assert toml_positions("# only a comment\n") == {}


def test_a_text_that_no_parser_accepted_is_refused() -> None:
    with pytest.raises(ValueError, match="no TOML at character 0"):
        toml_positions("= 1")


PIECES = (
    "[t.a]",
    "[t.b]",
    "[t.a.b]",
    " [t.b] # first",
    '[t."a.b"]',
    "[[t.c]]",
    "# [t.b]",
    'x = "[t.b]"',
    "y = [\n  ['t.b'],\n  [2]\n]",
    'z = """\n[t.b]\n"""',
    "z = '''\n[t.b]\n'''",
)
NAMES = ("a", "b", "c", "a.b", "")


@given(st.lists(st.sampled_from(PIECES), max_size=6), st.sampled_from(NAMES))
def test_a_header_that_is_found_without_reading_the_text_stands_where_reading_finds_it(
    pieces: list[str], name: str
) -> None:
    text = "\n".join(pieces)
    try:
        tomli.loads(text)
    except tomli.TOMLDecodeError:
        assume(False)
    at = header_at(text, ("t", name))
    assert at is None or at == toml_positions(text)["t", name].start


def test_most_headers_are_found_without_reading_the_text() -> None:
    text = "version = 1\n\n[webhooks.a-b]\nauth.type = 'none'\n\n[webhooks.c]\n"
    assert header_at(text, ("webhooks", "a-b")) == text.index("[webhooks.a-b]")
    assert header_at(text, ("webhooks", "c")) == text.index("[webhooks.c]")
    assert header_at("[webhooks.c]", ("webhooks", "c")) == 0
    assert header_at(text, ("webhooks", "d")) is None
