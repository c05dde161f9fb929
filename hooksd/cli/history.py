"""The log for commands that read it: found without checking the other settings, so that they answer at once.

The directory of definitions is found in the same way, for those that only look for a name there.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from hooksd.cli.invocation import Invocation
from hooksd.cli.output import safe
from hooksd.config.sources import read_sources
from hooksd.errors import SettingsRejected, UsageError
from hooksd.journal.reader import LogReader

DEFAULT = Path(".hooksd/log")
"""Where the log is when nothing says where. As in `config.settings`."""
DEFAULT_HOOKS = Path("hooks.d")
"""Where the definitions are when nothing says where. As in `config.settings`."""


def log_of(ctx: click.Context) -> LogReader:
    """Return a reader of the log, which needs no daemon.

    Raises:
        SettingsRejected: A source of settings is unreadable or names an unknown setting, or `log_dir` is wrong.
        UsageError: There is no log.
    """
    directory = _directory(ctx, "log_dir", DEFAULT)
    if not directory.is_dir():
        raise UsageError(f"there is no log in {directory}; `hooksd serve` makes one, or name it with --log-dir")
    return LogReader(directory)


def hooks_dir_of(ctx: click.Context) -> Path:
    """Return the directory of definitions.

    Raises:
        SettingsRejected: A source of settings is unreadable or names an unknown setting, or `hooks_dir` is wrong.
    """
    return _directory(ctx, "hooks_dir", DEFAULT_HOOKS)


def _directory(ctx: click.Context, setting: str, default: Path) -> Path:
    invocation = ctx.ensure_object(Invocation)
    sources = read_sources(invocation.config, invocation.flags)
    if sources.problems:
        raise SettingsRejected("\n".join(sources.problems))
    value = sources.values.get(setting, default)
    if not isinstance(value, str | os.PathLike):
        raise SettingsRejected(f"`{setting}` in the file of settings: expected a path")
    return Path(value)


def unknown(identifier: str) -> UsageError:
    """Return what is said of an identifier that no record has."""
    why = "is it in another --log-dir, or older than `retention_age` keeps?"
    return UsageError(f"the log knows nothing of {safe(identifier)}: {why}")
