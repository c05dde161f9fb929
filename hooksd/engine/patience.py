"""Time limits by our own clock, so that tests can pass them without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import Self

from hooksd.clock import Clock


class OutOfTime(Exception):
    """A limit of `Patience` passed. Not a TimeoutError, which may come from what was waited for."""


class Patience:
    """Ends what takes too long."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def until(self, when: float) -> Until:
        """Return what cuts a block off at a Unix time, by `OutOfTime`. See `Until`."""
        return Until(self._clock, when)

    async def wait_for(self, awaitable: Awaitable[object], seconds: float) -> bool:
        """Tell whether something was done within `seconds`; what was not is cancelled."""
        try:
            with self.until(self._clock.now() + seconds):
                await awaitable
        except OutOfTime:
            return False
        return True


class Until:
    """Cuts its block off, by the task's cancellation, at its time or when somebody calls `cut` earlier.

    What `asyncio.timeout` does, by our own clock and without coroutines: every attempt of a step has a limit.

    Raises:
        OutOfTime: The block was cut off.

    Source: asyncio.Timeout.
    """

    __slots__ = ("_alarm", "_cancelling", "_clock", "_is_cut", "_task", "_when")

    def __init__(self, clock: Clock, when: float) -> None:
        self._clock = clock
        self._when = when
        self._is_cut = False
        self._task: asyncio.Task[object] | None = None

    def __enter__(self) -> Self:
        self._task = task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be cut off")
        self._cancelling = task.cancelling()
        self._alarm = self._clock.call_later(self._when - self._clock.now(), self.cut)
        return self

    def cut(self) -> None:
        """Cut the block off now; nothing happens when it is over."""
        if self._task is not None and not self._is_cut:
            self._is_cut = True
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        self._alarm.cancel()
        # Whoever else cancelled the task meant more than this block.
        if self._is_cut and task is not None and task.uncancel() <= self._cancelling and _is_cancelled(kind):
            raise OutOfTime from error


def _is_cancelled(kind: type[BaseException] | None) -> bool:
    return kind is not None and issubclass(kind, asyncio.CancelledError)
