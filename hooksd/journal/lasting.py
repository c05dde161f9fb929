"""What a start must know and what is no work: endpoints that are held, and definitions that were pinged. Pure.

Work pins the segment that it began in until it has ended. These facts may stand for years: so each new segment takes
them over in a record of its own, `log.carried`, and the segments before it may go. `journal.checkpoint` folds them
while the log is written, `journal.replay` when it is read.
"""

from __future__ import annotations

from collections.abc import Iterable

from hooksd.model.holding import EndpointHeld, EndpointReleased, LogCarried
from hooksd.model.record import ConfigApplied, EventAccepted, Record

OVER_RESTARTS = frozenset({"suspended", "receiver", "breaker"})
"""Reasons to hold an endpoint that hold over a restart. The others come about again by themselves."""

_ENDPOINT = "endpoint/"
"""Before the name of an endpoint in the lists of `config.applied`."""


class Lasting:
    """The fold of a log that begins anywhere before the last `log.carried`, or at its own beginning."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], EndpointHeld] = {}
        self._pinged: dict[str, str] = {}

    @property
    def is_any(self) -> bool:
        """Tell whether anything stands."""
        return bool(self._held or self._pinged)

    @property
    def held(self) -> tuple[EndpointHeld, ...]:
        """Endpoints whose deliveries wait, by the last record of each reason that lasts."""
        return tuple(self._held.values())

    @property
    def pinged(self) -> dict[str, str]:
        """The fingerprint of the definition of each endpoint that was pinged because it appeared or changed."""
        return dict(self._pinged)

    def note(self, record: Record) -> None:
        """Take in one record, in the order of the log."""
        match record:
            case EventAccepted():
                for plan in record.deliveries:
                    if plan.fingerprint is not None:
                        self._pinged[plan.endpoint] = plan.fingerprint
            case EndpointHeld() if record.reason in OVER_RESTARTS:
                self._held[record.endpoint, record.reason] = record
            case EndpointReleased():
                self._held.pop((record.endpoint, record.reason), None)
            case ConfigApplied():
                self._forget((*record.changed, *record.removed))
            case LogCarried():
                self._held = {(held.endpoint, held.reason): held for held in record.held}
                self._pinged = dict(record.pinged)
            case _:
                pass

    def _forget(self, definitions: Iterable[str]) -> None:
        """Forget the pings of endpoints that are others now, or gone: whatever comes is to be pinged."""
        for name in definitions:
            if name.startswith(_ENDPOINT):
                self._pinged.pop(name.removeprefix(_ENDPOINT), None)

    def carried(self, at: str) -> LogCarried | None:
        """Return the record that takes it over into a new segment; None when nothing stands.

        Args:
            at: The time.
        """
        return LogCarried(at=at, held=self.held, pinged=self.pinged) if self.is_any else None
