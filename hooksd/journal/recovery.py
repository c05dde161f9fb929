"""From what a dead process left to a log that can grow again. `journal.file` does this once, at start.

`mend` looks at the last segment alone: it cuts the torn end off and finds where the chain of records goes on. `replay`
then reads what the work needs; whatever damage it meets is reported and stepped over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from hooksd.journal import codec
from hooksd.journal.disk import Disk
from hooksd.journal.scan import START, Damage, Found, Link, torn_from, walk
from hooksd.journal.segment import segment_name, segment_number
from hooksd.model.record import LogDamaged, Record

TORN = ".torn"
"""What is cut off a segment is kept in a file of its name and this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """A log that can be read, and go on."""

    segments: tuple[int, ...]
    """The numbers of its files, in order."""
    link: Link
    """Where the chain of records goes on."""
    sha256: str | None
    """Of the last file; None when there is none."""
    torn: LogDamaged | None
    """What was cut off."""

    @property
    def next_segment(self) -> int:
        """The number of the next file."""
        return self.segments[-1] + 1 if self.segments else 1


def mend(disk: Disk, at: str) -> Mended:
    """Cut the torn end off the last segment, kept beside it, and find where the log goes on.

    Args:
        disk: The directory of the log, locked.
        at: The time, for the record about what was cut.

    Raises:
        OSError: The medium does not let itself be read or written.
    """
    segments = tuple(sorted(number for name in disk.names() if (number := segment_number(name)) is not None))
    if not segments:
        return Mended(segments=(), link=START, sha256=None, torn=None)
    name = segment_name(segments[-1])
    data = disk.read(name, medium=True)
    torn = None
    offset = torn_from(data)
    if offset is not None:
        _cut(disk, name, data, offset)
        torn = LogDamaged(at=at, segment=name, offset=offset, size=len(data) - offset, kind="torn")
        data = data[:offset]
    return Mended(
        segments=segments, link=_link_after(disk, segments, data), sha256=hashlib.sha256(data).hexdigest(), torn=torn
    )


def _cut(disk: Disk, name: str, data: bytes, offset: int) -> None:
    disk.save(name + TORN, data[offset:])
    handle = disk.open(name, new=False)
    try:
        handle.truncate(offset)
        handle.sync()
    finally:
        handle.close()


def _link_after(disk: Disk, segments: tuple[int, ...], last: bytes) -> Link:
    """Return where the chain stands after the last record, which may be in an earlier segment than the last."""
    for number in reversed(segments):
        data = last if number == segments[-1] else disk.read(segment_name(number), medium=True)
        link = None
        for item in walk(data, None):
            if isinstance(item, Found):
                link = item.link
        if link is not None:
            return link
    return START


class Replay:
    """One pass over the segments that recovery needs."""

    def __init__(self, disk: Disk, segments: tuple[int, ...], at: str) -> None:
        """Take what to read.

        Args:
            disk: The directory of the log.
            segments: The numbers of its files, in order.
            at: The time, for the records about damage.
        """
        self._disk = disk
        self._segments = segments
        self._at = at
        self._damages: list[LogDamaged] = []
        self._known: set[tuple[str, int]] = set()

    @property
    def damages(self) -> tuple[LogDamaged, ...]:
        """What `records` met so far and the log does not speak of yet."""
        return tuple(damage for damage in self._damages if (damage.segment, damage.offset) not in self._known)

    def records(self) -> Iterator[tuple[int, Record]]:
        """Yield every record and the number of its segment, oldest first.

        Raises:
            OSError: The medium does not let itself be read.
        """
        link: Link | None = None
        for number in self._segments:
            name = segment_name(number)
            for item in walk(self._disk.read(name, medium=True), link):
                match item:
                    case Damage():
                        self._report(name, item)
                    case Found():
                        link = item.link
                        if item.flipped:
                            self._report(name, Damage(offset=item.offset, size=item.line.size))
                        record = self._record(name, item)
                        if record is not None:
                            yield number, record

    def _record(self, name: str, found: Found) -> Record | None:
        try:
            record = codec.record_of(codec.tree_of(found.line))
        except codec.UnknownRecord:
            return None  # a newer version wrote about something that this one does not do
        except ValueError:
            self._report(name, Damage(offset=found.offset, size=found.line.size))
            return None
        if isinstance(record, LogDamaged):
            self._known.add((record.segment, record.offset))
        return record

    def _report(self, name: str, damage: Damage) -> None:
        self._damages.append(
            LogDamaged(at=self._at, segment=name, offset=damage.offset, size=damage.size, kind="damaged")
        )
