"""Keeps memory from holding up requests while sets of definitions come and go: `daemon.reload` calls it.

Ten thousand definitions are a million objects. To look through them for garbage, or to free them at once, stops every
thread of the process for a part of a second.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hooksd.config.snapshot import Snapshot

GC_THRESHOLD = (50_000, 50, 100)
"""How seldom the garbage collector looks. Definitions live long and are frozen out of its sight; requests make hardly
any cycles. Measured: with Python's own numbers it is what the slowest requests wait for."""

MUCH = 200_000
"""Objects that take the garbage collector so long to look through that requests would notice it."""

TURN = 0.0005
"""Seconds after which a thread in the background gives way to the event loop. Python's own number, ten times as long,
would hold up each step of each request by as much."""

REST = 0.00002
"""Seconds for which it then does nothing, and the system adds some. Measured: requests that have to ask for their turn
wait twice as long, as a thread that is asked goes on for a while."""


def collect_seldom() -> None:
    """Set how often the garbage collector looks."""
    gc.set_threshold(*GC_THRESHOLD)


class Turns:
    """Gives way when it is called and a turn is over. For one thread at a time."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Take the clock that measures turns."""
        self._monotonic = monotonic
        self._began = monotonic()
        self._never = threading.Event()

    def __call__(self) -> None:
        """Do nothing for a moment, if the last one was `TURN` seconds ago."""
        if self._monotonic() - self._began >= TURN:
            self._never.wait(REST)
            self._began = self._monotonic()


@contextmanager
def in_the_background() -> Iterator[None]:
    """Let requests go first while something takes long in a thread of their process.

    What it makes is taken out of the garbage collector's sight: definitions stay, and circles are next to none.
    """
    interval, collects = sys.getswitchinterval(), gc.isenabled()
    gc.collect()  # little has been made since the last time, and garbage must not be kept
    sys.setswitchinterval(TURN)
    gc.disable()
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.freeze()
        if collects:
            gc.enable()


def tidy() -> None:
    """Look for garbage in what was taken out of sight, like requests that were under way then; unless it is much.

    Looking through everything stops every request for as long as it takes (measured: half a second for 10,000
    definitions). An old set does not need it: nothing in it refers back to itself.
    """
    if gc.get_freeze_count() <= MUCH:
        gc.unfreeze()
        gc.collect()
        gc.freeze()


def pieces_of(snapshot: Snapshot) -> list[object]:
    """Return everything large in a set, for `let_go`. The caller then has to forget the set itself."""
    known = snapshot.definitions
    mappings = (known.webhooks, known.endpoints, known.workflows, known.roles)
    compiled = (snapshot.webhooks, snapshot.workflows, snapshot.endpoints)
    return [*(item for mapping in mappings for item in mapping.values()),
            *(item for mapping in compiled for item in mapping.values())]  # fmt: skip


def let_go(pieces: list[object], pause: Callable[[], None]) -> None:
    """Free a set piece by piece, and pause in between."""
    while pieces:
        pieces.pop()
        pause()
