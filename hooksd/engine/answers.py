"""Callers who wait for a `respond` step. The first answer to an event wins; nothing here outlives the process."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from hooksd.engine.patience import Patience
from hooksd.engine.ports import Response
from hooksd.model.ids import EventId

KEPT = 256
"""Answers kept after their last run ended, for a caller who comes a moment later."""


class _Open:
    """An event with runs that have not ended."""

    __slots__ = ("response", "runs", "waiters")

    def __init__(self, runs: int) -> None:
        self.runs = runs
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
        self._open: dict[EventId, _Open] = {}
        self._kept: OrderedDict[EventId, Response] = OrderedDict()

    def expect(self, event: EventId, runs: int) -> None:
        """Note that an event started runs."""
        if runs:
            self._open[event] = _Open(runs)

    def give(self, event: EventId, response: Response) -> None:
        """Take an answer, unless there is one already."""
        entry = self._open.get(event)
        if entry is not None and entry.response is None:
            entry.response = response
            entry.wake()

    def release(self, event: EventId) -> None:
        """Note that one run of an event ended; after the last one nobody waits any longer."""
        entry = self._open.get(event)
        if entry is None:
            return
        entry.runs -= 1
        if entry.runs == 0:
            del self._open[event]
            if entry.response is not None:
                self._keep(event, entry.response)
            entry.wake()

    def close(self) -> None:
        """Send everybody who waits away without an answer."""
        for entry in self._open.values():
            entry.wake()
        self._open.clear()

    async def wait(self, event: EventId, seconds: float) -> Response | None:
        """Return the answer; None when it takes longer than `seconds`, or when there will be none."""
        entry = self._open.get(event)
        if entry is not None and entry.response is None:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            entry.waiters.append(waiter)
            await self._patience.wait_for(waiter, seconds)
        return entry.response if entry is not None else self._kept.get(event)

    def _keep(self, event: EventId, response: Response) -> None:
        self._kept[event] = response
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
