"""Names that are given to find something in the log, and that nothing has: probably misspelt.

Whoever looks for the deliveries of an endpoint must not take a slip for good news.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Literal

import click

from hooksd.cli.lines import Tree
from hooksd.cli.output import note, safe
from hooksd.errors import HooksdError
from hooksd.journal.reader import LogReader

Kind = Literal["webhook", "endpoint"]

LAST = 2_000
"""Records in which similar names are looked for: a fiftieth of a second."""


def doubt(ctx: click.Context, reader: LogReader, kind: Kind, name: str | None) -> None:
    """Say that a name is that of nothing, in the definitions or in the log, and which one is like it.

    Args:
        ctx: The call.
        reader: Reads the log.
        kind: What it should be the name of.
        name: What was given; None: nothing was.
    """
    if name is None or next(reader.backward([mark(kind, name)]), None) is not None:
        return
    defined = _defined(ctx, kind)
    if name in (defined or ()):
        return
    # What reads definitions takes longer to import than to find a delivery.
    from hooksd.config.diagnostics import did_you_mean

    hint = did_you_mean(name, {*(defined or ()), *_in_log(reader, kind)})
    missing = f"no {kind} is called `{safe(name)}`"
    if defined is None:
        rest = f": {hint}" if hint else ", and the files cannot be read now: see `hooksd validate`"
        note(f"{missing} in the log{rest}")
    else:
        note(f"{missing}, in the files or in the log: {hint or f'`hooksd list {kind}s` shows what there is'}")


def mark(kind: Kind, name: str) -> bytes:
    """Return what the line of a record holds that is about something, as the log writes it."""
    # A name that had to be escaped is the name of nothing.
    return f'"{kind}":"{name}"'.encode(errors="surrogateescape")


def _defined(ctx: click.Context, kind: Kind) -> Collection[str] | None:
    """Return the names that the files define now; None: they cannot be read from here."""
    from hooksd.cli.loading import definitions_of, settings_of

    try:
        definitions = definitions_of(settings_of(ctx))
    except HooksdError:
        return None
    return definitions.webhooks if kind == "webhook" else definitions.endpoints


def _in_log(reader: LogReader, kind: Kind) -> set[str]:
    """Return the names in the newest records."""
    entries = itertools.islice(reader.backward([f'"{kind}":"'.encode()]), LAST)
    return {name for entry in entries if isinstance(name := _name(entry.tree, kind), str)}


def _name(tree: Tree, kind: Kind) -> object:
    where = tree.get("event") if tree.get("type") == "event.accepted" else tree
    return where.get(kind) if isinstance(where, dict) else None
