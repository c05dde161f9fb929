"""Deadlines of requests: one timer for all that is under way, set for the one that must end first.

A timer for each request costs more than reading its answer does; most end long before their time, and the timer is not
touched. `delivery.transport_connection` says when what it waits for must be over.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Protocol

PAUSE = 0.001
"""Seconds between two looks, at least: clocks of event loops count milliseconds."""


class Expiring(Protocol):
    """What waits now and then, and never for longer than until some time."""

    ends: float
    """When it must be over; infinity while it waits for nothing."""

    def expire(self) -> None:
        """End it: its time is over."""
        ...


class Deadlines:
    """When everything that is under way must be over."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Begin without any.

        Args:
            now: Seconds on a clock that never goes back: that of the times which are handed in.
        """
        self.next = math.inf
        """When the next look is due. Who must be over before has to say so."""
        self._now = now
        self._members: set[Expiring] = set()
        self._alarm: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._members)

    def enter(self, one: Expiring) -> None:
        """Look at something from now on."""
        self._members.add(one)

    def leave(self, one: Expiring) -> None:
        """Look at it no longer; what was never looked at is no mistake."""
        self._members.discard(one)

    def look_at(self, when: float) -> None:
        """Look for what is late at a time that is before the next look."""
        if self._alarm is not None:
            self._alarm.cancel()
        self.next = when
        wait = max(when - self._now(), PAUSE)
        self._alarm = asyncio.get_running_loop().call_later(wait, self._look)

    def _look(self) -> None:
        """End what is late, and look again when the next may be."""
        now = self._now()
        self._alarm, self.next = None, math.inf
        for one in [one for one in self._members if one.ends <= now]:
            one.expire()
        first = min((one.ends for one in self._members), default=math.inf)
        if first < math.inf:
            self.look_at(first)
