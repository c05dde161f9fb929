"""Names that are given to find something in the log, and that nothing has: probably misspelt.

Whoever looks for the deliveries of an endpoint must not take a slip for good news.
"""

from __future__ import annotations

import itertools

import click

from hooksd.cli.defined import Kind, names_in
from hooksd.cli.history import hooks_dir_of
from hooksd.cli.lines import Tree
from hooksd.cli.output import note, safe
from hooksd.config.diagnostics import did_you_mean
from hooksd.journal.reader import LogReader

LAST = 10_000
"""Records in which similar names are looked for, of whatever type: a tenth of a second, however long the log is."""


def doubt(ctx: click.Context, reader: LogReader, kind: Kind, name: str | None, *, in_log: bool | None = None) -> None:
    """Say that a name is that of nothing, in the definitions or in the log, and which one is like it.

    Args:
        ctx: The call.
        reader: Reads the log.
        kind: What it should be the name of.
        name: What was given; None: nothing was.
        in_log: Whether the log has it; None: it is searched for it.
    """
    if name is None or (_is_in_log(reader, kind, name) if in_log is None else in_log):
        return
    defined = names_in(hooks_dir_of(ctx), kind)
    if name in defined.names:
        return
    hint = did_you_mean(name, defined.names | _newest(reader, kind))
    missing = f"no {kind} is called `{safe(name)}`"
    if defined.is_whole:
        note(f"{missing}, in the files or in the log: {hint or f'`hooksd list {kind}s` shows what there is'}")
    else:
        note(f"{missing} in the log: {hint or 'not all files can be read now, see `hooksd validate`'}")


def mark(kind: Kind, name: str) -> bytes:
    """Return what the line of a record holds that is about something, as the log writes it."""
    # A name that had to be escaped is the name of nothing.
    return f'"{kind}":"{name}"'.encode(errors="surrogateescape")


def _is_in_log(reader: LogReader, kind: Kind, name: str) -> bool:
    return next(reader.backward([mark(kind, name)]), None) is not None


def _newest(reader: LogReader, kind: Kind) -> set[str]:
    """Return the names in the newest records."""
    entries = itertools.islice(reader.backward(), LAST)
    return {name for entry in entries if isinstance(name := _name(entry.tree, kind), str)}


def _name(tree: Tree, kind: Kind) -> object:
    where = tree.get("event") if tree.get("type") == "event.accepted" else tree
    return where.get(kind) if isinstance(where, dict) else None
