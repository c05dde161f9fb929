"""`hooksd tail`: the log as it grows."""

from __future__ import annotations

import itertools

import click

from hooksd.cli.invocation import shared_options
from hooksd.cli.lines import line
from hooksd.cli.loading import log_of, settings_of
from hooksd.cli.output import as_json, say
from hooksd.journal.reader import Entry
from hooksd.model.patterns import matches


@click.command()
@shared_options
@click.option(
    "-n", "--lines", "count", type=click.IntRange(min=0), default=20, help="Records to begin with. Default: 20."
)
@click.option("--follow/--no-follow", default=True, help="Wait for more (the default), or end.")
@click.option(
    "--type", "types", multiple=True, metavar="TYPE", help="Only these, like run.ended or config.*; repeatable."
)
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line, as in the log.")
@click.pass_context
def command(ctx: click.Context, count: int, follow: bool, types: tuple[str, ...], json_lines: bool) -> None:
    """Follow the log: the last records, then each new one. Needs no daemon."""
    reader = log_of(settings_of(ctx))

    def wanted(entry: Entry) -> bool:
        return not types or any(matches(pattern, str(entry.tree.get("type"))) for pattern in types)

    def show(entry: Entry) -> None:
        say(as_json(entry.tree) if json_lines else line(entry.tree))

    for entry in reversed(list(itertools.islice(filter(wanted, reader.backward()), count))):
        show(entry)
    if follow:
        for entry in filter(wanted, reader.follow()):
            show(entry)
