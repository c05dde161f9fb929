"""The only place that reads a clock.

Everything that needs the time takes a `Clock`; tests hand in one that they move themselves.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import time
from typing import Protocol


class Clock(Protocol):
    """The time, and waiting for it."""

    def now(self) -> float:
        """Return the wall-clock time in Unix seconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back, for measuring durations."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`; at once when they are zero or negative."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> float:  # noqa: D102 - see Clock
        return time.time()  # noqa: TID251 - this is the clock

    def monotonic(self) -> float:  # noqa: D102 - see Clock
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:  # noqa: D102 - see Clock
        await asyncio.sleep(max(0.0, seconds))


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


_: type[Clock] = SystemClock
