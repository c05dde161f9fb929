"""Who is next: deliveries that wait for their time, and then for a place, fair between endpoints. Pure.

Used by `delivery.dispatcher`. What waits for its time costs an entry in a heap, not a task; thousands may wait.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, deque


class Agenda:
    """Deliveries by due time; those that are due by endpoint, each endpoint in its turn."""

    def __init__(self, *, total: int, each: int) -> None:
        """Begin empty.

        Args:
            total: Attempts that may be under way at the same time.
            each: Attempts that may be under way to one endpoint at the same time: a slow one does not hold up others.
        """
        self._total = total
        self._each = each
        self._order = itertools.count()
        self._later: list[tuple[float, int, str, str]] = []
        self._due: dict[str, deque[str]] = {}
        self._turns: deque[str] = deque()
        """Endpoints that have something due and a place for it, each once, in turn."""
        self._under_way: Counter[str] = Counter()

    @property
    def under_way(self) -> int:
        """How many were taken and are not done."""
        return self._under_way.total()

    @property
    def next_due(self) -> float | None:
        """When the next one that waits for its time is due; None when none does."""
        return self._later[0][0] if self._later else None

    def add(self, delivery: str, endpoint: str, due: float) -> None:
        """Let a delivery wait for its time, in Unix seconds."""
        heapq.heappush(self._later, (due, next(self._order), delivery, endpoint))

    def ripen(self, now: float) -> None:
        """Let those whose time has come wait for a place."""
        while self._later and self._later[0][0] <= now:
            _, _, delivery, endpoint = heapq.heappop(self._later)
            if endpoint not in self._due:
                self._due[endpoint] = deque()
                self._offer(endpoint)
            self._due[endpoint].append(delivery)

    def take(self) -> str | None:
        """Return who is next and has a place; None when nobody is or there is none. `done` gives the place back."""
        if not self._turns or self.under_way >= self._total:
            return None
        endpoint = self._turns.popleft()
        waiting = self._due[endpoint]
        delivery = waiting.popleft()
        self._under_way[endpoint] += 1
        if waiting:
            self._offer(endpoint)
        else:
            del self._due[endpoint]
        return delivery

    def done(self, endpoint: str) -> None:
        """Give back the place of one attempt."""
        was_full = self._under_way[endpoint] >= self._each
        self._under_way[endpoint] -= 1
        if not self._under_way[endpoint]:
            del self._under_way[endpoint]
        if was_full and endpoint in self._due:
            self._turns.append(endpoint)

    def _offer(self, endpoint: str) -> None:
        if self._under_way[endpoint] < self._each:
            self._turns.append(endpoint)
