"""How much of the log is kept: the oldest segments go, and the bodies that no record names any more.

What holds unfinished work stays, with everything behind it. `journal.keeper` sweeps in a thread of its own, so that
neither the event loop nor the writer waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hooksd.clock import Clock, unix
from hooksd.journal import blobs, codec, naming
from hooksd.journal.disk import Disk
from hooksd.journal.index import INDEX
from hooksd.journal.naming import Named
from hooksd.journal.recovery import TORN
from hooksd.journal.segment import segment_name, segment_number

_HEAD = 4096
"""Bytes in which the first record of a segment has room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How much of the log is kept. What is older, or too much, goes; unfinished work never does."""

    age: float | None = None
    """Seconds since a segment ended; None: for ever."""
    size: int | None = None
    """Bytes of segments and bodies together; None: any number."""

    @property
    def everything(self) -> bool:
        """Tell whether nothing is ever removed."""
        return self.age is None and self.size is None


EVERYTHING = Keep()


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A segment that is not written any more."""

    number: int
    size: int
    """Bytes, with those of the bodies that no later segment names."""
    ended: float | None
    """When the next one began, in Unix seconds; None when nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep removed."""

    segments: tuple[str, ...] = ()
    blobs: int = 0
    size: int = 0
    """Bytes of the segments, with the bodies that they alone named."""


def surplus(closed: Sequence[Closed], *, current: int, needed: int, now: float, keep: Keep) -> int:
    """Return how many of the oldest segments go.

    Args:
        closed: All segments but the one that is being written, oldest first.
        current: Bytes of the one that is being written, with its bodies.
        needed: The number of the first segment that holds unfinished work.
        now: The time, in Unix seconds.
        keep: How much to keep.
    """
    total = current + sum(segment.size for segment in closed)
    count = 0
    for segment in closed:
        too_old = keep.age is not None and segment.ended is not None and segment.ended < now - keep.age
        too_much = keep.size is not None and total > keep.size
        if segment.number >= needed or not (too_old or too_much):
            break
        total -= segment.size
        count += 1
    return count


class Retention:
    """Removes what is not kept. One sweep at a time; other threads may store bodies meanwhile."""

    def __init__(self, disk: Disk, keep: Keep, *, clock: Clock) -> None:
        """Take the directory of the log, locked, how much of it to keep, and the time."""
        self._disk = disk
        self._keep = keep
        self._clock = clock
        self.fresh = naming.Fresh(clock)
        """What was stored a short while ago: its record may not be written yet."""
        self._pinned: set[str] = set()
        """Definitions that segments named which are gone: this process may name them again without storing them."""
        self._swept_at: int | None = None

    def sweep(self, *, current: int, needed: int) -> Swept:
        """Remove what is not kept. Bodies are only looked at when a segment goes, and the first time.

        Args:
            current: The number of the segment that is being written.
            needed: The number of the first segment that holds unfinished work.

        Raises:
            OSError: The medium does not let itself be read or written. What was not removed is found again.
        """
        closed = [number for number in self._segments() if number < current]
        if not self._is_due(closed, current):
            return Swept()
        named = {number: naming.of_closed(self._disk, number) for number in closed}
        measured, size = self._measure(closed, named, current)
        count = surplus(measured, current=size, needed=needed, now=self._clock.now(), keep=self._keep)
        for number in closed[:count]:
            self._pinned |= named.pop(number).definitions
            self._drop(number)
        removed = 0
        if count or self._swept_at is None:
            removed = self._drop_blobs({digest for kept in named.values() for digest in kept.blobs}, current)
        self._swept_at = current
        return Swept(
            segments=tuple(segment_name(number) for number in closed[:count]),
            blobs=removed,
            size=sum(segment.size for segment in measured[:count]),
        )

    def _segments(self) -> list[int]:
        return sorted(number for name in self._disk.names() if (number := segment_number(name)) is not None)

    def _is_due(self, closed: Sequence[int], current: int) -> bool:
        if self._swept_at != current:
            return True
        if not closed or self._keep.age is None:
            return False
        ended = self._began(closed[1] if len(closed) > 1 else current)
        return ended is not None and ended < self._clock.now() - self._keep.age

    def _measure(
        self, closed: Sequence[int], named: Mapping[int, Named], current: int
    ) -> tuple[tuple[Closed, ...], int]:
        """Return the closed segments, and the size of the one that is being written.

        Each body counts for the last segment that names it: it goes with that one.
        """
        counted = dict(naming.of(self._disk, current).blobs)
        size = self._size(current) + sum(counted.values())
        measured: list[Closed] = []
        ended = self._began(current)
        for number in reversed(closed):
            own = {digest: bytes_ for digest, bytes_ in named[number].blobs.items() if digest not in counted}
            counted.update(own)
            measured.append(Closed(number=number, size=self._size(number) + sum(own.values()), ended=ended))
            ended = self._began(number)
        return tuple(reversed(measured)), size

    def _size(self, number: int) -> int:
        return self._disk.size(segment_name(number)) or 0

    def _began(self, number: int) -> float | None:
        line = codec.unseal(self._disk.head(segment_name(number), _HEAD).partition(b"\n")[0])
        try:
            return None if line is None else unix(str(codec.tree_of(line).get("at")))
        except ValueError:
            return None

    def _drop(self, number: int) -> None:
        name = segment_name(number)
        # What belongs to it first: nobody would look for it later.
        for other in (name + naming.NAMES, name + INDEX, name + TORN):
            if self._disk.size(other) is not None:
                self._disk.remove(other, sync=False)
        self._disk.remove(name)

    def _drop_blobs(self, named: set[str], current: int) -> int:
        self.fresh.forget()
        for number in self._segments():
            if number >= current:  # several, when the writer has gone on meanwhile
                named.update(naming.of(self._disk, number).blobs)
        removed = 0
        for path in self._disk.tree(blobs.FOLDER):
            digest = f"sha256:{path.rpartition('/')[2]}"
            if digest in named or digest in self._pinned:
                continue
            with self.fresh.lock:
                if digest not in self.fresh:
                    self._disk.remove(path, sync=False)
                    removed += 1
        return removed
