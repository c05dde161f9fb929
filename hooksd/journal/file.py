"""The log in a directory: `log-<n>.jsonl`, and large bodies in `blobs/` beside them. The daemon's own journal.

    append -> codec.dump, lines.begun -> Writer's queue
        -> (thread) Tail.commit -> lines.ended -> Segment.append -> Receipt -> whoever awaits

`daemon.wiring` makes it; everyone else knows `journal.protocol.Journal` alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hooksd.clock import Clock, SystemClock, rfc3339
from hooksd.errors import JournalBroken, JournalError
from hooksd.journal import blobs, checkpoint, codec, lines, recovery
from hooksd.journal.checkpoint import OpenWork
from hooksd.journal.disk import Disk, FileDisk
from hooksd.journal.incoming import Incoming
from hooksd.journal.keeper import Keeper
from hooksd.journal.protocol import Durable, Journal
from hooksd.journal.retention import EVERYTHING, Keep, Retention, Swept
from hooksd.journal.tail import Tail
from hooksd.journal.writer import JournalState, Limits, Writer, later
from hooksd.model.arrival import EventLine
from hooksd.model.record import LogDamaged, Record
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer

SEGMENT_SIZE = 64 * 1024 * 1024
_SPAN = 10
"""A segment spans at most one part in this many of the age after which it goes, so that what stays is hardly older."""


class FileJournal:
    """Journal over one directory, which it has for itself. `open` first; everything on the event loop's thread."""

    def __init__(  # noqa: PLR0913 - what it works with, each by name
        self,
        directory: Path,
        *,
        disk: Disk | None = None,
        segment_size: int = SEGMENT_SIZE,
        keep: Keep = EVERYTHING,
        sync: bool = True,
        index: bool = False,
        clock: Clock | None = None,
        limits: Limits | None = None,
        observer: Observer | None = None,
        on_broken: Callable[[JournalBroken], None] | None = None,
    ) -> None:
        """Take what it works with; nothing is touched before `open`.

        Args:
            directory: Made when it is missing, for its owner only.
            disk: The way to the directory. Default: the machine's file system.
            segment_size: Bytes after which the next file begins. Default: 64 MiB, a second of reading.
            keep: How much of the log is kept. Default: everything.
            sync: False trades the promise that an answer means "on disk" for speed: a crash of the machine, not of
                the daemon, then loses the last seconds.
            index: Note which names occur in closed segments, for those who read the log.
            clock: Default: the machine's.
            limits: How much may wait for the disk.
            observer: Told of batches, damage and changes of state. Default: one that nobody reads.
            on_broken: Called once, on the event loop, when the log cannot be written any more. The process must stop
                accepting and end.
        """
        self._directory = directory
        self._disk = disk or FileDisk(directory)
        self._segment_size = segment_size
        self._keep = keep
        self._sync = sync
        self._index = index
        self._clock = clock or SystemClock()
        self._limits = limits or Limits()
        self._observer = observer or Observer()
        self._on_broken = on_broken
        self._mended: recovery.Mended | None = None
        self._tail: Tail | None = None
        self._writer: Writer | None = None
        self._retention = Retention(self._disk, keep, clock=self._clock)
        self._keeper: Keeper | None = None

    def open(self) -> None:
        """Lock the directory, mend what a crash left, and begin a new segment. On the running event loop.

        Raises:
            JournalError: Another process has the directory, or it cannot be read or written; the message says which.
        """
        try:
            self._disk.lock()
        except OSError as error:
            raise JournalError(f"{self._directory}: the log cannot be opened: {error.strerror}") from error
        try:
            self._mended = recovery.mend(self._disk, rfc3339(self._clock.now()))
            self._tail = Tail(
                self._disk,
                self._mended,
                clock=self._clock,
                segment_size=self._segment_size,
                sync=self._sync,
                segment_age=float("inf") if self._keep.age is None else self._keep.age / _SPAN,
            )
        except (OSError, JournalError) as error:
            self._disk.unlock()
            raise JournalError(f"{self._directory}: the log cannot be recovered: {error}") from error
        self._writer = Writer(
            self._tail,
            clock=self._clock,
            limits=self._limits,
            observer=self._observer,
            on_broken=self._on_broken,
        )
        self._tail.on_room = self._retention.fresh.renew
        loop = asyncio.get_running_loop()
        self._tail.on_missing = lambda damage: later(loop, self._report, [damage])
        if self._mended.torn is not None:
            self._report([self._mended.torn])

    @property
    def state(self) -> JournalState:
        """`ok`; `full`: refuses until there is room; `broken`: refuses for good, closed included."""
        return "broken" if self._writer is None else self._writer.state

    @property
    def behind(self) -> float:
        """For how many seconds the batch that is being written has been; a watchdog's measure of a stuck disk."""
        return 0.0 if self._writer is None else self._writer.behind

    def append(self, records: Sequence[Record | EventLine]) -> Durable:  # noqa: D102 - see Journal
        writer = self._writer or self._open_writer
        begun, size = lines.begun(map(codec.dump, records))
        return writer.put(records, begun, size)

    def read(self) -> Iterator[Record]:
        """Yield every record from the oldest unfinished work on, oldest first, and report the damage on the way.

        Raises:
            JournalError: The medium does not let itself be read.
        """
        mended, tail = self._mended, self._tail
        if mended is None or tail is None:
            raise JournalError("the log is not open")
        first = checkpoint.read(self._disk)
        segments = tuple(number for number in mended.segments if number >= first)
        replay = recovery.Replay(self._disk, segments, rfc3339(self._clock.now()))
        work = OpenWork()
        try:
            for segment, record in replay.records():
                work.note((record,), segment)
                yield record
        except OSError as error:
            raise JournalError(f"{self._directory}: the log cannot be read: {error}") from error
        tail.work = work
        tail.save_checkpoint()
        carried = work.carried(rfc3339(self._clock.now()))
        if carried is not None:
            _ = self.append([carried])  # until it is written, recovery begins where it stood before
        self._report(replay.damages)
        if self._index or not self._keep.everything:
            loop = asyncio.get_running_loop()
            self._keeper = Keeper(
                None if self._keep.everything else self._retention,
                tail,
                lambda swept, error: later(loop, self._tell_swept, swept, error),
                notes=self._directory if self._index else None,
            )

    def _tell_swept(self, swept: Swept, error: OSError | None) -> None:
        self._observer.emit(
            happenings.LogTrimmed(
                segments=swept.segments,
                blobs=swept.blobs,
                size=swept.size,
                error=None if error is None else str(error),
            )
        )

    def _report(self, damages: Sequence[LogDamaged]) -> None:
        if not damages:
            return
        _ = self.append(damages)  # nobody waits for it: what cannot be kept will be found again
        for damage in damages:
            self._observer.emit(
                happenings.LogDamaged(segment=damage.segment, offset=damage.offset, size=damage.size, kind=damage.kind)
            )

    async def put_blob(self, data: bytes) -> str:  # noqa: D102 - see Journal
        writer = self._open_writer
        if writer.refusal is not None:
            raise type(writer.refusal)(*writer.refusal.args) from writer.refusal
        self._retention.fresh.mark(blobs.digest_of(data))
        self._stored(len(data))
        return await asyncio.to_thread(self._put, data, writer)

    def _put(self, data: bytes, writer: Writer) -> str:
        try:
            return blobs.put(self._disk, data)
        except JournalError as error:
            writer.refused_body(error)
            raise

    @property
    def folder(self) -> str:
        """The directory, from the root: the paths of blobs begin with it."""
        return str(self._directory.absolute())

    def receive(self) -> Incoming:
        """Begin a body that comes piece by piece and becomes a blob.

        Raises:
            JournalError: The log takes nothing now.
        """
        writer = self._open_writer
        if writer.refusal is not None:
            raise type(writer.refusal)(*writer.refusal.args) from writer.refusal
        return Incoming(self._disk, mark=self._retention.fresh.mark, stored=self._stored, refused=writer.refused_body)

    def _stored(self, size: int) -> None:
        if self._tail is not None:
            self._tail.beside += size

    def blob(self, digest: str) -> bytes:  # noqa: D102 - see Journal
        return blobs.get(self._disk, digest)

    async def close(self) -> None:
        """Make everything queued durable, note where the next recovery may begin, and let go of the directory."""
        if self._writer is None or self._tail is None:
            return
        await self._writer.close()
        if self._keeper is not None:
            await asyncio.to_thread(self._keeper.close)
        self._tail.save_checkpoint()
        self._tail.close()
        self._tail = None
        self._disk.unlock()

    @property
    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise JournalBroken("the log is not open")
        return self._writer


_: type[Journal] = FileJournal
