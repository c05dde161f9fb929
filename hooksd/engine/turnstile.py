"""When runs begin: at once while few wait; when many do, whenever the event loop has nothing else to do.

To accept an event costs a fraction of what a run costs, and those who send events wait, while runs that wait are safe
in the log. So when events come faster than runs can be carried out, they go first, and the runs get a fixed share of
the loop's time. Nothing is held back while there is time for it, but for a moment after the loop was found busy. Used
by `engine.crowd`; `InTurns` by `engine.process`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from hooksd.clock import Clock, SystemClock

FEW = 64
"""So many runs may wait without anything being wrong: as many as programs may run."""

AT_ONCE = 8
"""So many runs begin in one turn of the event loop, which they hold up for about a millisecond."""

IDLE = 0.0001
"""A turn in which everything else took fewer seconds had nothing to do, unless many wait for the disk."""

MANY = 16
"""When so many wait for the disk together, answering them is a millisecond's work, and hearing them again another."""

SHARE = 0.1
"""The part of the loop's time that runs get when it is busy."""

COST = 0.001
"""Seconds of the loop's time that a run takes, about, from its beginning to its end."""

PAUSE = 0.002
"""Seconds until a loop that was busy is looked at again. To look in every turn keeps the loop from sleeping: it then
takes the processor from the log's thread, on which the events wait. Measured on one core: half of what was accepted."""

T = TypeVar("T")


class Turnstile(Generic[T]):
    """Lets through one after another, in the order in which they came."""

    def __init__(
        self,
        let_in: Callable[[T], None],
        *,
        at_once: int = AT_ONCE,
        few: float = FEW,
        clock: Clock | None = None,
        waited_for: Callable[[], object | None] = lambda: None,
    ) -> None:
        """Begin with nobody.

        Args:
            let_in: Called for each when it may go on. It may not raise.
            at_once: So many go on in one turn of the event loop; requests that are ready come between two turns.
            few: So many may wait without anything being wrong.
            clock: Measures turns. Default: the machine's.
            waited_for: Returns what more than a few callers wait for; None: nothing. While it is something else each
                time, the loop is busy even in a turn without work: its next work is on its way. What is the same for
                two looks takes long, as a slow disk does, and there is time for something else; but not for more than
                a few, who would all wait for the same disk.
        """
        self._let_in = let_in
        self._waited_for = waited_for
        self._seen: object | None = None
        self._meanwhile = 0
        """Looks since it is the same."""
        self._at_once = at_once
        self._few = few
        self._clock = clock or SystemClock()
        self._waiting: deque[T] = deque()
        self._is_turning = False
        self._left_at = 0.0
        self._counted_at = 0.0
        self._saved = 0.0

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def add(self, item: T) -> None:
        """Let in when there is time."""
        self._waiting.append(item)
        if not self._is_turning:
            self._is_turning = True
            self._come_again()

    def _turn(self) -> None:
        is_busy = False
        if len(self._waiting) <= self._few:
            count = min(self._at_once, len(self._waiting))
        else:
            now = self._clock.monotonic()
            is_busy = self._is_waited_for() or now - self._left_at >= IDLE
            count = self._share(now) if is_busy else 1
        for _ in range(count):
            self._let_in(self._waiting.popleft())
        self._is_turning = bool(self._waiting)
        if is_busy and self._is_turning:
            self._clock.call_later(PAUSE, self._come_again)
        elif self._is_turning:
            self._come_again()

    def _is_waited_for(self) -> bool:
        """Tell whether callers wait for something else than at the last look, or for the same for all too long."""
        seen, self._seen = self._seen, self._waited_for()
        if self._seen is None:
            return False
        self._meanwhile = self._meanwhile + 1 if self._seen is seen else 0
        return not 0 < self._meanwhile <= FEW

    def _share(self, now: float) -> int:
        """Return how many may go on although the loop is busy."""
        self._saved = min(self._saved + (now - self._counted_at) * SHARE, 2 * COST)
        self._counted_at = now
        count = int(self._saved / COST)
        self._saved -= count * COST
        return count

    def _come_again(self) -> None:
        """Have a turn after everything that is ready now, and everything that has arrived by then."""
        self._left_at = self._clock.monotonic()
        asyncio.get_running_loop().call_soon(self._turn)


class InTurns:
    """Lets a few tasks through in one turn of the event loop, and what else is ready before the next."""

    def __init__(self, at_once: int) -> None:
        """Begin with nobody.

        Args:
            at_once: So many go on in one turn.
        """
        self._turnstile: Turnstile[asyncio.Future[None]] = Turnstile(_wake, at_once=at_once, few=float("inf"))

    async def turn(self) -> None:
        """Wait for one's turn."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turnstile.add(mine)
        await mine


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
