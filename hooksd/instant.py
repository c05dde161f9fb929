"""Moments as text and as numbers. Apart from the clock, so that commands which only read the log start fast."""

from __future__ import annotations

import datetime as dt
import functools


def rfc3339(unix: float) -> str:
    """Write Unix seconds as UTC with milliseconds: `2026-11-22T03:28:00.123Z` (RFC 3339)."""
    return _stamp(round(unix * 1000))


@functools.lru_cache(maxsize=16)
def _stamp(millis: int) -> str:
    """Write the milliseconds since 1970: a busy one has tens of records."""
    seconds, rest = divmod(millis, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@functools.lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    """Write the part that many stamps share: each record has one, and a busy second has tens of thousands."""
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).isoformat()[:19]


@functools.lru_cache(maxsize=16)
def unix(stamp: str) -> float:
    """Read what `rfc3339` wrote: in a busy millisecond, for tens of records the same.

    Raises:
        ValueError: `stamp` is not an RFC 3339 time with an offset.
    """
    moment = dt.datetime.fromisoformat(stamp)
    if moment.tzinfo is None:
        raise ValueError(f"time without an offset: {stamp!r}")
    return moment.timestamp()
