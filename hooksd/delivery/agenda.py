"""Which delivery is next: what is due, each endpoint in its turn, none beyond its share, and none that is held.

Used by `delivery.dispatcher`. Waiting for a time costs an entry in a heap, not a task; thousands may wait.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from hooksd.delivery.gate import Hold

CONCURRENCY = 256
"""Attempts under way at the same time, as far as nobody says otherwise."""

T = TypeVar("T")


class Turn(Generic[T]):
    """What is due to one endpoint, and how much of it is under way. The agenda's: others may only look."""

    __slots__ = ("is_offered", "most", "name", "under_way", "waiting")

    def __init__(self, name: str, most: int) -> None:
        self.name = name
        self.most = most
        """How many may be under way at the same time."""
        self.under_way = 0
        """How many were taken and are not done."""
        self.waiting: deque[T] = deque()
        """What is due, in order."""
        self.is_offered = False
        """It stands among those who have something due and may have a place for it."""


class Agenda(Generic[T]):
    """Deliveries by due time; those that are due by endpoint, each endpoint in its turn."""

    def __init__(
        self,
        *,
        total: int,
        each: Callable[[str], int],
        hold: Callable[[str, float], Hold | None] = lambda _endpoint, _now: None,
    ) -> None:
        """Begin empty.

        Args:
            total: Attempts that may be under way at the same time.
            each: Returns how many may be under way to an endpoint at the same time: a slow one does not hold up others.
                Asked when an endpoint is first heard of, and by `offer_all`.
            hold: Returns why no attempt to an endpoint may begin at a time, in Unix seconds; None when one may.
        """
        self._total = total
        self._each = each
        self._hold = hold
        self._order = itertools.count()
        self._later: list[tuple[float, int, T | None, Turn[T]]] = []
        """Due time, order, delivery and turn; without a delivery: when to look at an endpoint again."""
        self._by_name: dict[str, Turn[T]] = {}
        self._turns: deque[Turn[T]] = deque()
        """Those that have something due and may have a place for it, each once, in turn."""
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
        turn = self._by_name.get(endpoint)
        return 0 if turn is None else len(turn.waiting)

    def in_flight(self, endpoint: str) -> int:
        """Return how many to an endpoint were taken and are not done."""
        turn = self._by_name.get(endpoint)
        return 0 if turn is None else turn.under_way

    @property
    def is_offered(self) -> bool:
        """Tell whether some endpoint has something due and a place for it, as far as is known."""
        return bool(self._turns) and self._count < self._total

    def turn(self, endpoint: str) -> Turn[T]:
        """Return the turn of an endpoint, always the same one."""
        turn = self._by_name.get(endpoint)
        if turn is None:
            turn = self._by_name[endpoint] = Turn(endpoint, self._each(endpoint))
        return turn

    def add(self, delivery: T, turn: Turn[T], due: float, now: float) -> None:
        """Let a delivery wait for its time, in Unix seconds; or for a place, when that has come."""
        if due > now:
            heapq.heappush(self._later, (due, next(self._order), delivery, turn))
            return
        if self._later:
            self.ripen(now)  # what was due before stands before it
        turn.waiting.append(delivery)
        if not turn.is_offered:
            self._offer(turn)

    def ripen(self, now: float) -> None:
        """Let those whose time has come wait for a place."""
        while self._later and self._later[0][0] <= now:
            _, _, delivery, turn = heapq.heappop(self._later)
            if delivery is not None:
                turn.waiting.append(delivery)
            self._offer(turn)

    def take(self, now: float) -> T | None:
        """Return which delivery is next and has a place; None when none is or there is none. `done` gives it back."""
        if self._later and self._later[0][0] <= now:
            self.ripen(now)
        turns = self._turns
        while turns and self._count < self._total:
            turn = turns.popleft()
            turn.is_offered = False
            held = self._hold(turn.name, now)
            if held is None:
                self._count += 1
                turn.under_way += 1
                delivery = turn.waiting.popleft()
                if turn.waiting and turn.under_way < turn.most:
                    turn.is_offered = True
                    turns.append(turn)
                return delivery
            if held.until is not None:
                heapq.heappush(self._later, (max(held.until, now), next(self._order), None, turn))
        return None

    def push_in(self, turn: Turn[T]) -> None:
        """Take a place out of turn, whether there is one or not."""
        turn.under_way += 1
        self._count += 1

    def done(self, turn: Turn[T]) -> None:
        """Give back the place of one attempt."""
        self._count -= 1
        turn.under_way -= 1
        if turn.waiting:
            self._offer(turn)

    def offer(self, endpoint: str) -> None:
        """Give an endpoint a turn if it has something due and a place for it: something about it has changed."""
        if (turn := self._by_name.get(endpoint)) is not None:
            self._offer(turn)

    def offer_all(self) -> None:
        """Give every endpoint a turn that has something due: the definitions have changed."""
        for name, turn in list(self._by_name.items()):
            turn.most = self._each(name)
            self._offer(turn)

    def _offer(self, turn: Turn[T]) -> None:
        if turn.waiting and not turn.is_offered and turn.under_way < turn.most:
            turn.is_offered = True
            self._turns.append(turn)
