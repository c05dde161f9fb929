"""`hooksd serve`: the daemon."""

from __future__ import annotations

import errno
from pathlib import Path

import click

from hooksd.cli.invocation import shared_options
from hooksd.cli.loading import settings_of
from hooksd.config.sources import process_environment
from hooksd.daemon import wiring
from hooksd.errors import JournalError
from hooksd.telemetry import log
from hooksd.telemetry.log import Level

_ADVICE = {
    errno.ENOSPC: "make room on its file system",
    errno.EDQUOT: "make room on its file system",
    errno.EROFS: "make it writable",
    errno.EACCES: "let this user write there",
    errno.EPERM: "let this user write there",
}
"""What helps against errors of the system."""


@click.command()
@shared_options
@click.option(
    "--log-format",
    type=click.Choice(["auto", "console", "json"]),
    default="auto",
    help="Of messages on standard error. Default: console on a terminal, else json.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    help="Which of them. Default: info.",
)
@click.pass_context
def command(ctx: click.Context, log_format: str, log_level: Level) -> None:
    """Receive webhooks, run workflows and deliver until stopped.

    SIGTERM and SIGINT end it in order: requests and steps under way may finish; a second signal ends it at once.
    SIGHUP reads the definitions anew. Whatever had not finished is taken up by the next start.
    """
    settings = settings_of(ctx)
    as_json = {"auto": None, "console": False, "json": True}[log_format]
    journal = process_environment().get("JOURNAL_STREAM", "")
    log.configure(json=as_json, level=log_level, color=ctx.color is not False, journal=journal)
    try:
        wiring.serve(settings)
    except JournalError as error:
        raise type(error)(_told(error, settings.log_dir)) from error


def _told(error: JournalError, directory: Path) -> str:
    """Return what is wrong with the log, where it is, and what to do."""
    text = str(error) if str(directory) in str(error) else f"{directory}: {error}"
    advice = _ADVICE.get(_number(error))
    return f"{text}; {advice}, or name another directory with --log-dir" if advice else text


def _number(error: BaseException | None) -> int:
    """Return the number of the system's error that another one comes from; 0: of none."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__
    return 0 if error is None or error.errno is None else error.errno
