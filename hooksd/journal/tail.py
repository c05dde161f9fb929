"""The growing end of the log: batches go in, segments come out. Used by one thread at a time, the writer's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hooksd.clock import Clock, rfc3339
from hooksd.errors import JournalBroken, JournalFull
from hooksd.journal import checkpoint, codec
from hooksd.journal.checkpoint import OpenWork
from hooksd.journal.disk import Disk
from hooksd.journal.recovery import Mended
from hooksd.journal.scan import Link
from hooksd.journal.segment import Segment
from hooksd.model.record import Record, SegmentStarted

FLOOR = 16 * 1024 * 1024
"""Bytes that stay free. Below it nothing is accepted: what runs needs room to end, and so does its operator."""
_FLOOR_INTERVAL = 1.0
"""Seconds between looks at the free room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A record on its way to the disk."""

    record: Record
    text: bytes
    """What `codec.dump` made of it."""


class Tail:
    """Writes batches, one after the other, each durable when `commit` returns."""

    def __init__(self, disk: Disk, mended: Mended, *, clock: Clock, segment_size: int, sync: bool) -> None:
        """Begin a new segment: the end of an old one is never trusted with more.

        Args:
            disk: The directory of the log, locked.
            mended: What recovery found.
            clock: For the time in the first record of a segment, and for how often to look at the free room.
            segment_size: The next segment begins when one has this many bytes.
            sync: Whether a batch must be on the medium, or may be in the page cache only.

        Raises:
            JournalFull: There is no room.
            JournalBroken: The segment cannot be written.
        """
        self.work: OpenWork | None = None
        """What is unfinished, once recovery has read it; no checkpoint is written before."""
        self._disk = disk
        self._clock = clock
        self._segment_size = segment_size
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
        header = SegmentStarted(at=rfc3339(self._clock.now()), number=number, previous_sha256=previous)
        line, crc = codec.encode(header, self._link.seq, self._link.seq, self._link.prev)
        try:
            segment.append(line)
        except JournalFull:
            self._drop(segment)
            raise
        self._link = Link(seq=self._link.seq + 1, prev=crc)
        return segment

    def _drop(self, segment: Segment) -> None:
        segment.close()
        try:
            self._disk.remove(segment.name)
        except OSError as error:
            raise JournalBroken(f"{segment.name} cannot be removed: {error}") from error

    def commit(self, batch: Sequence[Queued]) -> None:
        """Make a batch durable.

        Raises:
            JournalFull: There is no room; nothing was written, and the next batch may be tried.
            JournalBroken: This log cannot be written any more.
        """
        self._require_room()
        if self._segment.size >= self._segment_size:
            self._rotate()
        first = seq = self._link.seq
        prev = self._link.prev
        lines: list[bytes] = []
        for queued in batch:
            line, prev = codec.seal(queued.text, seq, first, prev)
            lines.append(line)
            seq += 1
        self._segment.append(b"".join(lines))
        self._link = Link(seq=seq, prev=prev)
        if self.work is not None:
            for queued in batch:
                self.work.note(queued.record, self._segment.number)

    def has_room(self) -> bool:
        """Tell whether the free room is above the floor."""
        try:
            return self._disk.free() >= FLOOR
        except OSError:
            return True  # then the write will say what is wrong

    def _require_room(self) -> None:
        now = self._clock.monotonic()
        if now - self._looked_at < _FLOOR_INTERVAL:
            return
        self._looked_at = now
        if not self.has_room():
            raise JournalFull(f"less than {FLOOR // 2**20} MiB are free for the log")

    def _rotate(self) -> None:
        full = self._segment
        try:
            self._segment = self._begin(full.number + 1, full.sha256)
        except JournalFull:
            return  # the old one takes what still fits
        full.close()
        self.save_checkpoint()

    def save_checkpoint(self) -> None:
        """Write down where the next recovery may begin."""
        if self.work is not None:
            checkpoint.write(self._disk, self.work.oldest(self._segment.number))

    def close(self) -> None:
        """Let go of the segment."""
        self._segment.close()
