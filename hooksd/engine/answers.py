"""Callers who wait for a `respond` step. The first answer to an event wins; nothing here outlives the process."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from hooksd.engine.patience import Patience
from hooksd.engine.ports import Response
from hooksd.model.ids import EventId

KEPT = 256
"""Answers kept after their last run ended, for a caller who comes a moment later."""


class _Asked:
    """An event that somebody waits for, or that was answered."""

    __slots__ = ("response", "waiters")

    def __init__(self) -> None:
        self.response: Response | None = None
        self.waiters: list[asyncio.Future[None]] = []

    def wake(self) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)


class Answers:
    """What `respond` steps said, by event."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._open: dict[EventId, int] = {}
        """How many runs of an event have not ended. Of most that is all there ever is to know."""
        self._asked: dict[EventId, _Asked] = {}
        """Some of the same events."""
        self._kept: OrderedDict[EventId, Response] = OrderedDict()

    def expect(self, event: EventId, runs: int) -> None:
        """Note that an event started runs."""
        if runs:
            self._open[event] = runs

    def give(self, event: EventId, response: Response) -> None:
        """Take an answer, unless there is one already."""
        if event in self._open:
            entry = self._asked.setdefault(event, _Asked())
            if entry.response is None:
                entry.response = response
                entry.wake()

    def release(self, event: EventId) -> None:
        """Note that one run of an event ended; after the last one nobody waits any longer."""
        runs = self._open.pop(event, 0)
        if runs > 1:
            self._open[event] = runs - 1
        elif event in self._asked:
            self._over(event, self._asked.pop(event))

    def close(self) -> None:
        """Send everybody who waits away without an answer."""
        for entry in self._asked.values():
            entry.wake()
        self._open.clear()
        self._asked.clear()

    async def wait(self, event: EventId, seconds: float) -> Response | None:
        """Return the answer; None when it takes longer than `seconds`, or when there will be none."""
        if event not in self._open:
            return self._kept.get(event)
        entry = self._asked.setdefault(event, _Asked())
        if entry.response is None:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            entry.waiters.append(waiter)
            await self._patience.wait_for(waiter, seconds)
        return entry.response

    def _over(self, event: EventId, entry: _Asked) -> None:
        if entry.response is not None:
            self._keep(event, entry.response)
        entry.wake()

    def _keep(self, event: EventId, response: Response) -> None:
        self._kept[event] = response
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
