"""How the verdict over a set of files is told: the same for `hooksd status` and `hooksd reload`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from hooksd.cli.output import safe


def diagnostic_lines(verdict: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong, line by line, from what the daemon answered."""
    for diagnostic in verdict.get("diagnostics") or ():
        yield ""
        yield from _diagnostic(diagnostic)
    removed = verdict.get("removed") or ()
    if verdict.get("state") == "HELD":
        yield ""
        yield f"held back: {safe(verdict.get('reason') or 'this set would remove too much')}"
        for name in removed:
            yield f"  - {safe(name)}"
        yield f"to agree: hooksd reload --accept {safe(verdict.get('revision'))}"


def _diagnostic(diagnostic: Mapping[str, Any]) -> Iterator[str]:
    tone = "red" if diagnostic.get("severity") == "error" else "yellow"
    code = click.style(f"{safe(diagnostic.get('severity'))}[{safe(diagnostic.get('code'))}]", fg=tone, bold=True)
    yield f"{code}: {safe(diagnostic.get('message'))}"
    yield f"  --> {safe(diagnostic.get('file'))}:{diagnostic.get('line')}:{diagnostic.get('column')}"
    if diagnostic.get("excerpt"):
        yield f"   | {safe(diagnostic['excerpt'])}"
        column, end = int(diagnostic["column"]), int(diagnostic.get("end_column") or diagnostic["column"])
        yield f"   | {' ' * (column - 1)}{click.style('^' * max(1, end - column), fg=tone)}"
    if diagnostic.get("hint"):
        yield f"   = help: {safe(diagnostic['hint'])}"
