"""When to try again: pure arithmetic over a policy, an attempt number and a random fraction."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictInt

from hooksd.model.base import Definition
from hooksd.model.units import Duration

ScheduleName = Literal["none", "quick", "standard", "week"]

SCHEDULES: dict[str, tuple[float, ...]] = {
    "none": (),
    "quick": (1, 5, 30, 120),
    "standard": (2, 10, 60, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400),
    "week": (2, 10, 60, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400, 86400, 86400, 86400),
}
"""Waits in seconds before the second, third, ... attempt of a delivery. `standard` makes 12 attempts in 75 hours."""

JITTER = 0.2
"""Up to this share of a wait is added at random, so that retries of many deliveries do not arrive together."""


class Retry(Definition):
    """How often a step or a delivery is tried again, and how long to wait in between."""

    max: StrictInt = Field(default=3, ge=1, le=100)
    """Attempts in all, the first included."""
    delay: Duration = 2.0
    """The wait before the second attempt."""
    factor: float = Field(default=2.0, ge=1, le=10, strict=True)
    """Each further wait is this many times the one before."""
    max_delay: Duration = 300.0
    """No wait is longer."""

    def wait_after(self, attempt: int, jitter: float) -> float | None:
        """Return the seconds to wait after a failed attempt, or None when there is no further one.

        Args:
            attempt: The number of the attempt that failed, from 1.
            jitter: A random fraction from 0 to 1; at most `JITTER` of the wait is added.
        """
        if attempt >= self.max:
            return None
        wait = min(self.delay * self.factor ** (attempt - 1), self.max_delay)
        return wait * (1 + JITTER * jitter)


RetryRule = Retry | ScheduleName
"""`retry = "standard"` or `retry = { max = 5, delay = "2s" }`: one key with one meaning on steps and endpoints."""


def wait_after(rule: RetryRule, attempt: int, jitter: float) -> float | None:
    """Return the seconds to wait after failed attempt number `attempt` under a rule, or None at its end."""
    if isinstance(rule, Retry):
        return rule.wait_after(attempt, jitter)
    waits = SCHEDULES[rule]
    return waits[attempt - 1] * (1 + JITTER * jitter) if attempt <= len(waits) else None


def longest_wait(rule: RetryRule) -> float:
    """Return the longest wait of a rule in seconds, without what is added at random."""
    return rule.max_delay if isinstance(rule, Retry) else max(SCHEDULES[rule], default=0.0)
