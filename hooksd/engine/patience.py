"""Time limits by our own clock, so that tests can pass them without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from hooksd.clock import Clock


class OutOfTime(Exception):
    """A limit of `Patience` passed. Not a TimeoutError, which may come from what was waited for."""


class Patience:
    """Ends what takes too long. Its timers live in the task group that it is given before first use."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: asyncio.TaskGroup | None = None

    def live_in(self, tasks: asyncio.TaskGroup) -> None:
        """Start timers in this group from now on."""
        self._tasks = tasks

    @asynccontextmanager
    async def until(self, when: float) -> AsyncIterator[asyncio.Timeout]:
        """Cancel the block at a Unix time. The yielded limit may be rescheduled by others to end it earlier.

        Raises:
            OutOfTime: The block was cut off.
        """
        limit = asyncio.timeout(None)
        try:
            async with limit:
                timer = self._timers.create_task(self._expire(when, limit), name="limit")
                try:
                    yield limit
                finally:
                    timer.cancel()
        except TimeoutError as error:
            if limit.expired():
                raise OutOfTime from error
            raise

    async def wait_for(self, awaitable: Awaitable[object], seconds: float) -> bool:
        """Tell whether something was done within `seconds`; what was not is cancelled."""
        try:
            async with self.until(self._clock.now() + seconds):
                await awaitable
        except OutOfTime:
            return False
        return True

    @property
    def _timers(self) -> asyncio.TaskGroup:
        if self._tasks is None:
            raise RuntimeError("the engine is not running yet")
        return self._tasks

    async def _expire(self, when: float, limit: asyncio.Timeout) -> None:
        await self._clock.sleep(when - self._clock.now())
        cut(limit)


def cut(limit: asyncio.Timeout) -> None:
    """Make a limit pass now."""
    limit.reschedule(asyncio.get_running_loop().time())
