"""What the bytes of one segment hold: records, and what is not records. Pure; used by recovery.

A crash can only tear the end of the last segment. Anything else that is wrong is damage: it is reported and stepped
over, and what stands behind it is read as if nothing had happened. A single flipped bit is turned back on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from hooksd.journal import flip
from hooksd.journal.codec import Line, unseal


class Link(NamedTuple):
    """Where the chain of records goes on."""

    seq: int
    """The number of the next record."""
    prev: int
    """The checksum of the last one."""


START = Link(seq=0, prev=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A line that is whole, and in its place."""

    line: Line
    offset: int
    flipped: bool = False
    """One of its bits was flipped on the medium; `line` is what was written."""

    @property
    def link(self) -> Link:
        """Where the chain goes on after it."""
        return Link(seq=self.line.seq + 1, prev=self.line.crc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Bytes that are not records."""

    offset: int
    size: int
    """0: every byte is a record, but there are records missing before this place."""


def walk(data: bytes, link: Link | None) -> Iterator[Found | Damage]:
    """Yield everything in a segment in order; damage that touches is one.

    Args:
        data: The whole segment.
        link: Where the chain stood before it; None when nobody knows.
    """
    bad: int | None = None
    for line, offset, flipped in _lines(data):
        # A whole line that comes too early is a copy of an old one: read again, it would start its runs again.
        if line is None or (link is not None and line.seq < link.seq):
            bad = offset if bad is None else bad
            continue
        if bad is not None:
            yield Damage(offset=bad, size=offset - bad)
            bad = None
        elif link is not None and link != (line.seq, line.prev):
            yield Damage(offset=offset, size=0)
        found = Found(line=line, offset=offset, flipped=flipped)
        yield found
        link = found.link
    if bad is not None:
        yield Damage(offset=bad, size=len(data) - bad)


def _lines(data: bytes) -> Iterator[tuple[Line | None, int, bool]]:
    """Yield what each line is, None for none; where it stands; and whether a bit of it was flipped."""
    offset = 0
    while offset < len(data):
        feed = data.find(b"\n", offset)
        end = len(data) if feed < 0 else feed
        line = None if feed < 0 else unseal(data[offset:feed])
        if line is not None:
            yield line, offset, False
            offset = feed + 1
            continue
        lines = _restored(data, offset, end)
        for line in lines:
            yield line, offset, True
            offset += line.size
        if not lines:
            yield None, offset, False
            offset = end + 1


def _restored(data: bytes, offset: int, end: int) -> tuple[Line, ...]:
    """Return the lines that begin at an offset once a flipped bit is turned back; none when that is not what it was."""
    text = data[offset:end]
    parted = flip.parted(text)
    if parted is not None:
        first, second = parted
        whole = second is not None and end < len(data)
        return (first, second) if second is not None and whole else (first,)
    if end == len(data):
        return ()
    line = flip.restored(text)
    if line is None:
        after = data.find(b"\n", end + 1)
        line = flip.joined(text, data[end + 1 : after]) if after >= 0 else None
    return () if line is None else (line,)


def torn_from(data: bytes) -> int | None:
    """Return the offset from which on the last segment is the unfinished end of a crash; None when it is whole.

    A batch is written only when the one before is durable. So a bad line is torn unless something whole stands
    behind it: a line of a later batch proves that it was whole once, and the line that was expected in its place
    proves that it never was one. Other whole lines behind it go with it: nobody was told that their batch is durable,
    and a record must not stand without the ones that it builds on.
    """
    torn: int | None = None
    expected = 0
    for item in walk(data, None):
        match item:
            case Damage():
                if torn is None and item.size:
                    torn = item.offset
            case Found():
                if item.line.batch > expected or item.line.seq == expected:
                    torn = None
                if torn is None:
                    expected = item.link.seq
    return torn
