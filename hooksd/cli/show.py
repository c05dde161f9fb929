"""`hooksd show`: one definition, or everything about one event, run or delivery."""

from __future__ import annotations

from typing import Any

import click

from hooksd.cli.explain import story
from hooksd.cli.history import log_of
from hooksd.cli.invocation import shared_options
from hooksd.cli.lines import line
from hooksd.cli.output import as_json, as_pretty_json, safe, say
from hooksd.config.diagnostics import did_you_mean
from hooksd.errors import UsageError
from hooksd.model.ids import DELIVERY_PREFIX, EVENT_PREFIX, RUN_PREFIX


@click.command()
@shared_options
@click.argument("what", metavar="NAME|EVENT|RUN|DELIVERY")
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line.")
@click.pass_context
def command(ctx: click.Context, what: str, json_lines: bool) -> None:
    """Show a definition, or everything about an event, a run or a delivery. Needs no daemon.

    A definition is named like `github`, or like `webhook/github` where several kinds share a name.
    """
    if what.startswith((EVENT_PREFIX, RUN_PREFIX, DELIVERY_PREFIX)):
        _show_records(ctx, what, json_lines=json_lines)
    else:
        _show_definitions(ctx, what, json_lines=json_lines)


def _show_records(ctx: click.Context, identifier: str, *, json_lines: bool) -> None:
    for tree in story(log_of(ctx), identifier):
        if json_lines:
            say(as_json(tree))
        else:
            say(line(tree))
            say(as_pretty_json({key: value for key, value in tree.items() if key not in ("type", "at", "_")}))


def _show_definitions(ctx: click.Context, what: str, *, json_lines: bool) -> None:
    # What reads definitions takes longer to import than to find an event.
    from hooksd.cli.list import KINDS, described
    from hooksd.cli.loading import definitions_of, settings_of

    definitions = definitions_of(settings_of(ctx))
    every: dict[str, Any] = {
        f"{kind.removesuffix('s')}/{name}": item for kind in KINDS for name, item in getattr(definitions, kind).items()
    }
    found = {key: item for key, item in every.items() if what in (key, item.name)}
    if not found:
        names = {item.name for item in every.values()}
        hint = did_you_mean(what, names | set(every)) or "`hooksd list` shows what there is"
        raise UsageError(f"nothing is called `{safe(what)}`: {hint}")
    for key, item in found.items():
        if json_lines:
            say(as_json({"kind": key.partition("/")[0], **described(item)}))
        else:
            say(click.style(f"{safe(key)}  {safe(item.origin.file)}:{item.origin.line}", bold=True))
            say(as_pretty_json(dict(item.document)))
