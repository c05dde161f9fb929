"""`hooksd status`: what the daemon runs, and whether it agrees with the files."""

from __future__ import annotations

from typing import Any

import click

from hooksd.cli.client import problem_text
from hooksd.cli.invocation import shared_options
from hooksd.cli.loading import client_of, settings_of
from hooksd.cli.output import as_json, counted, safe, say
from hooksd.cli.verdict import diagnostic_lines
from hooksd.errors import HooksdError

_TONES = {"IN_SYNC": "green", "APPLYING": "yellow", "REJECTED": "red", "HELD": "yellow"}
_NO_LOG = {
    "full": "callers get 503 until there is room on its file system",
    "broken": "callers get 503, and the daemon ends",
}
"""What a log means that takes no records."""


@click.command()
@shared_options
@click.option("--json", "as_object", is_flag=True, help="One JSON object.")
@click.pass_context
def command(ctx: click.Context, as_object: bool) -> int:
    """Show what the daemon runs and whether it agrees with the files. Exits with 1 when it does not."""
    answer = client_of(settings_of(ctx)).get("/api/v1/status")
    if not answer.ok:
        raise HooksdError(problem_text(answer.data))
    status: dict[str, Any] = answer.data
    if as_object:
        say(as_json(status))
    else:
        _tell(status)
    return 0 if status.get("state") in ("IN_SYNC", "APPLYING") else 1


def _tell(status: dict[str, Any]) -> None:
    state = str(status["state"])
    rows = {
        "state": click.style(safe(state), fg=_TONES.get(state), bold=True)
        + f" since {safe(status.get('since') or '?')}",
        "running": _revision(status),
        "definitions": safe(counted(status.get("counts") or {})),
        "unfinished": counted(
            {
                "runs": status.get("unfinished_runs", 0),
                "deliveries": status.get("unfinished_deliveries", 0),
            }
        ),
        "log": _log(str(status.get("log", "?"))),
        "daemon": safe(f"{status.get('version')}, pid {status.get('pid')}, since {status.get('started_at')}"),
        "listens on": safe(status.get("listen")),
    }
    for name, value in rows.items():
        say(f"{name + ':':<13} {value}")
    if state in ("REJECTED", "HELD"):
        say(f"{'files:':<13} revision {safe(status.get('revision'))}")
    for line in diagnostic_lines(status):
        say(line)


def _log(state: str) -> str:
    meaning = _NO_LOG.get(state)
    return safe(state) if meaning is None else click.style(f"{state}: {meaning}", fg="red", bold=True)


def _revision(status: dict[str, Any]) -> str:
    commit = status.get("commit")
    dirty = " and changes that are not committed" if status.get("dirty") else ""
    return safe(f"revision {status.get('running')}" + (f", commit {str(commit)[:12]}{dirty}" if commit else ""))
