"""Time limits by our own clock, so that tests can pass them without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial
from types import TracebackType

from hooksd.clock import Clock


class OutOfTime(Exception):
    """A limit of `Patience` passed. Not a TimeoutError, which may come from what was waited for."""


class Patience:
    """Ends what takes too long."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def until(self, when: float) -> Until:
        """Cancel a block at a Unix time, by `OutOfTime`. See `Until`."""
        return Until(self._clock, when)

    async def wait_for(self, awaitable: Awaitable[object], seconds: float) -> bool:
        """Tell whether something was done within `seconds`; what was not is cancelled."""
        try:
            async with self.until(self._clock.now() + seconds):
                await awaitable
        except OutOfTime:
            return False
        return True


class Until:
    """An async context manager that cuts its block off. It yields a limit that others may `cut` earlier.

    Raises:
        OutOfTime: The block was cut off.
    """

    __slots__ = ("_alarm", "_clock", "_limit", "_when")

    def __init__(self, clock: Clock, when: float) -> None:
        self._clock = clock
        self._when = when
        self._limit = asyncio.timeout(None)

    async def __aenter__(self) -> asyncio.Timeout:
        limit = await self._limit.__aenter__()
        self._alarm = self._clock.call_later(self._when - self._clock.now(), partial(cut, limit))
        return limit

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._alarm.cancel()
        try:
            await self._limit.__aexit__(kind, error, traceback)
        except TimeoutError as problem:
            raise OutOfTime from problem


def cut(limit: asyncio.Timeout) -> None:
    """Make a limit pass now."""
    limit.reschedule(asyncio.get_running_loop().time())
