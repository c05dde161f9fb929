"""Which names occur in a closed segment, noted beside it in `log-<n>.jsonl.index`, so that readers can leave it out.

A note is a cache: `journal.keeper` writes the missing ones, and whoever reads the log believes one only if it fits the
size and the last checksum of its segment. It names too much rather than too little: names are looked for anywhere in
the bytes, in what callers sent too. It does not go through `journal.disk`, for nothing depends on it.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import orjson

from hooksd.journal import lines
from hooksd.journal.disk import SCRATCH
from hooksd.journal.segment import segment_name, segment_number

INDEX = ".index"
"""What the name of a note ends with, behind the name of its segment."""
MOST = 50_000
"""Names in one note at most. A segment with more of them is always read: a caller may send as many as it likes."""

SMALL = 2**20
"""Bytes below which a segment has no note: it is read as fast. Each start begins a new one."""

_MARK = re.compile(rb'"(?:webhook|endpoint|workflow|again)":"[^"\\]{1,128}"')
_LONGEST = 160
"""Bytes of the longest mark, and some."""
_SLICE = 128 * 1024
"""Bytes that are searched at once: half a millisecond, for which all other threads wait."""
REST = 0.02
"""Seconds to wait behind each slice. A note saves readers a second, so it may come a while after its segment is closed:
what many requests write is noted when there are fewer."""
_END = 12
"""Bytes of a segment that its note repeats: the last checksum, and what closes the line."""
_MODE = 0o640


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What was found in a segment."""

    size: int
    """Bytes of the segment."""
    end: str
    """What it ends with."""
    marks: frozenset[bytes] | None
    """`"webhook":"NAME"` and the like; None: too many."""

    def may_hold(self, marks: Collection[bytes]) -> bool:
        """Tell whether a line of the segment may hold one of some texts. Only names are noted: of all else it may."""
        known = self.marks
        return known is None or not marks or any(mark in known or not _MARK.fullmatch(mark) for mark in marks)


def note_of(directory: Path, number: int) -> Note | None:
    """Return what was noted of a segment; None when nothing was, or it does not fit."""
    segment = directory / segment_name(number)
    try:
        line = lines.unseal(_place(directory, number).read_bytes().removesuffix(b"\n"))
        tree = None if line is None else lines.tree_of(line)
        if tree is None or (tree["size"], tree["end"]) != _identity(segment):
            return None
        marks = tree["marks"]
        return Note(
            size=tree["size"], end=tree["end"], marks=None if marks is None else frozenset(map(str.encode, marks))
        )
    except (OSError, KeyError, TypeError, ValueError):
        return None


def write_notes(
    directory: Path, *, current: int, is_over: Callable[[], bool], done: set[int] | None = None, rest: float = REST
) -> None:
    """Note what is in every closed segment that lacks a note. It takes its time: the daemon has better things to do.

    Args:
        directory: Of the log.
        current: The number of the segment that is being written.
        is_over: Asked often; True ends it. What is missing then is written the next time.
        done: Segments that need no look any more; it grows.
        rest: Seconds to wait behind each slice.
    """
    done = set() if done is None else done
    try:
        names = sorted(path.name for path in directory.iterdir())
    except OSError:
        return  # somebody took it away; the writer will say so
    for name in names:
        number = segment_number(name)
        if number is None or number >= current or number in done or is_over():
            continue
        # Without a note it is read.
        with contextlib.suppress(OSError, ValueError):
            if note_of(directory, number) is not None or _write(directory, number, is_over, rest):
                done.add(number)


def _write(directory: Path, number: int, is_over: Callable[[], bool], rest: float) -> bool:
    """Note what is in a segment, unless it is small; tell whether that is done."""
    segment = directory / segment_name(number)
    if segment.stat().st_size < SMALL:
        return True
    note = _found(segment, is_over, rest)
    if note is not None:
        _save(directory, number, note)
    return note is not None


def _found(segment: Path, is_over: Callable[[], bool], rest: float) -> Note | None:
    size, end = _identity(segment)
    marks: set[bytes] = set()
    before, pause = b"", threading.Event()
    with segment.open("rb") as file:
        while (piece := file.read(_SLICE)) and len(marks) <= MOST:
            data = before + piece
            marks.update(match[0] for match in _MARK.finditer(data))
            before = data[-_LONGEST:]
            pause.wait(rest)
            if is_over():
                return None
    return Note(size=size, end=end, marks=frozenset(marks) if len(marks) <= MOST else None)


def _save(directory: Path, number: int, note: Note) -> None:
    marks = None if note.marks is None else sorted(mark.decode() for mark in note.marks)
    line, _ = lines.seal(orjson.dumps({"size": note.size, "end": note.end, "marks": marks}), 0, 0, 0)
    place = _place(directory, number)
    scratch = directory / SCRATCH / place.name
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(line)
        scratch.replace(place)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise


def _place(directory: Path, number: int) -> Path:
    return directory / (segment_name(number) + INDEX)


def _identity(segment: Path) -> tuple[int, str]:
    with segment.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END))
        return size, file.read().hex()
