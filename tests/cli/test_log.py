"""The log as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import STORY, Command, write_log
from tests.journal.bad_disk import flip

SEGMENT = "log-0000000001.jsonl"


@pytest.fixture
def sound(home: Path) -> Path:
    """A log whose every body is there."""
    directory = home / ".hooksd" / "log"
    write_log(directory, STORY[1:4])
    return directory


@pytest.mark.usefixtures("sound")
def test_a_sound_log_says_so_and_exits_with_0(hooksd: Command) -> None:
    result = hooksd("log", "verify")

    assert (result.status, result.out) == (0, "")
    assert result.err == "files: 1, records: 4, problems: 0\n"


def test_damage_is_named_by_file_line_and_byte_and_exits_with_1(hooksd: Command, sound: Path) -> None:
    offset = (sound / SEGMENT).read_bytes().index(b'"attempt":1')
    flip(sound / SEGMENT, offset, bits=(0, 1, 2))
    start = (sound / SEGMENT).read_bytes().rindex(b"\n", 0, offset) + 1

    result = hooksd("log", "verify")

    assert result.status == 1
    assert result.out.startswith(f"{SEGMENT}:3 (byte {start}): damaged: ")
    assert result.err == "files: 1, records: 3, problems: 1\n"


def test_problems_are_json_on_request(hooksd: Command, sound: Path) -> None:
    flip(sound / SEGMENT, 40)

    (problem,) = hooksd("log", "verify", "--json").objects()

    assert (problem["segment"], problem["offset"], problem["line"], problem["kind"]) == (SEGMENT, 0, 1, "flipped")


@pytest.mark.usefixtures("log")
def test_a_definition_that_is_gone_is_a_problem(hooksd: Command) -> None:
    result = hooksd("log", "verify")

    assert result.status == 1
    assert "body: 'sha256:0' is not the name of a body" in result.out


def test_without_a_log_it_says_where_it_looked(hooksd: Command) -> None:
    result = hooksd("log", "verify")

    assert result.status == 64
    assert "there is no log in .hooksd/log" in result.err


def test_a_file_that_cannot_be_read_ends_with_74(hooksd: Command, sound: Path) -> None:
    (sound / "log-0000000002.jsonl").mkdir()

    result = hooksd("log", "verify")

    assert result.status == 74
    assert "cannot be read" in result.err


def test_a_directory_that_holds_no_log_is_not_said_to_be_in_order(hooksd: Command, home: Path) -> None:
    (home / "hooks.d").mkdir()
    (home / "hooks.d" / "hello.toml").write_text("version = 1\n")

    result = hooksd("log", "verify", "--log-dir", "hooks.d")

    assert (result.status, result.out) == (64, "")
    assert "there is no log in hooks.d; name the directory with --log-dir" in result.err
