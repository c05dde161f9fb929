"""`hooksd endpoints`: how things stand with every endpoint of a running daemon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import click

from hooksd.cli.client import problem_text
from hooksd.cli.invocation import shared_options
from hooksd.cli.lines import BAD, DIM
from hooksd.cli.loading import client_of, settings_of
from hooksd.cli.output import LEAST, as_json, note, safe, say, table, terminal_width
from hooksd.cli.width import shortened
from hooksd.errors import HooksdError

PATH = "/api/v1/endpoints"
PATIENCE = 30.0
MAX_ERROR = 60
MAX_URL = 60
HEADER = ("ENDPOINT", "STATE", "IN FLIGHT", "WAITING", "PENDING", "LAST ANSWER", "URL")
CUTS = ((-1, LEAST), (1, LEAST), (5, LEAST), (0, LEAST))
HINT = "`hooksd endpoints resume NAME` lets deliveries go that wait because an endpoint was suspended or failed"


@click.group(invoke_without_command=True)
@shared_options
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line.")
@click.pass_context
def command(ctx: click.Context, json_lines: bool) -> None:
    """Show every endpoint: whether deliveries wait and why, what is on its way, what it said last."""
    if ctx.invoked_subcommand is not None:
        return
    answer = client_of(settings_of(ctx)).get(PATH)
    if not answer.ok:
        raise HooksdError(problem_text(answer.data))
    endpoints: list[dict[str, Any]] = answer.data["endpoints"]
    if json_lines:
        for one in endpoints:
            say(as_json(one))
    elif not endpoints:
        note("no endpoint is in force; `hooksd new endpoint NAME URL` writes a file for one")
    else:
        _show(endpoints)


def _show(endpoints: list[dict[str, Any]]) -> None:
    header, *rows = table(HEADER, [_row(one) for one in endpoints], width=terminal_width(), cuts=CUTS)
    say(header)
    for one, row in zip(endpoints, rows, strict=True):
        say(click.style(row, fg=_tone(one["state"])))
    if any((one["state"]["held"] or {}).get("reason") in ("suspended", "breaker", "receiver") for one in endpoints):
        note(click.style(HINT, fg=DIM))


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    state = one["state"]
    return (
        one["name"],
        told(state),
        state["in_flight"],
        state["waiting"],
        state["pending"],
        _last(state["last"]),
        shortened(str(one["url"]), MAX_URL),
    )


def told(state: Mapping[str, Any]) -> str:
    """Return how things stand, in a few words."""
    held = state["held"]
    if held is None:
        failures = state["failures"]
        if state["breaker"] != "closed":
            return "probing"
        return f"{failures} failed in a row" if failures else "ok"
    until = f" until {str(held['until'])[:19]}Z" if held["until"] else ""
    error = f": {shortened(str(held['error']), MAX_ERROR)}" if held["error"] else ""
    return f"{held['reason']}{until}{error}"


def _last(last: Mapping[str, Any] | None) -> str:
    if last is None:
        return "none yet"
    return f"{last['status'] or ''} {last['outcome']}".strip() + f" at {str(last['at'])[:19]}Z"


def _tone(state: Mapping[str, Any]) -> str | None:
    held = state["held"]
    if held is not None:
        return "yellow" if held["reason"] in ("rate", "disabled") else BAD
    return "yellow" if state["failures"] or state["breaker"] != "closed" else None


@command.command(short_help="Let what waits for an endpoint go at once.")
@shared_options
@click.argument("endpoints", metavar="ENDPOINT...", nargs=-1, required=True)
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line.")
@click.pass_context
def resume(ctx: click.Context, endpoints: tuple[str, ...], json_lines: bool) -> int:
    """Forget what is held against an endpoint: it was suspended, asked for patience, or failed and failed.

    What waits for it goes at once. Its rate, and that it is disabled, hold on.
    """
    client = client_of(settings_of(ctx))
    failed = False
    for name in endpoints:
        answer = client.post(f"{PATH}/{quote(name, safe='')}/resume", None, patience=PATIENCE)
        if not answer.ok:
            note(f"error: {problem_text(answer.data)}")
            failed = True
        elif json_lines:
            say(as_json(answer.data))
        else:
            say(_resumed(name, answer.data))
    return 1 if failed else 0


def _resumed(name: str, data: Mapping[str, Any]) -> str:
    held = data["state"]["held"]
    if held is not None:
        return f"{safe(name)}  still waits: {safe(told(data['state']))}"
    return (
        f"{safe(name)}  goes on, was: {safe(data['released'])}" if data["released"] else f"{safe(name)}  was not held"
    )
