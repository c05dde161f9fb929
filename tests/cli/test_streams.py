"""Commands start whatever their standard streams are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.cli.conftest import Terminal, Write

HOOKSD = f"{sys.executable} -m hooksd"


def shell(command: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", command], cwd=home, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"], ids=["input", "output", "errors", "all"])
@pytest.mark.parametrize("command", ["deliveries", "tail --no-follow", "validate"])
def test_a_closed_stream_is_no_fault(home: Path, write: Write, command: str, closed: str) -> None:
    write("a.toml", "version = 1\n")

    done = shell(f"{HOOKSD} {command} {closed}", home)

    assert (done.returncode, done.stderr) == (0, "")


def test_no_file_takes_the_number_of_a_closed_stream(home: Path) -> None:
    code = "from hooksd.cli import streams; streams.prepare(); import sys; f = open('x', 'w'); sys.exit(f.fileno() < 3)"

    done = shell(f'{sys.executable} -c "{code}" <&- >&- 2>&-', home)

    assert done.returncode == 0


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("command", ["deliveries", "tail --no-follow"])
def test_a_terminal_that_has_not_every_character_gets_escapes(terminal: Terminal, command: str) -> None:
    shown = terminal(*command.split(), columns=60, PYTHONIOENCODING="latin-1")

    assert any(click.unstyle(line).endswith("\\u2026") for line in shown)
    assert not any("Traceback" in line for line in shown)
