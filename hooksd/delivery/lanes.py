"""Lanes: deliveries of one endpoint and one subject, one after the other, as they were asked for. Pure.

Used by `delivery.dispatcher` for endpoints that are `ordered`.
"""

from __future__ import annotations

from collections import deque

Lane = tuple[str, str]
"""Endpoint and subject; deliveries without a subject share one lane."""


class Lanes:
    """Who is first in each lane, and who waits behind."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, deque[str]] = {}

    def enter(self, lane: Lane, delivery: str) -> bool:
        """Go to the end of a lane. Tells whether the delivery is the first."""
        waiting = self._lanes.setdefault(lane, deque())
        waiting.append(delivery)
        return len(waiting) == 1

    def leave(self, lane: Lane, delivery: str) -> str | None:
        """Let a delivery go, which has ended. Returns who comes first now, if somebody else was first until now."""
        waiting = self._lanes[lane]
        was_first = waiting[0] == delivery
        waiting.remove(delivery)
        if not waiting:
            del self._lanes[lane]
            return None
        return waiting[0] if was_first else None
