"""Words of a shell, whatever bytes are in them."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hooksd.cli.output import safe
from hooksd.cli.shell import LONGEST, Variables, bytes_of, is_plain, word

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)


def said(script: str, **variables: str) -> bytes:
    """Return what a shell prints."""
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, check=True, env={"PATH": "/usr/bin:/bin", **variables}
    )
    return done.stdout


@settings(max_examples=40, deadline=None)
@given(TEXT)
@example("'; touch /tmp/evil; '")
@example("\n0")
@example('$(id) `id` \\ " ! * ? ~ # & | > <')
@example("\x1b]0;title\x07 \u202e %s %b \\n")
def test_a_word_is_the_text_and_steers_no_terminal(text: str) -> None:
    text = text.rstrip("\n")  # what stands in headers and URLs has no line ends
    written = word(text)

    shown = written.replace("\n", "").replace("\t", "")
    assert safe(shown) == shown
    assert said(f"printf %s {written}") == text.encode()


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=100))
def test_bytes_come_out_as_they_are(raw: bytes) -> None:
    assert said(bytes_of(raw)) == raw


def test_bytes_may_be_more_than_a_system_takes_in_one_word() -> None:
    raw = bytes(range(256)) * 2000
    done = subprocess.run(["/bin/sh"], input=bytes_of(raw).encode(), capture_output=True, check=True)

    assert done.stdout == raw


@pytest.mark.parametrize(
    ("raw", "is_one"),
    [
        (b"", True), (b'{"a":\n\t1}', True), ("é".encode(), True), (b"a\x00b", False), (b"\x1b[31m", False),
        (b"a\rb", False), ("\u202e".encode(), False), (b"\xff", False), (b"x" * (LONGEST + 1), False),
    ],
)  # fmt: skip
def test_text_is_plain_when_a_terminal_only_shows_it(raw: bytes, is_one: bool) -> None:  # noqa: FBT001 - a table
    assert is_plain(raw) is is_one


def test_secrets_are_variables_that_must_be_set() -> None:
    variables = Variables()
    first, second = variables.word("Token ***", "X-Token", "the header X-Token"), variables.word("***", "X-Token", "b")
    script = f"printf '%s|' {first} {second}"
    whole = "\n".join([*variables.needed(), script])

    assert said(whole, SECRET_X_TOKEN="$(id)'", SECRET_X_TOKEN_2="two") == b"Token $(id)'|two|"
    with pytest.raises(subprocess.CalledProcessError) as caught:
        said(whole, SECRET_X_TOKEN="one")
    assert b"SECRET_X_TOKEN_2" in caught.value.stderr
    assert caught.value.stdout == b""


@given(TEXT, TEXT)
def test_what_a_secret_is_called_cannot_be_a_command(name: str, place: str) -> None:
    variables = Variables()
    variables.word("***", name, place)

    (line,) = variables.needed()
    assert all(mark not in line[5:-5] for mark in "`$\\\"'\n;&|")


def test_a_text_without_a_secret_is_a_word() -> None:
    variables = Variables()

    assert (variables.word("a b", "x", "x"), variables.word("", "x", "x"), variables.needed()) == ("'a b'", "''", [])
