"""Moments as people write them in options: how long ago, a date, or a time."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from hooksd.cli.output import safe
from hooksd.errors import UsageError
from hooksd.instant import unix
from hooksd.model.spans import seconds_of

F = TypeVar("F", bound=Callable[..., Any])


def since_and_until(function: F) -> F:
    """Give a command the options `--since` and `--until`, as Unix seconds or None."""
    until = click.option("--until", metavar="WHEN", callback=_read, help="Only what happened before; as --since.")
    text = 'Only what happened then or later: "2h" (ago), "2026-11-22", or "2026-11-22T09:00:00Z".'
    return click.option("--since", metavar="WHEN", callback=_read, help=text)(until(function))


def _read(_ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    now = time.time()  # noqa: TID251 - a command has no clock handed in
    return moment(f"--{param.name}", value, now)


def moment(option: str, text: str, now: float) -> float:
    """Return what an option means, in Unix seconds. Where no offset is written, the time is UTC, as in the log.

    Args:
        option: Its name.
        text: Its value.
        now: Unix seconds.

    Raises:
        UsageError: It is no moment.
    """
    ago = seconds_of(text)
    if ago is not None:
        return now - ago
    try:
        read = dt.datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option}: `{safe(text)}` is no moment: write how long ago (2h, 3d), a date (2026-11-22), or a time "
            "(2026-11-22T09:00:00Z)"
        ) from None
    return (read if read.tzinfo is not None else read.replace(tzinfo=dt.UTC)).timestamp()


def happened(tree: Mapping[str, Any]) -> float:
    """Return when a record was made, in Unix seconds; endless where a later version says it in another way."""
    try:
        return unix(tree["at"])
    except (KeyError, TypeError, ValueError):
        return float("inf")


def brief(at: str) -> str:
    """Return `2026-11-22T09:41:00.123Z` without what people do not look for: the year and parts of a second."""
    return f"{at[5:10]} {at[11:19]}Z"
