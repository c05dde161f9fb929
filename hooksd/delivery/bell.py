"""A bell that rings when the next delivery is due: one alarm for thousands that wait.

Used by `delivery.dispatcher`.
"""

from __future__ import annotations

from collections.abc import Callable

from hooksd.clock import Alarm, Clock

NAP = 60.0
"""The longest wait in seconds. Due times are on the wall clock, which may be set or go on while the machine sleeps."""


class Bell:
    """Rings once for each time that it is set to."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        """Take what it rings by.

        Args:
            clock: The time.
            ring: Called when the time has come, or after `NAP` at the latest: whoever hears it looks and sets it anew.
        """
        self._clock = clock
        self._ring = ring
        self._alarm: Alarm | None = None
        self.due: float | None = None
        """When it rings, in Unix seconds; None: it does not."""

    def set(self, due: float | None) -> None:
        """Ring at this time and at no other; None: do not ring."""
        if due == self.due:
            return
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self.due = due
        if due is not None:
            self._alarm = self._clock.call_later(min(due - self._clock.now(), NAP), self._rung)

    def _rung(self) -> None:
        self._alarm = self.due = None
        self._ring()
