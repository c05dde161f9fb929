"""The log as it grows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.cli.conftest import STORY, Command, Terminal, write_log


@pytest.mark.usefixtures("log")
def test_the_last_records_are_shown_oldest_first(hooksd: Command) -> None:
    result = hooksd("tail", "-n", "2", "--no-follow")

    assert [line.split()[1] for line in result.out.splitlines()] == ["run.ended", "request.refused"]


@pytest.mark.usefixtures("log")
def test_a_type_may_be_a_pattern_and_the_number_counts_what_is_shown(hooksd: Command) -> None:
    result = hooksd("tail", "-n", "3", "--no-follow", "--json", "--type", "run.*", "--type", "request.refused")

    assert [tree["type"] for tree in result.objects()] == ["run.started", "run.ended", "request.refused"]


def test_new_records_appear_once_each_in_order(log: Path, home: Path) -> None:
    command = [sys.executable, "-m", "hooksd", "tail", "-n", "1", "--json"]
    with subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        try:
            first = tail.stdout.readline()
            write_log(log, STORY[:3])
            seen = [tail.stdout.readline() for _ in range(3)]
        finally:
            tail.kill()

    assert '"request.refused"' in first
    assert [record.type for record in STORY[:3]] == [json.loads(line)["type"] for line in seen]


def test_without_a_log_it_says_where_it_looked(hooksd: Command) -> None:
    result = hooksd("tail")

    assert result.status == 64
    assert "there is no log in .hooksd/log" in result.err


@pytest.mark.usefixtures("log")
def test_a_type_that_no_record_has_is_told_of_and_what_may_be_meant(hooksd: Command) -> None:
    told = hooksd("tail", "--no-follow", "--type", "run.endet", "--type", "run.*", "--type", "nothing")

    assert told.status == 0
    assert "no record has a type like `run.endet`: did you mean `run.ended`?" in told.err
    assert "`nothing`: docs/log.md" in told.err
    assert "run.*" not in told.err


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("columns", [60, 80, 300])
def test_on_a_terminal_each_record_is_one_line_that_fits_into_it(
    hooksd: Command, terminal: Terminal, columns: int
) -> None:
    piped = hooksd("tail", "--no-follow").out.splitlines()
    shown = [click.unstyle(line) for line in terminal("tail", "--no-follow", columns=columns)]

    # Times have no year there, as in tables.
    whole = [line.replace("2026-11-22T04:00:00.000Z", "11-22 04:00:00Z") for line in piped]
    assert shown == [line if len(line) <= columns else f"{line[: columns - 1]}…" for line in whole]
    assert any("…" in line for line in shown) is (columns < 300)
    assert not any("…" in line for line in piped)


@pytest.mark.usefixtures("log")
def test_json_is_whole_on_a_terminal_too(hooksd: Command, terminal: Terminal) -> None:
    shown = terminal("tail", "--no-follow", "--json", columns=60)

    assert shown == hooksd("tail", "--no-follow", "--json").out.splitlines()
