"""What the bytes of one segment hold: records, and what is not records. Pure; used by recovery.

A crash can only tear the end of the last segment. Anything else that is wrong is damage: it is reported and stepped
over, and what stands behind it is read as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

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
    for line, offset in _lines(data):
        # A whole line that comes too early is a copy of an old one: read again, it would start its runs again.
        if line is None or (link is not None and line.seq < link.seq):
            bad = offset if bad is None else bad
            continue
        if bad is not None:
            yield Damage(offset=bad, size=offset - bad)
            bad = None
        elif link is not None and link != (line.seq, line.prev):
            yield Damage(offset=offset, size=0)
        found = Found(line=line, offset=offset)
        yield found
        link = found.link
    if bad is not None:
        yield Damage(offset=bad, size=len(data) - bad)


def _lines(data: bytes) -> Iterator[tuple[Line | None, int]]:
    offset = 0
    while (feed := data.find(b"\n", offset)) >= 0:
        yield unseal(data[offset:feed]), offset
        offset = feed + 1
    if offset < len(data):
        yield None, offset


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
