"""Places for so many at a time: asked for and taken in one call where one is free. Used by `engine.execution`."""

from __future__ import annotations

import asyncio
from collections import deque


class Places:
    """Who finds no place waits; first come, first served. On the event loop's thread only."""

    __slots__ = ("_free", "_waiting")

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Take a place if one is free, and tell so; none is while somebody waits."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def wait(self) -> None:
        """Take a place as soon as there is one."""
        if self.take():
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                self.leave()  # it was given a moment before
            raise

    def leave(self) -> None:
        """Give a place to the first who waits, or back."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1
