"""The entrance of the command line: the list of commands, the options that all share, and the one error boundary.

Commands are imported when they run, so that `hooksd --version` and shell completion answer at once.
"""

from __future__ import annotations

import difflib
import errno
import importlib
import os
import sys
from collections.abc import Sequence

import click

from hooksd import __version__
from hooksd.cli import streams
from hooksd.cli.interrupts import fatal
from hooksd.cli.invocation import Invocation, shared_options
from hooksd.errors import HooksdError

COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("hooksd.cli.serve", "Receive webhooks, run workflows and deliver until stopped."),
    "validate": ("hooksd.cli.validate", "Check definitions and say what is wrong, where and what to do."),
    "list": ("hooksd.cli.list", "Show webhooks, workflows, endpoints and roles."),
    "show": ("hooksd.cli.show", "Show a definition, or all that is known of an event, a run or a delivery."),
    "new": ("hooksd.cli.new", "Write a commented file for a new webhook, workflow or endpoint."),
    "webhook": ("hooksd.cli.webhook", "Create, show, change and remove webhooks of a running daemon."),
    "send": ("hooksd.cli.send", "Send an endpoint an event by hand."),
    "ping": ("hooksd.cli.ping", "Send an endpoint an event, to see whether it works."),
    "trigger": ("hooksd.cli.trigger", "Start a workflow by hand, or publish an event."),
    "tail": ("hooksd.cli.tail", "Follow the log."),
    "deliveries": ("hooksd.cli.deliveries", "Show what came in and what went out, newest first."),
    "redeliver": ("hooksd.cli.redeliver", "Deliver again: single deliveries, or all that failed."),
    "curl": ("hooksd.cli.curl", "Print the curl that repeats a delivery."),
    "endpoints": ("hooksd.cli.endpoints", "Show what waits for which endpoint and why; let it go on."),
    "explain": ("hooksd.cli.explain", "Say why workflows ran or did not run for an event."),
    "reload": ("hooksd.cli.reload", "Make the daemon read its definitions now, and print the verdict."),
    "status": ("hooksd.cli.status", "Show what the daemon runs and whether it agrees with the files."),
    "log": ("hooksd.cli.log", "Check the log: every line, every body."),
    "sign": ("hooksd.cli.sign", "Print a curl that sends a file as a webhook's provider would."),
    "verify": ("hooksd.cli.verify", "Judge written requests as a webhook would, by the code that judges them live."),
    "schema": ("hooksd.cli.schema", "Print, write or check the JSON schemas."),
}
"""Every command: its module, which holds it as `command`, and its line in `hooksd --help`."""

BUG = 70
"""EX_SOFTWARE (sysexits.h): the fault is ours."""
USAGE = 64
FAILED_IO = 74
"""EX_IOERR (sysexits.h): a file cannot be read, or what is printed cannot be written."""
INTERRUPTED = 130
CUT_OFF = 141
"""As programs end that SIGPIPE kills: nothing is said of what was asked for."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class Commands(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: D102, ARG002 - see click.Group
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: D102, ARG002 - see click.Group
        if cmd_name not in COMMANDS:
            return None
        with fatal():
            command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)  # noqa: S101 - a fact about our own modules, checked by a test
        return command

    def resolve_command(  # noqa: D102 - see click.Group
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and (near := difflib.get_close_matches(args[0], COMMANDS, n=1)):
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:  # noqa: D102 - see click.Group
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # The reader of a pipe has seen enough. Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return CUT_OFF

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: D102, ARG002 - see click.Group
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="hooksd", message="%(prog)s %(version)s")
@shared_options
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Webhooks and workflows from versioned files: received, run, delivered and logged, without a database."""
    ctx.ensure_object(Invocation)
    from hooksd.config.sources import process_environment

    if process_environment().get("NO_COLOR"):  # https://no-color.org: set, and not empty
        ctx.color = False


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its status.

    Args:
        arguments: What follows the program's name; None: of this process.
    """
    streams.prepare()
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        status = cli.main(args=arguments, prog_name="hooksd", standalone_mode=False, obj=Invocation())
    except click.ClickException as error:
        return _misused(error)
    except HooksdError as error:
        click.echo(_told(str(error)), err=True)
        return error.exit_status
    except (click.Abort, KeyboardInterrupt) as error:
        return _interrupted(error)
    except OSError as error:
        if error.filename is None and error.errno not in _NO_ROOM:
            return _fault()
        click.echo(f"error: {_of_system(error)}", err=True)
        return FAILED_IO
    except Exception:  # noqa: BLE001 - the boundary: whatever is left is a fault of ours
        return _fault()
    return status if isinstance(status, int) else 0


def _misused(error: click.ClickException) -> int:
    """Say what is wrong with the command line, in the words of click and the form of all other errors."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n", err=True)
    click.echo(f"error: {error.format_message()}", err=True)
    return USAGE if isinstance(error, click.UsageError) else error.exit_code


def _interrupted(error: BaseException) -> int:
    if error.__cause__ is None:  # a question was not answered, and what follows shall not stand behind it
        click.echo(err=True)
    return INTERRUPTED


def _fault() -> int:
    click.echo(f"hooksd {__version__} has a fault of its own; please report it with the lines below.", err=True)
    sys.excepthook(*sys.exc_info())
    return BUG


def _of_system(error: OSError) -> str:
    if error.filename is None:
        return f"what is printed cannot be written: {error.strerror}"
    name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else str(error.filename)
    hint = "; run this as the daemon's user, or as root" if isinstance(error, PermissionError) else ""
    return f"{name!a}: {error.strerror}{hint}"


def _told(message: str) -> str:
    return message if message.startswith(("error", "warning", "\x1b")) else f"error: {message}"
