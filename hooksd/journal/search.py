"""Where to look in one file of the log: by bytes and by time, before anything is parsed. Used by `journal.reader`.

A log has gigabytes and a question concerns a few lines of it. So a file is read in pieces, only as far as needed, and a
line is looked at when it holds the bytes that the answer must hold. Lines are yielded with their offset, without the
line feed; one that has none is still being written and is left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from typing import BinaryIO

SMALLEST = 64 * 1024
"""Bytes of the first piece: most questions are about what happened just now."""
LARGEST = 2**20
"""Bytes of the last ones. Searching a piece holds up all other threads of the process, so it must not take long."""

Place = tuple[int, bytes]
"""The offset of a line, and the line."""


def onward(file: BinaryIO, position: int, marks: Callable[[], Collection[bytes]]) -> Iterator[Place]:
    """Yield the lines that hold one of some texts, first to last, and the last line of each piece.

    The latter, so that the caller sees the time go by, and can end.

    Args:
        file: A file of the log.
        position: Where a line begins.
        marks: Returns the texts. It is asked again behind each line that was yielded: one line may name others.
    """
    file.seek(position)
    size, rest = SMALLEST, b""
    while piece := file.read(size):
        data = rest + piece
        end = data.rfind(b"\n") + 1
        yield from ((position + start, line) for start, line in _holding(data, end, marks))
        position, rest = position + end, data[end:]
        size = min(size * 2, LARGEST)


def _holding(data: bytes, end: int, marks: Callable[[], Collection[bytes]]) -> Iterator[Place]:
    """Yield the lines before `end`, where one ends, that hold a mark, and the last one."""
    at = 0
    nearest: dict[bytes, int] = {}
    while at < end:
        for mark in marks():
            if nearest.get(mark, -1) < at:
                found = data.find(mark, at, end)
                nearest[mark] = end - 1 if found < 0 else found
        place = min(nearest.values(), default=end - 1)
        start, stop = max(data.rfind(b"\n", at, place) + 1, at), data.index(b"\n", place)
        yield start, data[start:stop]
        at = stop + 1


def back(file: BinaryIO, marks: Collection[bytes]) -> Iterator[Place]:
    """Yield the lines that hold one of some texts, or every line if there are none, last to first."""
    start = file.seek(0, os.SEEK_END)
    size, rest = SMALLEST, b""
    is_last = True
    while start > 0:
        size_here = min(size, start)
        start -= size_here
        file.seek(start)
        data = file.read(size_here) + rest
        if is_last:
            data, is_last = data[: data.rfind(b"\n") + 1], False
        # What stands before the first line feed belongs to a line that begins in the piece before.
        first = data.find(b"\n") + 1 if start else 0
        yield from ((start + place, line) for place, line in _held(data, first, marks))
        rest = data[:first]
        size = min(size * 2, LARGEST)


def _held(data: bytes, first: int, marks: Collection[bytes]) -> Iterator[Place]:
    """Yield the lines from `first` on, where one begins, that hold a mark, last to first; all if there are no marks."""
    stop = len(data)
    # Searching forward is several times faster, and most pieces hold nothing.
    present = [mark for mark in marks if mark in data]
    if marks and not present:
        return
    while stop > first:
        place = max((data.rfind(mark, first, stop) for mark in present), default=stop - 1)
        if place < 0:
            return
        start, end = max(data.rfind(b"\n", first, place) + 1, first), data.index(b"\n", place)
        yield start, data[start:end]
        stop = start


def before(file: BinaryIO, time: float, time_of: Callable[[bytes], float | None]) -> int:
    """Return the offset of a line before which every line was made before a time, if clocks were not set back.

    Args:
        file: A file of the log.
        time: Unix seconds.
        time_of: Returns when a line was made; None when it does not say.
    """
    low, high = 0, file.seek(0, os.SEEK_END)
    while high - low > SMALLEST:
        middle = (low + high) // 2
        start, made = _made_behind(file, middle, high, time_of)
        if made is None or made >= time:
            high = middle
        else:
            low = start
    return low


def _made_behind(
    file: BinaryIO, position: int, end: int, time_of: Callable[[bytes], float | None]
) -> tuple[int, float | None]:
    """Return the first line that begins behind a position, before an end, and says when it was made."""
    file.seek(position)
    start = position + len(file.readline())
    while start < end:
        line = file.readline()
        made = time_of(line.removesuffix(b"\n"))
        if made is not None:
            return start, made
        start += len(line)
    return start, None
