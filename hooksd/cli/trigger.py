"""`hooksd trigger`: start something by hand."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click
import orjson

from hooksd.cli.client import Answer, Client, problem_text
from hooksd.cli.invocation import shared_options
from hooksd.cli.lines import MAX_ERROR, status
from hooksd.cli.loading import client_of, settings_of
from hooksd.cli.output import as_json, note, safe, say
from hooksd.cli.width import shortened
from hooksd.errors import HooksdError, UsageError
from hooksd.model.base import Json
from hooksd.model.units import parse_duration

PATIENCE = 30.0
POLL = 0.2
ENDED = frozenset({"succeeded", "failed", "cancelled", "timed_out", "skipped", "superseded"})
TIMED_OUT = 75


@click.command()
@shared_options
@click.argument("what", metavar="WORKFLOW|EVENT-TYPE")
@click.option("--event", is_flag=True, help="It is an event type even if a workflow has that name.")
@click.option("--data", metavar="JSON|@FILE", default="null", help="The event's body; @- reads standard input.")
@click.option("--wait", is_flag=True, help="Wait for the runs; exit with 1 when one fails.")
@click.option(
    "--timeout", default="10m", metavar="DURATION", help="How long --wait waits; then exit with 75. Default: 10m."
)
@click.option("--json", "as_object", is_flag=True, help="One JSON object.")
@click.pass_context
def command(ctx: click.Context, what: str, event: bool, data: str, wait: bool, timeout: str, as_object: bool) -> int:
    """Start a workflow by its name, or publish an event for all that listen to it.

    The event has the trust `local`. The condition of a workflow (`when`) still holds.
    """
    client = client_of(settings_of(ctx))
    body = _read(data)
    seconds = _seconds(timeout)
    answer = _trigger(client, what, body, is_event=event)
    accepted: dict[str, Any] = answer.data
    if as_object:
        say(as_json(accepted))
    else:
        say(f"event {safe(accepted['event'])}")
        for run in accepted["runs"]:
            say(f"run {safe(run['id'])}  {safe(run['workflow'])}")
        for delivery in accepted.get("deliveries", ()):
            say(f"delivery {safe(delivery['id'])}  {safe(delivery['endpoint'])}")
    if not accepted["runs"] and not accepted.get("deliveries"):
        note(f"nothing was started; `hooksd explain {safe(accepted['event'])}` says why")
        return 1
    return _wait(client, accepted["runs"], seconds) if wait else 0


def _trigger(client: Client, what: str, data: Json, *, is_event: bool) -> Answer:
    answer = client.post(
        "/api/v1/trigger", {"event" if is_event else "workflow": what, "data": data}, patience=PATIENCE
    )
    if answer.status == 404 and not is_event and "." in what:
        # Event types have dots, and no workflow has this name.
        answer = client.post("/api/v1/trigger", {"event": what, "data": data}, patience=PATIENCE)
    if not answer.ok:
        raise HooksdError(problem_text(answer.data))
    return answer


def _read(data: str) -> Json:
    if data.startswith("@"):
        try:
            text = sys.stdin.buffer.read() if data == "@-" else Path(data[1:]).read_bytes()
        except OSError as error:
            raise UsageError(f"--data: cannot read {data[1:]}: {error.strerror}") from error
    else:
        text = data.encode()
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"--data is no JSON: {error}; quote it for the shell, like --data '{{\"a\": 1}}'") from error


def _seconds(timeout: str) -> float:
    try:
        return parse_duration(timeout)
    except ValueError as error:
        raise UsageError(f"--timeout: {error}") from error


def _wait(client: Client, runs: list[dict[str, Any]], seconds: float) -> int:
    deadline = time.monotonic() + seconds
    failed = False
    for run in runs:
        end = _end_of(client, str(run["id"]), deadline)
        if end is None:
            note(f"run {safe(run['id'])} is not over after {seconds:g} s; `hooksd explain` shows where it is")
            return TIMED_OUT
        note(f"run {safe(run['id'])}  {safe(run['workflow'])}  {status(end['status'])}{_why(end)}")
        failed = failed or end["status"] != "succeeded"
    return 1 if failed else 0


def _why(end: dict[str, Any]) -> str:
    """Say at which step a run failed, and of what: `hooksd explain` says the rest."""
    if not end.get("error"):
        return ""
    step = f" at {safe(end['step'])}" if end.get("step") else ""
    return f"{step}: {safe(shortened(str(end['error']), MAX_ERROR))}"


def _end_of(client: Client, run: str, deadline: float) -> dict[str, Any] | None:
    while True:
        answer = client.get(f"/api/v1/runs/{run}")
        if answer.ok and answer.data.get("status") in ENDED:
            found: dict[str, Any] = answer.data
            return found
        if time.monotonic() >= deadline:
            return None
        time.sleep(POLL)  # noqa: TID251 - a command waits; there is no loop to block
