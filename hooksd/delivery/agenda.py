"""Which delivery is next: what is due, each endpoint in its turn, none beyond its share, and none that is held.

Used by `delivery.dispatcher`. Waiting for a time costs an entry in a heap, not a task; thousands may wait.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable

from hooksd.delivery.gate import Hold

CONCURRENCY = 256
"""Attempts under way at the same time, as far as nobody says otherwise."""


class Agenda:
    """Deliveries by due time; those that are due by endpoint, each endpoint in its turn."""

    def __init__(
        self, *, total: int, each: Callable[[str], int], hold: Callable[[str, float], Hold | None] | None = None
    ) -> None:
        """Begin empty.

        Args:
            total: Attempts that may be under way at the same time.
            each: Returns how many may be under way to an endpoint at the same time: a slow one does not hold up others.
            hold: Returns why no attempt to an endpoint may begin at a time, in Unix seconds; None when one may.
        """
        self._total = total
        self._each = each
        self._hold = hold
        self._order = itertools.count()
        self._later: list[tuple[float, int, str, str]] = []
        """Due time, order, delivery and endpoint; without a delivery: when to look at an endpoint again."""
        self._due: dict[str, deque[str]] = {}
        self._turns: deque[str] = deque()
        """Endpoints that have something due and may have a place for it, each once, in turn."""
        self._offered: set[str] = set()
        self._under_way: dict[str, int] = {}
        self._count = 0

    @property
    def under_way(self) -> int:
        """How many were taken and are not done."""
        return self._count

    @property
    def next_due(self) -> float | None:
        """When the next one that waits for its time is due; None when none does."""
        return self._later[0][0] if self._later else None

    def waiting(self, endpoint: str) -> int:
        """Return how many are due to an endpoint and wait for their turn."""
        return len(self._due.get(endpoint, ()))

    def in_flight(self, endpoint: str) -> int:
        """Return how many to an endpoint were taken and are not done."""
        return self._under_way.get(endpoint, 0)

    @property
    def is_offered(self) -> bool:
        """Tell whether some endpoint has something due and a place for it, as far as is known."""
        return bool(self._turns) and self._count < self._total

    def add(self, delivery: str, endpoint: str, due: float, now: float) -> None:
        """Let a delivery wait for its time, in Unix seconds; or for a place, when that has come."""
        if due > now:
            heapq.heappush(self._later, (due, next(self._order), delivery, endpoint))
            return
        if self._later:
            self.ripen(now)  # what was due before stands before it
        self._wait(delivery, endpoint)

    def ripen(self, now: float) -> None:
        """Let those whose time has come wait for a place."""
        while self._later and self._later[0][0] <= now:
            _, _, delivery, endpoint = heapq.heappop(self._later)
            if delivery:
                self._wait(delivery, endpoint)
            else:
                self.offer(endpoint)

    def take(self, now: float) -> tuple[str, str] | None:
        """Return which delivery is next and has a place, and its endpoint; None when none is or there is none.

        `done` gives the place back.
        """
        while self._turns and self._count < self._total:
            endpoint = self._turns.popleft()
            self._offered.discard(endpoint)
            held = self._hold(endpoint, now) if self._hold is not None else None
            if held is None:
                return self._taken(endpoint)
            if held.until is not None:
                heapq.heappush(self._later, (max(held.until, now), next(self._order), "", endpoint))
        return None

    def push_in(self, endpoint: str) -> None:
        """Take a place out of turn, whether there is one or not."""
        self._under_way[endpoint] = self._under_way.get(endpoint, 0) + 1
        self._count += 1

    def _taken(self, endpoint: str) -> tuple[str, str]:
        waiting = self._due[endpoint]
        delivery = waiting.popleft()
        self.push_in(endpoint)
        if waiting:
            self.offer(endpoint)
        else:
            del self._due[endpoint]
        return delivery, endpoint

    def done(self, endpoint: str) -> None:
        """Give back the place of one attempt."""
        self._count -= 1
        if self._under_way[endpoint] == 1:
            del self._under_way[endpoint]
        else:
            self._under_way[endpoint] -= 1
        self.offer(endpoint)

    def _wait(self, delivery: str, endpoint: str) -> None:
        waiting = self._due.get(endpoint)
        if waiting is None:
            waiting = self._due[endpoint] = deque()
        waiting.append(delivery)
        self.offer(endpoint)

    def offer(self, endpoint: str) -> None:
        """Give an endpoint a turn if it has something due and a place for it: something about it has changed."""
        if endpoint not in self._due or endpoint in self._offered:
            return
        if self._under_way.get(endpoint, 0) < self._each(endpoint):
            self._turns.append(endpoint)
            self._offered.add(endpoint)

    def offer_all(self) -> None:
        """Give every endpoint a turn that has something due: the definitions have changed."""
        for endpoint in list(self._due):
            self.offer(endpoint)
