"""The pulse: feeds the watchdog while the log moves, and keeps the line in `systemctl status` true.

It runs as a task on the event loop, so that a blocked loop starves the watchdog; a log that hangs does so too, because
`moves` says no. Called by `daemon.wiring`.
"""

from __future__ import annotations

from collections.abc import Callable

from hooksd.clock import Clock
from hooksd.daemon.systemd import Notifier

TICK = 1.0
"""Seconds between two looks, at most: how long a rejected commit may be missing in the status line."""


async def beat(
    notifier: Notifier, clock: Clock, *, watchdog: float | None, moves: Callable[[], bool], status: Callable[[], str]
) -> None:
    """Beat until cancelled.

    Args:
        notifier: Who is told.
        clock: For the wait between two beats.
        watchdog: Seconds after which the watchdog bites; it is fed at least three times as often. None: there is none.
        moves: Tells whether the log takes records, or has none to take.
        status: Returns the line for people.
    """
    tick = min(TICK, watchdog / 3) if watchdog else TICK
    shown = ""
    while True:
        if watchdog and moves():
            notifier.alive()
        if (line := status()) != shown:
            notifier.status(line)
            shown = line
        await clock.sleep(tick)
