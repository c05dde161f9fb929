"""The log without its thread and its event loop: recovery, tail and retention as `journal.file` puts them together.

So thousands of lives of a log fit into a second, and each step happens in an order that a test knows.
"""

from __future__ import annotations

from collections.abc import Sequence

from hooksd.clock import Clock
from hooksd.journal import blobs, checkpoint, codec, recovery
from hooksd.journal.checkpoint import OpenWork
from hooksd.journal.disk import Disk
from hooksd.journal.lines import begun
from hooksd.journal.retention import EVERYTHING, Keep, Retention
from hooksd.journal.tail import Tail
from hooksd.model.record import LogDamaged, Record, SegmentStarted
from tests.durability.hand_clock import HandClock
from tests.journal import samples


class SynchronousLog:
    """One life of a log, from its recovery on."""

    def __init__(
        self,
        disk: Disk,
        *,
        segment_size: int = 1 << 20,
        keep: Keep = EVERYTHING,
        clock: Clock | None = None,
        whole: bool = True,
    ) -> None:
        """Recover.

        Args:
            disk: The directory.
            segment_size: As of the journal.
            keep: As of the journal.
            clock: As of the journal.
            whole: Read every record, instead of those from the checkpoint on.
        """
        self.disk = disk
        self.clock = clock or HandClock()
        self.mended = recovery.mend(disk, samples.AT)
        self.tail = Tail(disk, self.mended, clock=self.clock, segment_size=segment_size, sync=True)
        first = 0 if whole else checkpoint.read(disk)
        replay = recovery.Replay(disk, tuple(number for number in self.mended.segments if number >= first), samples.AT)
        work = OpenWork()
        self.records: list[Record] = []
        """What recovery read, but for what the log says of itself."""
        for segment, record in replay.records():
            work.note((record,), segment)
            if not isinstance(record, SegmentStarted | LogDamaged):
                self.records.append(record)
        self.damages = replay.damages
        self.tail.work = work
        self.tail.save_checkpoint()
        self.retention = Retention(disk, keep, clock=self.clock)
        if self.damages:
            self.append(self.damages)

    def append(self, records: Sequence[Record]) -> None:
        """Make a batch durable; raises as `Tail.commit` does."""
        self.tail.commit(records, begun(map(codec.dump, records))[0])

    def put_blob(self, data: bytes) -> str:
        self.retention.fresh.mark(blobs.digest_of(data))
        return blobs.put(self.disk, data)

    def rotate(self) -> None:
        """Begin a new segment with the next batch."""
        self.tail.beside = 1 << 40

    def sweep(self) -> None:
        assert self.tail.needed is not None
        self.retention.sweep(current=self.tail.segment, needed=self.tail.needed)
