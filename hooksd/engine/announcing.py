"""Tells the observer of events that are durable: of those of one batch at once.

Telling of them one by one would take as long as it takes to queue one that starts nothing, as most do.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer


class Told(Struct, frozen=True):
    """What is told of an event."""

    event: str
    type: str
    source: str
    """Who it is counted by."""
    runs: int
    """How many it starts."""


class Announcer:
    """Writes their lines, or counts them."""

    def __init__(self, observer: Observer | None) -> None:
        """Take whom to tell; None: nobody."""
        self._observer = observer

    def tell(self, events: Sequence[Told]) -> None:
        """Tell of events that are durable."""
        observer = self._observer
        if observer is None:
            return
        if not observer.is_verbose:  # making the happenings would take longer than all else that is done here
            observer.metrics.events([event.source for event in events])
            return
        for told in events:
            observer.emit(
                happenings.EventAccepted(event_id=told.event, event_type=told.type, source=told.source, runs=told.runs)
            )
