"""A breaker: an endpoint that fails and fails is left alone for a while, and then asked with one real delivery. Pure.

    allows(breaker, now)              may an attempt begin?
    begun(breaker, now)               one began
    ended(breaker, now, is_good=...)  one ended

It holds deliveries and drops none: what is due waits until a probe is through. A probe is the delivery that has been
due for longest, so an endpoint that is down costs a delivery no more of its schedule than it would cost alone.
"""

from __future__ import annotations

from typing import NamedTuple

CONSECUTIVE = 10
"""Failures in a row that open it."""
SHARE = 0.5
ENOUGH = 20
WINDOW = 60.0
"""It opens too when this share of at least so many attempts failed within so many seconds."""
SLOTS = 6
"""Parts that the window is counted in."""
FIRST_REST = 30.0
LONGEST_REST = 300.0
"""Seconds before the first probe and, doubled with every probe that fails, at most before the next."""


class Breaker(NamedTuple):
    """Closed, unless `until` says when the next probe may be made. A tuple, because every attempt makes one."""

    until: float | None = None
    """Unix seconds of the next probe; None: closed."""
    is_probing: bool = False
    """A probe is under way."""
    rest: float = FIRST_REST
    """How long it rests when it opens, or when the probe fails."""
    failures: int = 0
    """In a row."""
    counts: tuple[tuple[int, int, int], ...] = ()
    """Of the window: number of the slot, attempts, failures; oldest first."""

    @property
    def is_open(self) -> bool:
        """Tell whether deliveries are held."""
        return self.until is not None


CLOSED = Breaker()


def allows(breaker: Breaker, now: float) -> bool:
    """Tell whether an attempt may begin: always while it is closed, else when a probe is due and none is under way."""
    return breaker.until is None or (now >= breaker.until and not breaker.is_probing)


def begun(breaker: Breaker) -> Breaker:
    """Return the breaker after an attempt began that it allowed."""
    return breaker if breaker.until is None else breaker._replace(is_probing=True)


def ended(breaker: Breaker, now: float, *, is_good: bool) -> Breaker:
    """Return the breaker after an attempt ended.

    Args:
        breaker: Before.
        now: Unix seconds.
        is_good: The endpoint works, whatever it thought of this request.
    """
    if is_good:
        # An answer from before it opened says that it works too.
        return CLOSED if breaker.until is not None else went_well(breaker, now, 1)
    failures = breaker.failures + 1
    if breaker.is_open:
        if not breaker.is_probing:
            return breaker  # it began before it opened: what it says is known
        rest = min(breaker.rest * 2, LONGEST_REST)
        return breaker._replace(until=now + rest, is_probing=False, rest=rest, failures=failures)
    counts = _counted(breaker.counts, now, attempts=1, failed=1)
    if failures >= CONSECUTIVE or _is_bad(counts):
        return Breaker(until=now + FIRST_REST, failures=failures)
    return breaker._replace(failures=failures, counts=counts)


def went_well(breaker: Breaker, now: float, attempts: int) -> Breaker:
    """Return a closed breaker after so many attempts ended well one after the other, within one slot of the window."""
    return Breaker(counts=_counted(breaker.counts, now, attempts=attempts, failed=0))


def slot_of(now: float) -> int:
    """Return the number of the slot that a time lies in."""
    return int(now * SLOTS / WINDOW)


def _counted(
    counts: tuple[tuple[int, int, int], ...], now: float, *, attempts: int, failed: int
) -> tuple[tuple[int, int, int], ...]:
    slot = slot_of(now)
    if counts and counts[-1][0] == slot:
        _, before, failures = counts[-1]
        return (*counts[:-1], (slot, before + attempts, failures + failed))
    kept = tuple(count for count in counts if count[0] > slot - SLOTS)
    return (*kept, (slot, attempts, failed))


def _is_bad(counts: tuple[tuple[int, int, int], ...]) -> bool:
    oldest = counts[-1][0] - SLOTS
    within = [count for count in counts if count[0] > oldest]
    attempts = sum(count[1] for count in within)
    return attempts >= ENOUGH and sum(count[2] for count in within) >= SHARE * attempts
