"""The only place that reads a clock.

Everything that needs the time takes a `Clock`; tests hand in one that they move themselves.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from hooksd.instant import rfc3339, unix

__all__ = ["Clock", "SystemClock", "rfc3339", "unix"]


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


_: type[Clock] = SystemClock
