"""One readable line for each kind of record. Called by `hooksd tail`, `show` and `explain`.

It reads records as the JSON they are, not as classes: a log may hold types of a later version, which get a line too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from hooksd.cli.moments import brief
from hooksd.cli.output import as_json, counted, safe
from hooksd.cli.width import fitted, shortened
from hooksd.model.spans import format_duration

Tree = Mapping[str, Any]

BAD = "red"
GOOD = "green"
DIM = "bright_black"
_TONES = {
    "ok": GOOD, "succeeded": GOOD, "delivered": GOOD, "failed": BAD, "interrupted": BAD, "timed_out": BAD,
    "exhausted": BAD, "gone": BAD, "skipped": DIM, "superseded": DIM, "cancelled": "yellow",
}  # fmt: skip
"""The colour of each status."""
MAX_ERROR = 160
"""Characters of an error in one line; `hooksd show ID` has all."""


def line(tree: Tree, *, width: int | None = None) -> str:
    """Return a record as one line: when, what, and what is worth knowing at a glance.

    Args:
        tree: The record.
        width: Of the terminal: the time is brief there, and what does not fit is cut. None: all is there.
    """
    kind = str(tree.get("type", "?"))
    describe = _DESCRIBERS.get(kind, _unknown)
    at = str(tree.get("at", ""))
    when = safe(at if width is None else brief(at))
    return fitted(f"{click.style(when, fg=DIM)}  {safe(kind):<16}  {describe(tree)}", width)


def status(word: object) -> str:
    """Return the word for a status in its colour."""
    return click.style(safe(word), fg=_TONES.get(str(word)))


def error(tree: Tree) -> str:
    """Return what went wrong, as it follows a status; nothing when nothing did."""
    return f"  {click.style(safe(shortened(str(tree['error']), MAX_ERROR)), fg=BAD)}" if tree.get("error") else ""


def took(tree: Tree) -> str:
    """Return how long something took, for people."""
    return format_duration(float(tree.get("ms") or 0) / 1000)


def _id(identifier: object) -> str:
    """Return an identifier as it ends a line: there to be copied, not to be read."""
    return click.style(safe(identifier), fg=DIM)


def _event_accepted(tree: Tree) -> str:
    event = tree["event"]
    observed = event.get("observed") or "accepted"
    warning = "" if observed == "accepted" else click.style(f"  would be refused: {safe(observed)}", fg=BAD)
    return f"{safe(event['type'])} from {safe(event['source'])} -> {safe(started(tree))}  {_id(event['id'])}{warning}"


def started(tree: Tree) -> str:
    """Return what an event began: runs of workflows, and deliveries to endpoints that subscribe to it."""
    runs = [str(run["workflow"]) for run in tree.get("runs", ())]
    sent = [f"to {delivery['endpoint']}" for delivery in tree.get("deliveries", ())]
    return ", ".join([*runs, *sent]) or "starts nothing"


def _request_refused(tree: Tree) -> str:
    times = f"  {tree['count']} times" if tree.get("count", 1) > 1 else ""
    reason = click.style(f"{safe(tree['status'])} {safe(tree['reason'])}", fg=BAD)
    return f"{safe(refuser(tree))}  {reason}  from {safe(tree['peer'])}{times}"


def refuser(tree: Tree) -> str:
    """Return what refused a request, which no definition can be called that is none."""
    known = tree.get("webhook") or tree.get("endpoint")
    return str(known or ("(admin)" if tree.get("listener") == "admin" else "?"))


def _run_started(tree: Tree) -> str:
    return f"{safe(tree['workflow'])}  {_id(tree['run'])}"


def _place(tree: Tree) -> str:
    """Return the workflow and the step; records of older versions have no workflow."""
    return f"{safe(tree['workflow'])} {safe(tree['step'])}" if tree.get("workflow") else safe(tree["step"])


def _step_started(tree: Tree) -> str:
    until = f"  until {safe(tree['wake_at'])}" if tree.get("wake_at") else ""
    return f"{_place(tree)}  attempt {tree['attempt']}{until}  {_id(tree['run'])}"


def _step_retried(tree: Tree) -> str:
    when = f"attempt {tree['attempt']} failed, again at {safe(tree['retry_at'])}"
    return f"{_place(tree)}  {when}{error(tree)}  {_id(tree['run'])}"


def _step_ended(tree: Tree) -> str:
    return f"{_place(tree)}  {status(tree['status'])} in {took(tree)}{error(tree)}  {_id(tree['run'])}"


def _run_ended(tree: Tree) -> str:
    return f"{safe(tree['workflow'])}  {status(tree['status'])} in {took(tree)}{error(tree)}  {_id(tree['run'])}"


def _delivery_created(tree: Tree) -> str:
    again = "  asked for again" if tree.get("again") else ""
    return f"{safe(tree['endpoint'])}  for {safe(tree['event'])}{again}  {_id(tree['delivery'])}"


def _attempt_started(tree: Tree) -> str:
    return f"attempt {tree['number']} ({safe(tree['reason'])})  {_id(tree['delivery'])}"


def _attempt_ended(tree: Tree) -> str:
    exchange = tree["exchange"]
    code = exchange.get("status") or ""
    outcome = click.style(f"{safe(tree['outcome'])} {code}".strip(), fg=GOOD if tree["outcome"] == "ok" else BAD)
    again = f"  again at {safe(tree['retry_at'])}" if tree.get("retry_at") else ""
    took_ms = format_duration(float(exchange.get("total_ms") or 0) / 1000)
    return f"{safe(tree['endpoint'])}  attempt {tree['number']}: {outcome} in {took_ms}{again}  {_id(tree['delivery'])}"


def _delivery_ended(tree: Tree) -> str:
    attempts = f"after {tree['attempts']} attempt{'s' if tree['attempts'] != 1 else ''}"
    return f"{safe(tree['endpoint'])}  {status(tree['status'])} {attempts}{error(tree)}  {_id(tree['delivery'])}"


def _endpoint_held(tree: Tree) -> str:
    until = f" until {safe(tree['until'])}" if tree.get("until") else ""
    return f"{safe(tree['endpoint'])}  deliveries wait: {safe(tree['reason'])}{until}{error(tree)}"


def _endpoint_released(tree: Tree) -> str:
    return f"{safe(tree['endpoint'])}  deliveries no longer wait: {safe(tree['reason'])}"


def _config_applied(tree: Tree) -> str:
    counts = counted(tree["counts"])
    changes = [f"+{name}" for name in tree.get("added", ())] + [f"~{name}" for name in tree.get("changed", ())]
    changes += [f"-{name}" for name in tree.get("removed", ())]
    return (
        f"revision {safe(tree['revision'])}: {safe(counts)}  {safe(shortened(' '.join(changes), MAX_ERROR))}".rstrip()
    )


def _config_rejected(tree: Tree) -> str:
    diagnostics: list[Tree] = list(tree.get("diagnostics") or ())
    errors = [one for one in diagnostics if one.get("severity") == "error"] or diagnostics
    where = "?"
    if errors:
        first = errors[0]
        where = f"{first.get('file')}:{first.get('line')}:{first.get('column')}: {first.get('message')}"
    return click.style(f"revision {safe(tree['revision'])}: {safe(where)}", fg=BAD)


def _config_held(tree: Tree) -> str:
    return click.style(f"revision {safe(tree['revision'])}: {safe(tree['reason'])}", fg="yellow")


def _daemon_started(tree: Tree) -> str:
    left = f"{counted({'runs': tree['unfinished_runs'], 'deliveries': tree['unfinished_deliveries']})} to resume"
    return f"version {safe(tree['version'])}, pid {tree['pid']}, {left}"


def _daemon_stopped(tree: Tree) -> str:
    return safe(tree["reason"])


def _log_damaged(tree: Tree) -> str:
    where = f"{tree['kind']}: {tree['size']} bytes at {tree['offset']} of {tree['segment']}"
    return click.style(safe(where), fg=BAD)


def _unknown(tree: Tree) -> str:
    return shortened(as_json(dict(tree)), MAX_ERROR)


_DESCRIBERS: dict[str, Callable[[Tree], str]] = {
    "event.accepted": _event_accepted,
    "request.refused": _request_refused,
    "run.started": _run_started,
    "step.started": _step_started,
    "step.retried": _step_retried,
    "step.ended": _step_ended,
    "run.ended": _run_ended,
    "delivery.created": _delivery_created,
    "attempt.started": _attempt_started,
    "attempt.ended": _attempt_ended,
    "delivery.ended": _delivery_ended,
    "endpoint.held": _endpoint_held,
    "endpoint.released": _endpoint_released,
    "config.applied": _config_applied,
    "config.rejected": _config_rejected,
    "config.held": _config_held,
    "daemon.started": _daemon_started,
    "daemon.stopped": _daemon_stopped,
    "log.damaged": _log_damaged,
}
"""How each type of record is told. A test compares it with `hooksd.model.record.RECORD_TYPES`."""

TYPES = frozenset(_DESCRIBERS)
"""The types of records that people are shown."""
