"""A clock that is moved by hand; its two faces can part, as they do when somebody sets the time of a machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hooksd.clock import Alarm, Clock

NOON = 1_795_348_800.0


class HandClock:
    def __init__(self) -> None:
        self._now = NOON
        self._since = 0.0

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        self._since += seconds

    def set_by(self, seconds: float) -> None:
        """Set the wall clock forward, or back."""
        self._now += seconds

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._since

    async def sleep(self, seconds: float) -> None:
        self.move(max(0.0, seconds))
        await asyncio.sleep(0)

    def call_later(self, seconds: float, function: Callable[[], None]) -> Alarm:
        self.move(max(0.0, seconds))
        return asyncio.get_running_loop().call_later(0, function)


_: type[Clock] = HandClock
