"""How the verdict over a set of files is told: the same for `hooksd status` and `hooksd reload`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hooksd.cli.output import safe
from hooksd.config.diagnostics import from_json, render_text


def diagnostic_lines(verdict: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong, line by line, from what the daemon answered."""
    diagnostics = [from_json(diagnostic) for diagnostic in verdict.get("diagnostics") or ()]
    if diagnostics:
        yield ""
        yield from render_text(diagnostics, color=True).splitlines()
    removed = verdict.get("removed") or ()
    if verdict.get("state") == "HELD":
        yield ""
        yield f"held back: {safe(verdict.get('reason') or 'this set would remove too much')}"
        for name in removed:
            yield f"  - {safe(name)}"
        yield f"to agree: hooksd reload --accept {safe(verdict.get('revision'))}"
