"""When runs begin: at once while few wait, in the gaps between arrivals when many do.

To accept an event costs a tenth of what it costs to begin a run, and those who send events wait, while runs that wait
are safe in the log. So when events come faster than runs can begin, they go first; the runs catch up when it is quiet,
and are never at a standstill meanwhile. Used by `engine.crowd`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

FEW = 64
"""So many runs may wait without anything being wrong: as many as programs may run."""

AT_ONCE = 8
"""So many runs begin in one turn of the event loop, which they hold up for about a millisecond."""

QUIET = 0.005
"""Seconds without an arrival after which nobody seems to wait."""

GAP = 0.004
"""Seconds between two beginnings while events keep coming: a tenth of the loop's time, by what a run of one program
takes of it."""

T = TypeVar("T")


class Turnstile(Generic[T]):
    """Lets through one after another, in the order in which they came."""

    def __init__(self, let_in: Callable[[T], None], *, at_once: int = AT_ONCE, few: float = FEW) -> None:
        """Begin with nobody.

        Args:
            let_in: Called for each when it may go on. It may not raise.
            at_once: So many go on in one turn of the event loop; requests that are ready come between two turns.
            few: So many may wait without anything being wrong. When there are more, arrivals go first.
        """
        self._let_in = let_in
        self._at_once = at_once
        self._few = few
        self._waiting: deque[T] = deque()
        self._is_turning = False
        self._came_at = self._went_at = float("-inf")

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def add(self, item: T) -> None:
        """Let in when there is time."""
        loop = asyncio.get_running_loop()
        self._came_at = loop.time()
        self._waiting.append(item)
        if not self._is_turning:
            self._is_turning = True
            loop.call_soon(self._turn)

    def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        is_rush = len(self._waiting) > self._few and now < self._came_at + QUIET
        if is_rush and now < self._went_at + GAP:
            loop.call_later(GAP, self._turn)
            return
        for _ in range(1 if is_rush else min(self._at_once, len(self._waiting))):
            self._let_in(self._waiting.popleft())
        self._went_at = now
        self._is_turning = bool(self._waiting)
        if self._is_turning:
            loop.call_soon(self._turn)


class OneByOne:
    """Lets one task through in one turn of the event loop, and what else is ready before the next."""

    def __init__(self) -> None:
        self._turnstile: Turnstile[asyncio.Future[None]] = Turnstile(_wake, at_once=1, few=float("inf"))

    async def turn(self) -> None:
        """Wait for one's turn."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turnstile.add(mine)
        await mine


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
