"""Names that files define, read without judging what they define."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hooksd.cli.defined import names_in
from tests.cli.conftest import Write

ENDPOINT = 'version = 1\n[endpoints.invoices]\nurl = "https://invoices.example/in"\n'
WEBHOOK = 'version = 1\n[webhooks.github]\nauth.preset = "github"\n'


def test_names_stand_in_every_file_however_they_are_written(write: Write, home: Path) -> None:
    write("a.toml", ENDPOINT)
    write("deeper/b.toml", 'version = 1\nendpoints = { "of b" = { url = "https://b.example" } }\n')
    write("c.json", '{"version": 1, "endpoints": {"of-c": {"url": "https://c.example"}}}')
    write("hooks.toml", WEBHOOK)
    write("d.toml~", "[endpoints.backup]\n")

    found = names_in(home / "hooks.d", "endpoint")

    assert (found.names, found.is_whole) == ({"invoices", "of b", "of-c"}, True)
    assert names_in(home / "hooks.d", "webhook").names == {"github"}


@pytest.mark.parametrize(
    "broken",
    ["version = ", "[endpoints", b"\xff", "endpoints = " + "[" * 100_000, "x = 1" + "0" * 5000],
    ids=["no value", "no end", "not UTF-8", "too deep", "too long a number"],
)
def test_files_that_cannot_be_read_hide_no_others(write: Write, home: Path, broken: str | bytes) -> None:
    write("a.toml", ENDPOINT)
    write("b.toml", "").write_bytes(broken.encode() if isinstance(broken, str) else broken)

    found = names_in(home / "hooks.d", "endpoint")

    assert (found.names, found.is_whole) == ({"invoices"}, False)


@pytest.mark.parametrize("text", ["endpoints = 5", "[[endpoints]]", "[]"])
def test_what_should_be_a_table_of_names_and_is_none_has_no_names(write: Write, home: Path, text: str) -> None:
    write("a.json" if text == "[]" else "a.toml", text)

    assert names_in(home / "hooks.d", "endpoint").names == set()


def test_where_there_is_no_directory_no_name_is_known(home: Path) -> None:
    found = names_in(home / "nowhere", "endpoint")

    assert (found.names, found.is_whole) == (set(), False)


def test_it_ends_in_time_however_many_files_there_are(write: Write, home: Path) -> None:
    write("a.toml", ENDPOINT)

    found = names_in(home / "hooks.d", "endpoint", patience=0)

    assert (found.names, found.is_whole) == (set(), False)


def test_a_file_that_vanishes_or_may_not_be_read_is_one_that_is_not_known(write: Write, home: Path) -> None:
    write("a.toml", ENDPOINT)
    (home / "hooks.d" / "b.toml").symlink_to("nowhere")

    found = names_in(home / "hooks.d", "endpoint")

    assert (found.names, found.is_whole) == ({"invoices"}, False)


def test_what_judges_definitions_is_not_imported() -> None:
    code = (
        "import sys, hooksd.cli.defined; print([n for n in ('pydantic', 'minijinja', 'asyncio') if n in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
