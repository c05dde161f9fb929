"""Where recovery may begin: the oldest segment that still holds unfinished work.

A cache. An old checkpoint is safe, because work that is newer than it lies in later segments; a missing or damaged one
means that recovery reads the whole log.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import orjson

from hooksd.journal import codec
from hooksd.journal.disk import Disk
from hooksd.journal.lasting import Lasting
from hooksd.journal.segment import segment_name
from hooksd.model.arrival import EventLine
from hooksd.model.holding import LogCarried
from hooksd.model.record import (
    AttemptEnded,
    AttemptStarted,
    DeliveryCreated,
    DeliveryEnded,
    EventAccepted,
    Record,
    RunEnded,
    RunStarted,
    StepEnded,
    StepRetried,
    StepStarted,
)

CHECKPOINT = "checkpoint.json"

_BETWEEN: Final = frozenset({RunStarted, StepStarted, StepRetried, StepEnded, AttemptStarted, AttemptEnded})
"""Most records: nothing begins and nothing ends with them."""


class OpenWork:
    """Which segment each unfinished run and delivery began in, and from which on it is known what stands."""

    def __init__(self) -> None:
        self._segments: dict[str, int] = {}
        self._lasting = Lasting()
        self._lasts_since: int | None = None

    def note(self, records: Iterable[Record | EventLine], segment: int) -> None:
        """Take in records of one segment of the log, in their order."""
        segments = self._segments
        for record in records:
            if type(record) in _BETWEEN:
                continue
            if isinstance(record, EventLine):
                if record.runs or record.deliveries:
                    self._plan(record, segment)
            elif isinstance(record, DeliveryCreated):
                segments[record.delivery] = segment
            elif isinstance(record, DeliveryEnded):
                segments.pop(record.delivery, None)
            elif isinstance(record, RunEnded):
                segments.pop(record.run, None)
            else:
                self._note_rare(record, segment)

    def _plan(self, record: EventLine | EventAccepted, segment: int) -> None:
        for plan in record.runs + record.deliveries:
            self._segments[plan.id] = segment

    def _note_rare(self, record: Record, segment: int) -> None:
        if isinstance(record, EventAccepted):
            self._plan(record, segment)
        self._lasting.note(record)
        if not self._lasting.is_any:
            self._lasts_since = None
        elif self._lasts_since is None or isinstance(record, LogCarried):
            self._lasts_since = segment

    def carried(self, at: str) -> LogCarried | None:
        """Return what a new segment takes over; None when nothing stands."""
        return self._lasting.carried(at)

    def oldest(self, current: int) -> int:
        """Return the first segment that recovery needs; `current` when everything has ended."""
        first = min(self._segments.values(), default=current)
        return first if self._lasts_since is None else min(first, self._lasts_since)


def write(disk: Disk, first: int) -> None:
    """Keep the number of the first segment that recovery needs. A disk that cannot costs time at the next start only.

    Args:
        disk: The directory of the log.
        first: The number.
    """
    line, _ = codec.seal(orjson.dumps({"first_segment": first}), 0, 0, 0)
    try:
        disk.save(CHECKPOINT, line)
    except OSError:
        return


def read(disk: Disk) -> int:
    """Return the number of the first segment that recovery needs; 0, for all of them, when nobody knows."""
    try:
        first = _first_segment(disk.read(CHECKPOINT))
        return first if disk.size(segment_name(first)) is not None else 0
    except OSError:
        return 0


def _first_segment(text: bytes) -> int:
    line = codec.unseal(text.removesuffix(b"\n"))
    first = None if line is None else codec.tree_of(line).get("first_segment")
    return first if isinstance(first, int) else 0
