from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.config.diagnostics import Diagnostic
from hooksd.config.document import MAX_EXCERPT, MAX_SIZE, Document, read
from hooksd.config.finding import Finding


def problem(file: str, data: bytes) -> Diagnostic:
    found = read(file, data)
    assert not isinstance(found, Document)
    return found[0]


def document(text: str, file: str = "a.toml") -> Document:
    found = read(file, text.encode())
    assert isinstance(found, Document)
    return found


@given(st.binary(max_size=200), st.sampled_from(["a.toml", "a.json"]))
def test_any_bytes_give_a_document_or_a_diagnostic_but_never_an_error(data: bytes, file: str) -> None:
    found = read(file, data)
    if not isinstance(found, Document):
        assert all(1 <= diagnostic.column <= diagnostic.end_column for diagnostic in found)


@given(st.text(alphabet="ab=\"[]{}.,#\n\r\\'1 ", max_size=40))
def test_any_text_gives_a_document_or_a_diagnostic_but_never_an_error(text: str) -> None:
    for file in ("a.toml", "a.json"):
        assert read(file, text.encode())


def test_line_ends_of_windows_do_not_move_columns() -> None:
    windows = document("a = 1\r\nb = 2\r\n")
    assert windows.tree == {"a": 1, "b": 2}
    assert windows.line_of(("b",)) == 2
    assert windows.excerpt(2) == "b = 2"


def test_a_file_that_is_not_utf_8_is_refused_at_the_byte() -> None:
    found = problem("a.toml", b"a = 1\nb = \xe9")
    assert (found.code, found.line, found.column) == ("H001", 2, 5)


def test_a_file_that_is_too_long_is_refused_unread() -> None:
    assert problem("a.toml", b"#" * (MAX_SIZE + 1)).code == "H007"


def test_nesting_is_bounded_in_both_formats() -> None:
    assert problem("a.toml", b"x = " + b"[" * 100 + b"]" * 100).code == "H007"
    assert problem("a.json", b'{"x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}").code == "H007"


def test_a_number_with_thousands_of_digits_is_refused_and_not_computed() -> None:
    assert problem("a.json", b'{"x": ' + b"9" * 10_000 + b"}").code == "H005"
    assert problem("a.toml", b"x = " + b"9" * 10_000).code == "H005"


def test_a_very_long_line_is_not_shown() -> None:
    long = document(f'a = "{"x" * MAX_EXCERPT}"')
    found = long.diagnose(Finding(code="H012", message="m", file="a.toml", path=("a",), part="key"))
    assert found.excerpt is None
    assert found.column == 1


def test_a_finding_without_a_place_stands_at_the_table_that_lacks_it() -> None:
    found = document("# first\n\n[t]\nx = 1\n").diagnose(
        Finding(code="H015", message="m", file="a.toml", path=("t", "missing"), part="header")
    )
    assert (found.line, found.column, found.end_column) == (3, 1, 4)


def test_a_finding_about_the_file_stands_at_its_first_key() -> None:
    found = document("# first\nx = 1\n").diagnose(Finding(code="H010", message="m", file="a.toml", path=()))
    assert (found.line, found.column) == (2, 1)


def test_a_part_of_a_text_is_marked_through_escapes() -> None:
    source = document('x = "a\\tb{{ c }}"')
    found = source.diagnose(Finding(code="H050", message="m", file="a.toml", path=("x",), within=(6, 7)))
    assert found.excerpt is not None
    assert found.excerpt[found.column - 1 : found.end_column - 1] == "c"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ('[webhooks.a]\nauth.secret = "hunter2"', True),
        ('[webhooks.a]\nauth = { password = "hunter2" }', True),
        ('[webhooks.a]\nauth.secret = [\n"hunter2",\n]', True),
        ('[webhooks.a]\nauth.secert = "hunter2"', False),
        ('[webhooks.a]\nauth.secret = "credential:hunter2"', False),
        ('[webhooks.a]\nauth.token = "header:hunter2"', False),
        ('[endpoints.a]\nsecret = """\nhunter2"""', True),
        ('[endpoints.a]\nheaders.X-Token = "hunter2"', True),
        ('[endpoints.a]\nheaders.X-Token = "{{ secrets.hunter2 }}"', False),
        ('[endpoints.a]\nurl = "https://me:hunter2@example.com"', True),
        ('[webhooks.hunter2-secret]\npath = "/hunter2"', False),
    ],
)
def test_literal_secrets_are_hidden_in_excerpts_and_references_are_not(text: str, *, hidden: bool) -> None:
    shown = document(text)
    lines = [shown.excerpt(line + 1) for line in range(text.count("\n") + 1)]
    assert ("hunter2" not in "\n".join(line or "" for line in lines)) is hidden


@pytest.mark.parametrize(
    "line", ["secret = hunter2", 'auth.password = "hunter2', "secret = ['hunter2', hunter2", "token: hunter2 x"]
)
def test_a_secret_in_a_line_that_does_not_parse_is_hidden_too(line: str) -> None:
    assert "hunter2" not in (problem("a.toml", f"{line} =\n".encode()).excerpt or "")


def test_half_a_surrogate_pair_is_refused_in_values_and_keys() -> None:
    assert problem("a.json", b'{"x": "\\ud800"}').code == "H005"
    assert problem("a.json", b'{"\\ud800": 1}').code == "H005"
    assert document('{"x": "\\ud83d\\ude00"}', "a.json").tree == {"x": "\U0001f600"}


def test_the_place_of_a_related_finding_is_that_of_its_key() -> None:
    place = document("a = 1\nb = 2\n").place(("b",), "first here")
    assert (place.file, place.line, place.column, place.excerpt) == ("a.toml", 2, 1, "b = 2")


def test_a_carriage_return_too_many_is_refused() -> None:
    assert problem("a.toml", b"a = 1\r\r\n").code == "H002"
