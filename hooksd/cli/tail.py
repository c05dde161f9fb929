"""`hooksd tail`: the log as it grows."""

from __future__ import annotations

import itertools
import time

import click

from hooksd.cli.history import log_of
from hooksd.cli.invocation import shared_options
from hooksd.cli.lines import TYPES, line
from hooksd.cli.output import as_json, note, safe, say, terminal_width
from hooksd.config.diagnostics import did_you_mean
from hooksd.journal.reader import Entry
from hooksd.model.patterns import matches

POLL = 0.2
"""Seconds between two looks for new records."""
OVERLAP = 1000
"""Records that are read a second time when following begins, so that none is missed that was written in between."""


@click.command()
@shared_options
@click.option(
    "-n",
    "--lines",
    "count",
    metavar="N",
    type=click.IntRange(min=0),
    default=20,
    help="Records to begin with. Default: 20.",
)
@click.option("--follow/--no-follow", default=True, help="Wait for more (the default), or end.")
@click.option(
    "--type", "types", multiple=True, metavar="TYPE", help="Only these, like run.ended or config.*; repeatable."
)
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line, as in the log.")
@click.pass_context
def command(ctx: click.Context, count: int, follow: bool, types: tuple[str, ...], json_lines: bool) -> None:
    """Follow the log: the last records, then each new one. Needs no daemon."""
    reader = log_of(ctx)
    for pattern in types:
        _doubt(pattern)

    def wanted(entry: Entry) -> bool:
        return not types or any(matches(pattern, str(entry.tree.get("type"))) for pattern in types)

    def show(entry: Entry) -> None:
        say(as_json(entry.tree) if json_lines else line(entry.tree, width=terminal_width()))

    newest = next(reader.backward(), None)
    for entry in reversed(list(itertools.islice(filter(wanted, reader.backward()), count))):
        show(entry)
    if not follow:
        return
    for entry in reader.follow(_again, last=OVERLAP):
        if (newest is None or _place(entry) > _place(newest)) and wanted(entry):
            show(entry)


def _doubt(pattern: str) -> None:
    """Say so when no record can have a type, so that nobody waits for it. A later version may write more of them."""
    if not any(matches(pattern, known) for known in TYPES):
        hint = did_you_mean(pattern, TYPES) or "docs/log.md has them all"
        note(f"no record has a type like `{safe(pattern)}`: {hint}")


def _place(entry: Entry) -> tuple[int, str, int]:
    # A longer name of a segment has a higher number.
    return (len(entry.segment), entry.segment, entry.offset)


def _again() -> bool:
    time.sleep(POLL)  # noqa: TID251 - a command waits; there is no loop to block
    return True
