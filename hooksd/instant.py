"""Moments as text and as numbers. Apart from the clock, so that commands which only read the log start fast."""

from __future__ import annotations

import datetime as dt
import functools


def rfc3339(unix: float) -> str:
    """Write Unix seconds as UTC with milliseconds: `2026-11-22T03:28:00.123Z` (RFC 3339)."""
    seconds, millis = divmod(round(unix * 1000), 1000)
    return f"{_second(seconds)}.{millis:03d}Z"


@functools.lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    """Write the part that many stamps share: each record has one, and a busy second has tens of thousands."""
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).isoformat()[:19]


def unix(stamp: str) -> float:
    """Read what `rfc3339` wrote.

    Raises:
        ValueError: `stamp` is not an RFC 3339 time with an offset.
    """
    moment = dt.datetime.fromisoformat(stamp)
    if moment.tzinfo is None:
        raise ValueError(f"time without an offset: {stamp!r}")
    return moment.timestamp()
