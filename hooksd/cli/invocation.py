"""What one call of the command line asked for in general: the settings' file and flags, before or after the command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

CONFIG = "config"
FLAGS = {
    "hooks_dir": ("DIR", "The directory of definitions."),
    "log_dir": ("DIR", "The directory of the log."),
    "state_dir": ("DIR", "The directory of sockets and caches."),
    "credentials_dir": ("DIR", "Where `credential:NAME` is looked up."),
    "listen": ("ADDRESS", "Where webhooks are received: HOST:PORT or unix:PATH."),
    "admin": ("ADDRESS", "Where the operator is served: unix:PATH or HOST:PORT."),
}
"""Settings that have an option of their own, by name: the kind of value and the line in `--help`."""


class Invocation:
    """Collects the shared options while click reads the command line. `cli.loading` makes settings of them."""

    def __init__(self) -> None:
        self.config: Path | None = None
        self.flags: dict[str, str] = {}


class SharedOption(click.Option):
    """An option that every command has. Help shows them all for the daemon and before a command, else one line."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:  # noqa: D102 - see click.Option
        if ctx.parent is None or ctx.info_name == "serve":
            return super().get_help_record(ctx)
        return (
            ("--config, --log-dir, ...", "As for every command: see `hooksd --help`.") if self.name == CONFIG else None
        )


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    invocation = ctx.ensure_object(Invocation)
    if value is None or param.name is None:
        return
    if param.name == CONFIG:
        invocation.config = Path(value)
    else:
        invocation.flags[param.name] = value


def shared_options(function: F) -> F:
    """Give a command the options that every command has; they work before and after its name."""
    for name, (metavar, text) in reversed(FLAGS.items()):
        option = "--" + name.replace("_", "-")
        function = click.option(
            option, name, cls=SharedOption, metavar=metavar, help=text, expose_value=False, callback=_keep
        )(function)
    text = "Settings. Default: $HOOKSD_CONFIG, or hooksd.toml if there is one."
    return click.option(
        "--config",
        cls=SharedOption,
        metavar="FILE",
        envvar="HOOKSD_CONFIG",
        help=text,
        expose_value=False,
        callback=_keep,
    )(function)
