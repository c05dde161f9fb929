"""The entrance: fast, kind, and with exit codes that scripts can rely on."""

from __future__ import annotations

import errno
import importlib
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hooksd import __version__
from hooksd.cli import main as entrance
from hooksd.cli.invocation import FLAGS
from hooksd.cli.main import BUG, COMMANDS, CUT_OFF, cli
from hooksd.errors import JournalBroken
from tests.cli.conftest import EVENT, Command, FakeDaemon, Terminal, Write

COMMANDS_DOC = Path(__file__).parent.parent.parent / "docs" / "commands.md"
HEAVY = (
    "pydantic",
    "starlette",
    "uvicorn",
    "httpx",
    "structlog",
    "minijinja",
    "asyncio",
    "rich",
    "orjson",
)


def test_the_version_is_printed_without_importing_what_it_does_not_need() -> None:
    code = f"""
import sys
from hooksd.cli.main import main
try:
    main(["--version"])
finally:
    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)

    assert done.stdout == f"hooksd {__version__}\n"
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_asked_for_help(hooksd: Command, name: str) -> None:
    result = hooksd(name, "--help")

    assert result.status == 0
    assert result.out.startswith(f"Usage: hooksd {name} ")


def test_help_lists_every_command(hooksd: Command) -> None:
    out = hooksd("--help").out

    assert [name for name in COMMANDS if not re.search(rf"^  {name} ", out, re.MULTILINE)] == []


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["list", "--nonsense"], ["tail", "-n", "many"], ["trigger"]],
    ids=["command", "option", "number", "missing argument"],
)
def test_a_command_line_that_cannot_be_meant_ends_with_64(hooksd: Command, arguments: list[str]) -> None:
    result = hooksd(*arguments)

    assert result.status == 64
    assert result.out == ""
    assert result.err.startswith("Usage: hooksd ")
    assert "\n\nerror: " in result.err


def test_options_work_before_and_after_the_command(hooksd: Command, home: Path) -> None:
    (home / "elsewhere").mkdir()

    before = hooksd("--hooks-dir", "elsewhere", "validate")
    after = hooksd("validate", "--hooks-dir", "elsewhere")

    assert before == after
    assert before.status == 0


def test_a_setting_that_is_wrong_ends_with_78(hooksd: Command) -> None:
    result = hooksd("--listen", "nowhere", "serve")

    assert result.status == 78
    assert "--listen" in result.err


def test_the_file_of_settings_may_be_named_in_the_environment(
    hooksd: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOKSD_CONFIG", str(home / "missing.toml"))

    result = hooksd("status")

    assert result.status == 78
    assert "missing.toml: there is no such file" in result.err


def test_no_daemon_ends_with_69_and_says_how_to_start_one(hooksd: Command) -> None:
    result = hooksd("status")

    assert result.status == 69
    assert "no daemon answers on unix:.hooksd/state/admin.sock" in result.err
    assert "hooksd serve" in result.err


def test_an_error_of_ours_ends_with_its_own_status(hooksd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise JournalBroken("disk gone")

    monkeypatch.setattr(cli, "main", broken)

    result = hooksd("list")

    assert result.status == 74
    assert result.err == "error: disk gone\n"


def test_a_fault_of_ours_says_so_and_shows_where(hooksd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "main", broken)

    result = hooksd("list")

    assert result.status == BUG
    assert "please report it" in result.err
    assert "ZeroDivisionError" in result.err


def test_an_interrupted_command_ends_with_130(hooksd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupted)

    assert hooksd("list").status == 130


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -c 'from hooksd.cli.main import main; main()' schema hooks.v1 | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30, check=False)

    assert done.stdout.startswith("{")
    assert done.stderr == ""


def test_a_command_that_is_cut_off_ends_as_other_programs_do_and_says_nothing(home: Path) -> None:
    schema = f"{sys.executable} -c 'from hooksd.cli.main import main; main()' schema hooks.v1"
    command = f"({schema}; echo $? >&2) | true"
    # A whole schema does not fit into a pipe that nobody reads.
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30, check=False, cwd=home)

    assert done.stderr == f"{CUT_OFF}\n"


def test_output_that_cannot_be_written_is_no_fault_of_ours() -> None:
    command = f"{sys.executable} -c 'from hooksd.cli.main import main; main()' --help > /dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30, check=False)

    assert done.stderr == "error: what is printed cannot be written: No space left on device\n"
    assert done.returncode == 74


def test_a_file_that_may_not_be_read_is_named_with_who_may(hooksd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/var/log/hooksd")

    monkeypatch.setattr(cli, "main", locked)

    result = hooksd("tail")

    assert result.status == 74
    assert result.err == "error: '/var/log/hooksd': Permission denied; run this as the daemon's user, or as root\n"


def test_an_error_of_the_system_that_names_no_file_is_a_fault_of_ours(
    hooksd: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(cli, "main", broken)

    assert hooksd("tail").status == BUG


def test_a_misspelt_command_is_told_what_was_meant(hooksd: Command) -> None:
    assert "No such command 'stats'. Did you mean 'status'?" in hooksd("stats").err


def options_of(name: str) -> list[str]:
    command = importlib.import_module(COMMANDS[name][0]).command
    commands = [command, *(command.commands.values() if isinstance(command, click.Group) else ())]
    return [option for one in commands for parameter in one.params for option in parameter.opts if option[0] == "-"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_option_is_documented(name: str) -> None:
    text = COMMANDS_DOC.read_text()
    section = re.search(rf"^## hooksd {name}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)

    assert section is not None, f"docs/commands.md has no heading `## hooksd {name}`"
    shared = {option for parameter in cli.params for option in parameter.opts}
    own = [option for option in options_of(name) if option.startswith("--") and option not in shared]
    assert [option for option in own if f"`{option}" not in section[1]] == []
    assert [option for option in shared if f"`{option}" not in text] == []


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hooksd", "--version"], capture_output=True, text=True, timeout=30, check=False
    )

    assert done.stdout == f"hooksd {__version__}\n"


def test_the_entry_point_runs_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    monkeypatch.setattr(entrance, "main", lambda: ran.append(True))

    importlib.import_module("hooksd.__main__").main()

    assert ran == [True]


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(("value", "is_coloured"), [("", True), ("1", False)], ids=["empty", "set"])
@pytest.mark.parametrize(
    "arguments", [["tail", "--no-follow"], ["deliveries"], ["explain", EVENT]], ids=lambda it: it[0]
)
def test_colours_are_left_out_where_no_color_says_so(
    terminal: Terminal, arguments: list[str], value: str, *, is_coloured: bool
) -> None:
    shown = terminal(*arguments, NO_COLOR=value)

    assert any("\x1b[" in line for line in shown) is is_coloured


@pytest.mark.parametrize(("value", "is_coloured"), [("", True), ("1", False)], ids=["empty", "set"])
def test_errors_have_none_there_either(terminal: Terminal, write: Write, value: str, *, is_coloured: bool) -> None:
    write("broken.toml", "version = 2\n")

    shown = terminal("validate", NO_COLOR=value)

    assert any("error[" in click.unstyle(line) for line in shown)
    assert any("\x1b[" in line for line in shown) is is_coloured


def _every() -> Iterator[tuple[str, click.Command]]:
    """Every command and every command of a command, by what is typed."""
    for name, (module, _) in COMMANDS.items():
        command: click.Command = importlib.import_module(module).command
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {part}", one) for part, one in command.commands.items())


@pytest.mark.parametrize(("typed", "command"), list(_every()), ids=[typed for typed, _ in _every()])
def test_help_says_something_of_every_option_and_is_cut_nowhere(
    hooksd: Command, typed: str, command: click.Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = hooksd(*typed.split(), "--help").out

    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []
    assert "..." not in out.partition("\nCommands:\n")[2]
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("typed", [typed for typed, _ in _every()])
def test_the_options_of_every_command_may_stand_before_and_behind_its_name(typed: str) -> None:
    command = dict(_every())[typed]

    assert {"config", *FLAGS} <= {option.name for option in command.params}


def test_a_question_that_is_not_answered_ends_its_line(
    hooksd: Command, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.says("GET /api/v1/webhooks/leads", 200, {"origin": {"file": "leads.toml", "line": 1}})
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))

    result = hooksd("webhook", "delete", "leads")

    assert (result.status, result.err) == (130, "remove webhook leads (leads.toml:1)? [y/N]: \n")
