"""The only place that reads a clock.

Everything that needs the time takes a `Clock`; tests hand in one that they move themselves.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from hooksd.instant import rfc3339, unix

__all__ = ["Alarm", "Clock", "SystemClock", "rfc3339", "unix"]


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

    def call_later(self, seconds: float, function: Callable[[], None]) -> Alarm:
        """Call a function after `seconds`, on the running loop; soon when they are zero or negative."""
        ...


class Alarm(Protocol):
    """A call that is due."""

    def cancel(self) -> None:
        """Do not make it. Nothing happens when it has been made."""
        ...


class SystemClock:
    """The clock of the machine."""

    # Asked ten times for a delivery: a function of Python around each would double the price.
    now = staticmethod(time.time)  # noqa: TID251 - this is the clock
    monotonic = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:  # noqa: D102 - see Clock
        await asyncio.sleep(max(0.0, seconds))

    def call_later(self, seconds: float, function: Callable[[], None]) -> Alarm:  # noqa: D102 - see Clock
        return asyncio.get_running_loop().call_later(max(0.0, seconds), function)


_: type[Clock] = SystemClock
