"""Connections that wait for their next request: the one used last is used first, and none waits for long."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable

from hooksd.delivery.transport_connection import Connection

KEEP_ALIVE = 2.0
"""Seconds that an idle connection is kept: less than common servers do, so that it is ours to close."""
MOST = 1024
"""Connections that may wait at the same time; one more is closed."""


class Pool:
    """Idle connections by where they lead."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Begin empty.

        Args:
            now: Seconds on a clock that never goes back.
        """
        self._now = now
        self._idle: dict[Hashable, deque[Connection]] = {}
        self._count = 0
        self._sweeping: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return self._count

    def take(self, key: Hashable, now: float) -> Connection | None:
        """Return the connection that was used last, and no longer keep it; None when none waits.

        Args:
            key: Where it leads.
            now: The time.
        """
        waiting = self._idle.get(key)
        while waiting:
            connection = waiting.pop()
            self._count -= 1
            if connection.is_usable and now - connection.idle_since < KEEP_ALIVE:
                return connection
            connection.close()
        return None

    def put(self, connection: Connection) -> None:
        """Keep a connection for the next request that goes where it leads."""
        if self._count >= MOST:
            connection.close()
            return
        waiting = self._idle.get(connection.leads_to)
        if waiting is None:
            waiting = self._idle[connection.leads_to] = deque()
        waiting.append(connection)
        self._count += 1
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(KEEP_ALIVE, self._sweep)

    def close(self) -> None:
        """Close everything."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for waiting in self._idle.values():
            for connection in waiting:
                connection.close()
        self._idle.clear()
        self._count = 0

    def _sweep(self) -> None:
        """Close what has waited for too long."""
        now = self._now()
        for key, waiting in list(self._idle.items()):
            while waiting and (now - waiting[0].idle_since >= KEEP_ALIVE or not waiting[0].is_usable):
                waiting.popleft().close()
                self._count -= 1
            if not waiting:
                del self._idle[key]
        loop = asyncio.get_running_loop()
        self._sweeping = loop.call_later(KEEP_ALIVE / 2, self._sweep) if self._idle else None
