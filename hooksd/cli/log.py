"""`hooksd log`: what can be done with the log as a whole."""

from __future__ import annotations

import dataclasses
import time

import click

from hooksd.cli.invocation import shared_options
from hooksd.cli.loading import settings_of
from hooksd.cli.output import as_json, note, safe, say
from hooksd.errors import JournalError, UsageError
from hooksd.journal.verify import Problem, Verification

BAD = 1
MOMENT = 0.2
"""Seconds in which a line that is being written is finished."""


@click.group()
@shared_options
def command() -> None:
    """Look after the log."""


@command.command()
@shared_options
@click.option("--json", "json_lines", is_flag=True, help="One JSON object for each problem.")
@click.pass_context
def verify(ctx: click.Context, json_lines: bool) -> int:
    """Check every line and every body. Exits with 1 when something is not as it was written. Needs no daemon."""
    directory = settings_of(ctx).log_dir
    verification = Verification(directory, _wait)
    count = 0
    try:
        for problem in verification.problems():
            count += 1
            say(as_json(dataclasses.asdict(problem)) if json_lines else _line(problem))
    except OSError as error:
        raise JournalError(f"{error.filename}: cannot be read: {error.strerror}") from error
    if not verification.segments and not count:
        raise UsageError(f"there is no log in {directory}; name the directory with --log-dir")
    note(f"files: {verification.segments}, records: {verification.records}, problems: {count}")
    return BAD if count else 0


def _line(problem: Problem) -> str:
    return f"{problem.segment}:{problem.line} (byte {problem.offset}): {problem.kind}: {safe(problem.message)}"


def _wait() -> None:
    time.sleep(MOMENT)  # noqa: TID251 - a command waits; there is no loop to block
