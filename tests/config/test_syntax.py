"""What people write who break a file, and what they are told: where it broke, not only where reading stopped."""

from __future__ import annotations

import pytest

from hooksd.config.diagnostics import Diagnostic
from hooksd.config.document import Document, read
from hooksd.config.syntax import deep_slip, json_slip, number_slip, toml_slip


def said(file: str, text: str) -> Diagnostic:
    found = read(file, text.encode())
    assert not isinstance(found, Document)
    return found[0]


def meant(found: Diagnostic, text: str) -> str:
    """Return what the caret stands below."""
    return text.split("\n")[found.line - 1][found.column - 1 : found.end_column - 1]


@pytest.mark.parametrize(
    ("text", "place", "below", "message", "hint"),
    [
        ('on = "a"\non = "b"\n', (2, 1), "on", "`on` has a value already", "remove one of them"),
        ("[a]\nb.c = 1\nb.c = 2\n", (3, 1), "b.c", "`b.c` has a value already", "remove one of them"),
        ("[t.a]\nx = 1\n[t.a]\n", (3, 1), "[t.a]", "`[t.a]` stands above already", "double brackets"),
        ('steps = "x"\n[[steps]]\n', (2, 1), "[[steps]]", "`steps` is something else above", "not `steps = ...`"),
        ("[steps]\nx = 1\n[[steps]]\n", (3, 1), "[[steps]]", "`steps` is something else above", "`[steps]`"),
        ("a = { x = 1 }\na.y = 2\n", (2, 1), "a.y", "adds to what is complete already", "in one place"),
        ('a = "x\nb = 1\n', (1, 7), "", "the text is not closed on its line", "close it"),
        ("a = 'x\nb = 1\n", (1, 5), "'", "the text that begins here is not closed on its line", "close it"),
        ("a = 'x\nb = 'y'\n", (1, 7), "", "the text is not closed on its line", "close it"),
        ('a = "x', (1, 7), "", "the text is not closed", "close it"),
        ('b = 1\na = """x\ny\n', (2, 5), '"""', "the text that begins here never ends", 'close it with """'),
        ("b = 1\na = '''x\ny\n", (2, 5), "'''", "the text that begins here never ends", "close it with '''"),
        ('run = [\n  "a"\n\n[x]\n', (1, 7), "[", "this is never closed by `]`", "missing before line 4, column 1"),
        ("a = { b = 1 c = 2 }\n", (1, 5), "{", "this is never closed by `}`", "missing before line 1, column 13"),
        ("a =\nb = 1\n", (1, 4), "", "a value is missing", "write it behind the `=`"),
        ("a = # later\n", (1, 5), "#", "a value is missing", "write it behind the `=`"),
        ('a == "x"\n', (1, 4), "=", "one `=` too many", "one `=`"),
        ("a = “x”\n", (1, 5), "“", "“ is no quote in TOML", "write \" or '"),
        ("a = True\n", (1, 5), "True", "invalid value", "write `true` or `false`"),
        ("a = null\n", (1, 5), "null", "invalid value", "leave the key out"),
        ("a = manual\n", (1, 5), "manual", "invalid value", "texts stand in quotes"),
        ("a = +\n", (1, 5), "+", "invalid value", None),
        ('a = "C:\\Users"\n', (1, 8), "\\U", "a backslash that escapes nothing", "write `\\\\`"),
        ('a = "\\d"\n', (1, 6), "\\d", "a backslash that escapes nothing", "write `\\\\`"),
        ("a = 1\n<<<<<<< HEAD\nb = 1\n", (2, 1), "<<<<<<<", "a merge that is not finished", "choose one"),
        ("a = 1\n=======\nb = 1\n", (2, 1), "=======", "a merge that is not finished", "choose one"),
        ("a = 1\rb = 2\r", (1, 6), "\r", "expected newline or end of document after a statement", "LF or CR LF"),
        ("a = 01\n", (1, 6), "1", "expected newline or end of document after a statement", "no zero in front"),
        ("a = 1x\n", (1, 6), "x", "expected newline or end of document after a statement", None),
        ("a: 1\n", (1, 2), ":", "expected '=' after a key in a key/value pair", "separates key and value by `=`"),
        ('{"version": 1}\n', (1, 1), "{", "invalid statement", "ends with `.json`"),
    ],
)
def test_toml_is_told_what_was_meant(
    text: str, place: tuple[int, int], below: str, message: str, hint: str | None
) -> None:
    found = said("a.toml", text)

    assert (found.code, found.line, found.column) == ("H002", *place)
    assert meant(found, text) == below
    assert message in found.message
    assert (found.hint is None) == (hint is None)
    assert (hint or "") in (found.hint or "")


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("", (1, 1), "the file is empty", "write an object"),
        ('{\n  "a": 1,\n}', (2, 9), "a comma behind the last item", "remove it"),
        ('{"a": [1, ]}', (1, 9), "a comma behind the last item", "remove it"),
        ('{"a": "b', (1, 7), "the text that begins here never ends", "close it"),
        ('{"a": {', (1, 8), "the file ends too early", "close what is open"),
        ('{"a": 1', (1, 8), "the file ends too early", "close what is open"),
        ('{"a": "b\nc"}', (1, 9), "a control character, like a line end or a tab, in a text", "write `\\n`"),
        ('{"a": "\\x41"}', (1, 8), "a backslash that escapes nothing", "write `\\\\`"),
        ('{"a": 1} b', (1, 10), "something stands behind the end", "one object"),
        ('{"a" 1}', (1, 6), "expecting ':' delimiter", None),
        ('{"a": True}', (1, 7), "expected a value", "JSON writes `true`"),
        ('{"a": b}', (1, 7), "expected a value", None),
        ("{'a': 1}", (1, 2), "expected a key in double quotes", "double quotes"),
        ('{"a": 1, # b\n}', (1, 10), "expected a key in double quotes", "no comments"),
        ('{\n<<<<<<< HEAD\n  "a": 1}', (2, 1), "a merge that is not finished", "choose one"),
    ],
)
def test_json_is_told_what_was_meant_in_the_same_words_by_every_python(
    text: str, place: tuple[int, int], message: str, hint: str | None
) -> None:
    found = said("a.json", text)

    assert (found.code, found.line, found.column) == ("H003", *place)
    assert message in found.message
    assert (found.hint is None) == (hint is None)
    assert (hint or "") in (found.hint or "")


@pytest.mark.parametrize("file", ["a.toml", "a.json"])
def test_what_is_too_deep_is_told_where_it_goes_too_deep(file: str) -> None:
    text = '{"x": "[",\n "y": ' if file == "a.json" else 'x = "["\ny = '

    found = said(file, text + "[" * 100_000)

    assert (found.code, found.line) == ("H007", 2)


def test_brackets_that_are_closed_are_not_deep() -> None:
    assert deep_slip("[] {} '[' \"[\" [[", 1).start == 15


def test_a_number_of_thousands_of_digits_is_found() -> None:
    found = number_slip("a = 1\nb = " + "9" * 5000)

    assert (found.start, found.end) == (10, 5010)
    assert "64 bits" in found.message


def test_what_a_parser_says_that_nobody_foresaw_is_passed_on() -> None:
    assert toml_slip("?", 0, "Something new").message == "something new"
    assert toml_slip("?", 0, "Cannot do that").message == "cannot do that"
    assert json_slip("?", 0, "Something new").message == "something new"
