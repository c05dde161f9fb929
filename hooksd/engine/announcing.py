"""Tells the observer of accepted events, when they are durable: of those that start nothing, all of a batch at once.

They are most events, and telling of them one by one would take as long as it takes to queue them.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from hooksd.errors import JournalError
from hooksd.journal.protocol import Durable
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer


class _Batch(NamedTuple):
    durable: Durable
    """Of everything that is written together."""
    events: list[tuple[str, str, str]]
    """Their ids, types and sources."""


class Announcer:
    """Waits for batches. On the event loop's thread only."""

    def __init__(self, observer: Observer | None) -> None:
        """Take whom to tell; None: nobody."""
        self._observer = observer
        self._batch: _Batch | None = None

    def when(self, durable: Durable, event: str, event_type: str, source: str) -> None:
        """Tell of an event that starts nothing, when it is durable."""
        batch = self._batch
        if batch is not None and batch.durable is durable:
            batch.events.append((event, event_type, source))
        elif self._observer is not None:
            self._batch = batch = _Batch(durable, [(event, event_type, source)])
            durable.then(partial(self._over, self._observer, batch))

    def _over(self, observer: Observer, batch: _Batch, error: JournalError | None) -> None:
        if self._batch is batch:
            self._batch = None
        if error is not None:
            return
        if observer.is_verbose:
            for event, event_type, source in batch.events:
                self.tell(event, event_type, source, 0)
        else:
            observer.metrics.events([source for _, _, source in batch.events])

    def tell(self, event: str, event_type: str, source: str, runs: int) -> None:
        """Tell of an event that is durable, and of how many runs it starts."""
        observer = self._observer
        if observer is None:
            return
        if observer.is_verbose:
            observer.emit(happenings.EventAccepted(event_id=event, event_type=event_type, source=source, runs=runs))
        else:  # making the happening would take longer than all else that is done here
            observer.metrics.events((source,))
