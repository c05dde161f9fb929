from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from hooksd.cli.history import DEFAULT, DEFAULT_HOOKS, hooks_dir_of, log_of
from hooksd.cli.invocation import Invocation
from hooksd.config.settings import Settings
from hooksd.errors import SettingsRejected, UsageError


def context(**flags: str) -> click.Context:
    invocation = Invocation()
    invocation.flags.update(flags)
    return click.Context(click.Command("tail"), obj=invocation)


def test_a_log_that_is_not_there_is_named(home: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no log in \.hooksd/log"):
        log_of(context())


def test_the_log_is_where_the_settings_say(home: Path) -> None:
    (home / "elsewhere").mkdir()
    (home / "hooksd.toml").write_text('log_dir = "elsewhere"\n')

    assert list(log_of(context()).forward()) == []
    with pytest.raises(UsageError, match="there is no log in nowhere"):
        log_of(context(log_dir="nowhere"))


def test_so_are_the_definitions(home: Path) -> None:
    (home / "hooksd.toml").write_text('hooks_dir = "elsewhere"\n')

    assert hooks_dir_of(context()) == Path("elsewhere")
    assert hooks_dir_of(context(hooks_dir="nowhere")) == Path("nowhere")


@pytest.mark.parametrize("text", ["log_dri = 'x'\n", "log_dir = 5\n", "log_dir =\n"])
def test_a_wrong_setting_is_said_before_the_wrong_log_is_read(home: Path, text: str) -> None:
    DEFAULT.mkdir(parents=True)
    (home / "hooksd.toml").write_text(text)

    with pytest.raises(SettingsRejected):
        log_of(context())


def test_the_defaults_are_those_of_the_daemon() -> None:
    assert Settings().log_dir == DEFAULT
    assert Settings().hooks_dir == DEFAULT_HOOKS


@pytest.mark.parametrize("command", ["show", "deliveries", "explain", "tail", "curl"])
def test_commands_that_read_the_log_do_not_import_what_checks_definitions(command: str) -> None:
    code = (
        f"import sys, hooksd.cli.main, hooksd.cli.{command}; print('pydantic' in sys.modules, 'asyncio' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]


def test_the_version_is_told_without_importing_any_command() -> None:
    code = "import sys, hooksd.cli.main; print(sorted(name for name in sys.modules if name.startswith('hooksd.')))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "hooksd.cli.show" not in done.stdout
    assert "hooksd.model" not in done.stdout
