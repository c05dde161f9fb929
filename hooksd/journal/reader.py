"""The log for people: read from the files alone, whether a daemon writes them or none does. Used by the command line.

No locks are taken and nothing is written. Lines that are not whole are stepped over: the last one may be half written.
How much is read depends on the question, not on the length of the log.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hooksd.instant import unix
from hooksd.journal import blobs, index, lines, search
from hooksd.journal.related import Related
from hooksd.journal.segment import segment_name, segment_number
from hooksd.model.ids import unix_of
from hooksd.model.plain import Json

_EARLY = 1.0
"""Seconds between the making of an identifier and the first record about it by which clocks may have been set back.
When they were set back further, the whole log is searched."""
_AGAIN = b'"again":"dlv_'
_FEW = 16
"""Texts that are looked for one by one; more of them are looked for by what they have in common."""
_LATE = 1.0
"""Seconds by which the last record about something may follow its end."""
_OF_THE_LOG = frozenset({"segment", "log.carried"})
"""What a segment begins with: about the log itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record of the log, and where it stands."""

    tree: dict[str, Json]
    """The record as JSON data, without the seal. Its type may be one that this version does not know."""
    segment: str
    """The name of the file."""
    offset: int
    """Of its line, in bytes."""


class LogReader:
    """Reads the log in one directory. What a segment begins with is not shown: it says nothing of any work."""

    def __init__(self, directory: Path) -> None:
        """Take the directory of the log; a missing one is an empty log."""
        self._directory = directory

    def forward(self) -> Iterator[Entry]:
        """Yield every record, oldest first."""
        for number in self._segments():
            yield from self._entries(number, 0)

    def backward(self, marks: Collection[bytes] = ()) -> Iterator[Entry]:
        """Yield every record, newest first; what is not asked for is not read.

        Args:
            marks: Leave out, unparsed, the records whose line holds none of these bytes. None: all records are wanted.
        """
        for number in reversed(self._segments()):
            note = index.note_of(self._directory, number) if marks else None
            if note is None or note.may_hold(marks):
                yield from self._backward(number, marks)

    def follow(self, wait: Callable[[], bool], *, last: int = 0) -> Iterator[Entry]:
        """Yield the last records, then every new one as it is written, in order and without a gap.

        Args:
            wait: Called when there is nothing new: returns after a moment, True to look again and False to end.
            last: How many of the records that are there when this is called.
        """
        newest = list(itertools.islice(self.backward(), max(last, 1)))
        if not newest:
            return self._follow(wait, 0, 0)
        number = segment_number(newest[0].segment) or 0
        position = newest[0].offset + self._size(number, newest[0].offset)
        return itertools.chain(reversed(newest[:last]), self._follow(wait, number, position))

    def _follow(self, wait: Callable[[], bool], number: int, position: int) -> Iterator[Entry]:
        while True:
            newer = next((candidate for candidate in self._segments() if candidate > number), None)
            for entry, end in self._lines(number, position):
                position = end
                if entry is not None:
                    yield entry
            if newer is not None:
                # It was there before this one was read to its end, so nothing can have been added since.
                number, position = newer, 0
            elif not wait():
                return

    def find(self, identifier: str) -> list[Entry]:
        """Return everything about an event, a run or a delivery, oldest first: its runs and deliveries too.

        Raises:
            ValueError: It is not an identifier.
        """
        since = unix_of(identifier) - _EARLY
        numbers = self._since(since)
        related = Related(identifier)
        found = list(self._about(related, numbers, self._position(numbers[0], since) if numbers else 0))
        if not related.has_begun:
            related = Related(identifier)
            found = list(self._about(related, self._segments(), 0))
        while found and related.ended_at is not None and (place := self._again(related, found[-1])) is not None:
            number, position = place
            related.go_on()
            found += self._about(related, [one for one in self._segments() if one >= number], position)
        return found

    def created(self, delivery: str) -> dict[str, Json] | None:
        """Return the record that created a delivery at first; None: there is none. Little is read for it.

        Raises:
            ValueError: It is not an identifier.
        """
        since = unix_of(delivery) - _EARLY
        numbers = self._since(since)
        near = self._about(Related(delivery), numbers, self._position(numbers[0], since) if numbers else 0)
        everywhere = self._about(Related(delivery), self._segments(), 0)
        entries = itertools.chain(near, everywhere)
        return next((entry.tree for entry in entries if entry.tree["type"] == "delivery.created"), None)

    def _again(self, related: Related, last: Entry) -> tuple[int, int] | None:
        """Return where something begins anew behind a record: the number of the segment and the offset of the line."""
        marks = related.marks_again
        sought = marks if len(marks) <= _FEW else (_AGAIN,)
        behind = segment_number(last.segment) or 0
        for number in self._segments() if marks else ():
            note = index.note_of(self._directory, number) if number > behind else None
            if number < behind or not (note is None or note.may_hold(marks)):
                continue
            position = last.offset + self._size(number, last.offset) if number == behind else 0
            for entry in self._holding(number, position, lambda: sought):
                if entry.tree.get("again") is not None and related.is_mine(entry.tree):
                    return number, entry.offset
        return None

    def _about(self, related: Related, numbers: list[int], start: int) -> Iterator[Entry]:
        """Yield the records about something, from an offset in the first of some segments on, until it is over."""
        for number in numbers:
            position = start if number == numbers[0] else 0
            for entry in self._holding(number, position, lambda: related.marks):
                if related.ended_at is not None and (_time(entry.tree) or 0) > related.ended_at + _LATE:
                    return
                if related.take(entry.tree):
                    yield entry

    def blob(self, digest: str) -> bytes:
        """Return the bytes of a body that is kept beside the log.

        Raises:
            KeyError: There are none.
        """
        try:
            data = (self._directory / blobs.path_of(digest)).read_bytes()
        except FileNotFoundError:
            raise KeyError(f"no blob {digest}") from None
        if blobs.digest_of(data) != digest:
            raise KeyError(f"blob {digest} is damaged")
        return data

    def _segments(self) -> list[int]:
        if not self._directory.is_dir():
            return []
        names = (path.name for path in self._directory.iterdir())
        return sorted(number for name in names if (number := segment_number(name)) is not None)

    def _open(self, number: int) -> BinaryIO:
        """Open a segment; one that retention or somebody took away since it was listed reads as an empty file."""
        try:
            return (self._directory / segment_name(number)).open("rb")
        except (FileNotFoundError, IsADirectoryError):
            return io.BytesIO()

    def _since(self, time: float) -> list[int]:
        """Return the segments that may hold records made after a time: the first record of each says when it began."""
        segments = self._segments()
        low, high = 0, len(segments) - 1
        while low < high:
            middle = (low + high + 1) // 2
            began = self._began(segments[middle])
            if began is None or began > time:
                high = middle - 1
            else:
                low = middle
        return segments[low:]

    def _began(self, number: int) -> float | None:
        with self._open(number) as file:
            return _made(file.readline().removesuffix(b"\n"))

    def _position(self, number: int, time: float) -> int:
        """Return where in a segment the records begin that may have been made at a time or later."""
        with self._open(number) as file:
            return search.before(file, time, _made)

    def _holding(self, number: int, position: int, marks: Callable[[], Collection[bytes]]) -> Iterator[Entry]:
        """Yield the records of a segment that hold a mark, and some others between them."""
        with self._open(number) as file:
            for offset, text in search.onward(file, position, marks):
                entry = self._entry(number, offset, text)
                if entry is not None:
                    yield entry

    def _entries(self, number: int, position: int) -> Iterator[Entry]:
        return (entry for entry, _ in self._lines(number, position) if entry is not None)

    def _lines(self, number: int, position: int) -> Iterator[tuple[Entry | None, int]]:
        """Yield what each whole line is, None for one that is no record, and the offset behind it."""
        with self._open(number) as file:
            file.seek(position)
            for text in file:
                if not text.endswith(b"\n"):
                    return
                yield self._entry(number, position, text[:-1]), position + len(text)
                position += len(text)

    def _size(self, number: int, offset: int) -> int:
        with self._open(number) as file:
            file.seek(offset)
            return len(file.readline())

    def _backward(self, number: int, marks: Collection[bytes]) -> Iterator[Entry]:
        """Yield the records of a segment, last first."""
        with self._open(number) as file:
            for offset, text in search.back(file, marks):
                entry = self._entry(number, offset, text)
                if entry is not None:
                    yield entry

    def _entry(self, number: int, offset: int, text: bytes) -> Entry | None:
        whole = lines.unseal(text)
        tree = None if whole is None else lines.tree_of(whole)
        if tree is None or tree.get("type") in _OF_THE_LOG:
            return None
        return Entry(tree=tree, segment=segment_name(number), offset=offset)


def _time(tree: Mapping[str, Json]) -> float | None:
    """Return when a record was made; None when a version that we do not know says it in another way."""
    try:
        return unix(tree["at"])
    except (KeyError, TypeError, ValueError):
        return None


def _made(text: bytes) -> float | None:
    """Return when the record of a line was made; None when the line is damaged or does not say."""
    whole = lines.unseal(text)
    return None if whole is None else _time(lines.tree_of(whole))
