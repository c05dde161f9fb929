"""For tests, ours and yours: a clock to move by hand, identifiers that repeat, a performer that only writes down.

A `Playbook` is a transcript of one run: what the machine asks for, what it is told, how it ends. It needs no daemon,
no loop and no waiting.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

from hooksd.clock import Clock
from hooksd.engine.ports import Performer
from hooksd.model.effect import Effect, Performed
from hooksd.model.ids import IdFactory

SETTLE_ROUNDS = 40
"""How often `FakeClock` lets the loop turn before it takes everything for done that can be done at this time."""


class FakeClock:
    """A clock that stands still until it is told to move. It starts at 2026-11-22T00:00:00Z."""

    def __init__(self, now: float = 1_795_305_600.0) -> None:
        self._now = now
        self._start = now
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        """Return Unix seconds."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds since the clock was made."""
        return self._now - self._start

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has been moved on by `seconds`."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), woken))
        await woken

    @property
    def sleeping(self) -> int:
        """How many sleepers wait."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    @property
    def next_due(self) -> float | None:
        """The Unix time at which the next sleeper wakes; None when nobody sleeps."""
        return min((due for due, _, woken in self._sleepers if not woken.done()), default=None)

    async def settle(self) -> None:
        """Let everything happen that can happen without time passing."""
        for _ in range(SETTLE_ROUNDS):
            await asyncio.sleep(0)

    async def advance(self, seconds: float) -> None:
        """Move on by `seconds`, waking sleepers one after another, each at its own time."""
        end = self._now + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self._now = max(self._now, due)
                woken.set_result(None)
                await self.settle()
        self._now = end
        await self.settle()


class FakeIds(IdFactory):
    """Makes the same identifiers in every run of a test, in rising order."""

    def __init__(self, now: Callable[[], float] = lambda: 1_795_305_600.0) -> None:
        super().__init__(now, itertools.count(1).__next__)


class RecordingPerformer:
    """Carries out nothing: it writes down what it was asked for and answers as it was told.

    Args:
        answers: What comes of the first, second, ... effect; afterwards each one succeeds. An answer may be a
            function of the effect.
    """

    def __init__(self, *answers: Performed | Callable[[Effect], Performed]) -> None:
        self.effects: list[Effect] = []
        """What was asked for, in order."""
        self.cancelled: list[Effect] = []
        """What was cancelled while it was under way."""
        self._answers = list(answers)
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        """Let effects take for ever, until `release`."""
        self._open.clear()

    def release(self) -> None:
        """Let effects end, those under way included."""
        self._open.set()

    async def perform(self, effect: Effect) -> Performed:
        """Write the effect down and answer."""
        self.effects.append(effect)
        try:
            await self._open.wait()
        except asyncio.CancelledError:
            self.cancelled.append(effect)
            raise
        answer = self._answers.pop(0) if self._answers else Performed(ok=True, code=0)
        return answer(effect) if callable(answer) else answer


_: type[Clock] = FakeClock
_performer: type[Performer] = RecordingPerformer
