"""The growing end of the log: batches go in, segments come out. Used by one thread at a time, the writer's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hooksd.clock import Clock, rfc3339
from hooksd.errors import JournalBroken, JournalFull
from hooksd.journal import blobs, checkpoint, codec
from hooksd.journal.checkpoint import OpenWork
from hooksd.journal.disk import Disk
from hooksd.journal.lines import Begun, ended
from hooksd.journal.recovery import Mended
from hooksd.journal.scan import Link
from hooksd.journal.segment import Segment, segment_name
from hooksd.model.arrival import EventLine
from hooksd.model.record import LogDamaged, Record, SegmentStarted

FLOOR = 16 * 1024 * 1024
"""Bytes that stay free. Below it nothing is accepted: what runs needs room to end, and so does its operator."""
_FLOOR_INTERVAL = 1.0
"""Seconds between looks at the free room."""


class Tail:
    """Writes batches, one after the other, each durable when `commit` returns."""

    def __init__(
        self,
        disk: Disk,
        mended: Mended,
        *,
        clock: Clock,
        segment_size: int,
        sync: bool,
        segment_age: float = float("inf"),
    ) -> None:
        """Begin a new segment: the end of an old one is never trusted with more.

        Args:
            disk: The directory of the log, locked.
            mended: What recovery found.
            clock: For the time in the first record of a segment, and for how often to look at the free room.
            segment_size: The next segment begins when one has this many bytes, with the bodies beside it.
            sync: Whether a batch must be on the medium, or may be in the page cache only.
            segment_age: The next segment begins when one is this old, in seconds.

        Raises:
            JournalFull: There is no room.
            JournalBroken: The segment cannot be written.
        """
        self.work: OpenWork | None = None
        """What is unfinished and what stands, once recovery has read it; no checkpoint is written before."""
        self.needed: int | None = None
        """The number of the first segment that holds unfinished work, as it was when the last one was closed. Any
        thread may read it: it only grows."""
        self.beside = 0
        """Bytes of bodies that were stored since the segment began. Any thread may add to it: it need not be exact."""
        self.is_full = False
        """Whether the last batch was refused for want of room."""
        self.on_room: Callable[[], None] = lambda: None
        """Called when a batch is taken after others were refused."""
        self.on_segment: Callable[[], None] = lambda: None
        """Called when a new segment has begun."""
        self.on_missing: Callable[[LogDamaged], None] = lambda _: None
        """Called when somebody took the segment away that was being written."""
        self._disk = disk
        self._clock = clock
        self._segment_size = segment_size
        self._segment_age = segment_age
        self._sync = sync
        self._link = mended.link
        self._looked_at = float("-inf")
        self._segment = self._begin(mended.next_segment, mended.sha256)

    @property
    def segment(self) -> int:
        """The number of the segment that is being written."""
        return self._segment.number

    def _begin(self, number: int, previous: str | None) -> Segment:
        segment = Segment(self._disk, number, sync=self._sync)
        at = rfc3339(self._clock.now())
        carried = None if self.work is None else self.work.carried(at)
        first, link, lines = self._link.seq, self._link, b""
        for record in (SegmentStarted(at=at, number=number, previous_sha256=previous), carried):
            if record is not None:
                line, crc = codec.encode(record, link.seq, first, link.prev)
                link = Link(seq=link.seq + 1, prev=crc)
                lines += line
        try:
            segment.append(lines)
        except JournalFull:
            self._drop(segment)
            raise
        self._link = link
        if self.work is not None and carried is not None:
            self.work.note((carried,), number)
        self.beside = 0
        self._began = self._clock.monotonic()
        return segment

    def _drop(self, segment: Segment) -> None:
        segment.close()
        try:
            self._disk.remove(segment.name)
        except OSError as error:
            raise JournalBroken(f"{segment.name} cannot be removed: {error}") from error

    def commit(self, records: Sequence[Record | EventLine], begun: Sequence[Begun]) -> None:
        """Make a batch durable.

        Args:
            records: What is in it.
            begun: The line of each: what `lines.begun` made of what `codec.dump` returned.

        Raises:
            JournalFull: There is no room; nothing was written, and the next batch may be tried.
            JournalBroken: This log cannot be written any more.
        """
        try:
            self._write(records, begun)
        except JournalFull:
            self.is_full = True
            raise
        if self.is_full:
            self.is_full = False
            self.on_room()

    def _write(self, records: Sequence[Record | EventLine], begun: Sequence[Begun]) -> None:
        self._require_room()
        if not self._segment.is_in_place():
            self._replace()
        elif self._is_over():
            self._rotate()
        link = self._link
        data, prev = ended(begun, link.seq, link.seq, link.prev)
        self._segment.append(data)
        self._link = Link(seq=link.seq + len(begun), prev=prev)
        if self.work is not None:
            self.work.note(records, self._segment.number)

    def has_room(self) -> bool:
        """Tell whether the free room is above the floor."""
        try:
            return self._disk.free() >= FLOOR
        except OSError:
            return True  # then the write will say what is wrong

    def takes_bodies(self) -> bool:
        """Tell whether a body beside the records would find room too. Any thread may ask."""
        return self.has_room() and blobs.is_room(self._disk)

    def _require_room(self) -> None:
        now = self._clock.monotonic()
        if now - self._looked_at < _FLOOR_INTERVAL:
            return
        self._looked_at = now
        if not self.has_room():
            raise JournalFull(f"less than {FLOOR // 2**20} MiB are free for the log: make room on its file system")

    def _is_over(self) -> bool:
        full = self._segment.size + self.beside >= self._segment_size
        return full or self._clock.monotonic() - self._began >= self._segment_age

    def _replace(self) -> None:
        """Go on elsewhere when somebody removed, moved, replaced or cut the segment: what is written there is lost."""
        lost = self._segment
        self._segment = self._begin(lost.number + 1, None)
        lost.close()
        # What recovery will find there, too: a place before which records are missing.
        self.on_missing(
            LogDamaged(
                at=rfc3339(self._clock.now()), segment=segment_name(lost.number + 1), offset=0, size=0, kind="damaged"
            )
        )
        self.on_segment()

    def _rotate(self) -> None:
        full = self._segment
        try:
            self._segment = self._begin(full.number + 1, full.sha256)
        except JournalFull:
            return  # the old one takes what still fits
        full.close()
        self.save_checkpoint()
        self.on_segment()

    def save_checkpoint(self) -> None:
        """Write down where the next recovery may begin."""
        if self.work is not None:
            self.needed = self.work.oldest(self._segment.number)
            checkpoint.write(self._disk, self.needed)

    def close(self) -> None:
        """Let go of the segment."""
        self._segment.close()
