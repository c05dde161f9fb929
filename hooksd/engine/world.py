"""What a run needs of everything around it, in one value: `engine.runner` makes it, `engine.execution` uses it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hooksd.clock import Clock, rfc3339
from hooksd.config.snapshot import Snapshot
from hooksd.engine.logbook import Logbook
from hooksd.engine.patience import Patience
from hooksd.engine.places import Places
from hooksd.engine.ports import Performer, Response
from hooksd.engine.rights import Office
from hooksd.model.event import Event
from hooksd.model.ids import EventId, IdFactory
from hooksd.model.record import EventAccepted
from hooksd.telemetry.observer import Observer

PROGRAMS = 64
"""Programs that run at the same time. A run that waits for its place has not begun its step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The collaborators of runs."""

    logbook: Logbook
    performer: Performer
    clock: Clock
    patience: Patience
    ids: IdFactory
    current: Callable[[], Snapshot]
    """Returns the definitions in force."""
    jitter: Callable[[], float]
    """Returns a random fraction from 0 to 1."""
    base_url: str
    """Where the HTTP API is, without a slash at the end."""
    publish: Callable[[Event], Awaitable[EventAccepted]]
    """Makes an event durable and starts its runs."""
    answer: Callable[[EventId, Response], None]
    """Tells the caller of a webhook, if one waits."""
    office: Office
    """Knows what runs may do."""
    is_draining: Callable[[], bool]
    """Tells whether no step may begin any more."""
    observer: Observer | None
    programs: Places = field(default_factory=lambda: Places(PROGRAMS))
    """The places for programs."""

    def at(self) -> str:
        """Return the time as records write it."""
        return rfc3339(self.clock.now())
