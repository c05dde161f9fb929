"""Waiting for the end of a delivery, and telling it: for `hooksd send` and `hooksd redeliver`."""

from __future__ import annotations

import time
from typing import Any

from hooksd.cli.client import Client, problem_text
from hooksd.cli.lines import status
from hooksd.cli.output import note, safe
from hooksd.cli.width import shortened
from hooksd.errors import HooksdError, UsageError
from hooksd.model.spans import format_duration, seconds_of

POLL = 0.2
TIMED_OUT = 75
MAX_ERROR = 160


def seconds_from(option: str, text: str) -> float:
    """Return the seconds that an option means.

    Raises:
        UsageError: It is no duration.
    """
    seconds = seconds_of(text)
    if seconds is None:
        raise UsageError(f"{option}: `{safe(text)}` is no duration: write it with a unit, like 30s or 10m")
    return seconds


def waited(client: Client, delivery: str, seconds: float) -> int:
    """Wait for the end of a delivery, tell it, and return the exit status.

    Args:
        client: Asks the daemon.
        delivery: Its id.
        seconds: How long at most; then the status is 75.
    """
    deadline = time.monotonic() + seconds
    while True:
        view = _view(client, delivery)
        if view["status"] != "pending":
            return _told(view)
        if time.monotonic() >= deadline:
            attempts = _attempts(view)
            again = f", again at {safe(view['next_attempt_at'])}" if view.get("next_attempt_at") else ""
            note(f"{safe(delivery)} has no end after {format_duration(seconds)}: {attempts}{_error(view)}{again}")
            return TIMED_OUT
        time.sleep(POLL)  # noqa: TID251 - a command waits; there is no loop to block


def _view(client: Client, delivery: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/deliveries/{delivery}")
    if not answer.ok:
        raise HooksdError(problem_text(answer.data))
    view: dict[str, Any] = answer.data
    return view


def _told(view: dict[str, Any]) -> int:
    exchanges = view.get("exchanges") or [{}]
    code = exchanges[-1].get("status")
    answered = "" if code is None else f", answered {code}"
    note(f"{safe(view['id'])}  {status(view['status'])} after {_attempts(view)}{answered}{_error(view)}")
    return 0 if view["status"] == "delivered" else 1


def _attempts(view: dict[str, Any]) -> str:
    count = view["attempts"]
    return f"{count} attempt" + ("" if count == 1 else "s")


def _error(view: dict[str, Any]) -> str:
    return f": {safe(shortened(str(view['error']), MAX_ERROR))}" if view.get("error") else ""
