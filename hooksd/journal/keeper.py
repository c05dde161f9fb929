"""The thread that looks after closed segments: sweeps what is not kept, and notes what is in the others.

Made by `journal.file` when there is either to do; the writer wakes it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from hooksd.journal import index
from hooksd.journal.retention import Retention, Swept
from hooksd.journal.tail import Tail

INTERVAL = 60.0
"""Seconds between looks for segments that have become too old."""

Tell = Callable[[Swept, OSError | None], None]


class Keeper:
    """Works after each new segment, and every minute. What goes wrong is told, and tried again."""

    def __init__(self, retention: Retention | None, tail: Tail, tell: Tell, *, notes: Path | None = None) -> None:
        """Start the thread.

        Args:
            retention: What to sweep; None: everything is kept.
            tail: Says which segment is being written, and which are needed.
            tell: Called in the thread when something was removed, or could not be.
            notes: The directory of the log, to note which names occur in its segments; None: nobody reads it.
        """
        self._retention = retention
        self._tail = tail
        self._tell = tell
        self._notes = notes
        self._noted: set[int] = set()
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="hooksd-log-keeper", daemon=True)
        tail.on_segment = self._wake.set
        self._thread.start()

    def close(self) -> None:
        """End the thread; a sweep that is under way is finished first."""
        self._closing = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing:
            if self._retention is not None:
                self._sweep(self._retention)
            if self._notes is not None and not self._tail.is_full:
                current = self._tail.segment
                index.write_notes(self._notes, current=current, is_over=lambda: self._closing, done=self._noted)
            self._wake.wait(INTERVAL)
            self._wake.clear()

    def _sweep(self, retention: Retention) -> None:
        needed = self._tail.needed
        if needed is None or self._tail.is_full:
            return  # recovery has not read yet what is unfinished, or records wait that name bodies
        try:
            swept = retention.sweep(current=self._tail.segment, needed=needed)
        except OSError as error:
            self._tell(Swept(), error)
            return
        if swept.segments or swept.blobs:
            self._tell(swept, None)
