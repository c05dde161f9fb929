"""One record, one line: JSON whose last member `"_"` is a seal that makes the line verifiable alone and in its place.

    {"at":"...","type":"run.started",...,"_":"seq.batch.prev.crc"}

    seq    12 digits: the number of the record in the log, counted over all segments
    batch  12 digits: the `seq` of the first record that was written together with this one
    prev   8 hex digits: the `crc` of the record before, over segments too
    crc    8 hex digits: CRC-32 of everything that stands before it, the member's own name and quotes left out

The seal is found by its place at the end of the line alone, so nothing inside a record can imitate it. A batch is
written only when the one before is durable: that is how recovery tells the torn end of a crash from damage.

Apart from the classes of records, so that commands which only read the log start fast. Pure: bytes in, bytes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import orjson

from hooksd.model.plain import Json

_OPENING = b',"_":"'
_CLOSING = b'"}'
_PLACE = re.compile(rb"[0-9]{12}\.[0-9]{12}\.[0-9a-f]{8}")
_PLACE_SIZE = 12 + 1 + 12 + 1 + 8
_SEAL_SIZE = len(_OPENING) + _PLACE_SIZE + 1 + 8 + len(_CLOSING)

Begun = tuple[bytes, int]
"""The line of a record that has no place in the log yet: without its closing brace, and the checksum of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line whose checksum is right."""

    text: bytes
    """The record as JSON, without the seal."""
    seq: int
    batch: int
    prev: int
    """The checksum of the record before."""
    crc: int
    """Its own checksum."""

    @property
    def size(self) -> int:
        """Its bytes on disk, seal and line feed included."""
        return len(self.text) + _SEAL_SIZE


def begun(texts: Iterable[bytes]) -> tuple[list[Begun], int]:
    """Begin the lines of records, each given as JSON; return them and their size.

    The checksum of a long one lets other threads run meanwhile. So it is made where few wait for that, and not by the
    thread that writes: there, each record would cost two changes of threads.
    """
    size = 0
    lines: list[Begun] = []
    for text in texts:
        inner = text[:-1]
        size += len(inner)
        lines.append((inner, crc32(inner)))
    return lines, size


def seal(text: bytes, seq: int, batch: int, prev: int) -> tuple[bytes, int]:
    """Make the line of a record, line feed included.

    Args:
        text: A record as JSON.
        seq: The number of the record in the log, from 0.
        batch: The number of the first record of its batch.
        prev: The checksum of the record before; 0 for the first.

    Returns:
        The line and its checksum.
    """
    return ended(begun((text,))[0], seq, batch, prev)


def ended(lines: Iterable[Begun], seq: int, batch: int, prev: int) -> tuple[bytes, int]:
    """Make the lines of records that were begun; see `seal`.

    Args:
        lines: What `begun` returned, in order.
        seq: The number of the first of them in the log.
        batch: The number of the first record of their batch.
        prev: The checksum of the record before.

    Returns:
        The lines and the checksum of the last.
    """
    first = b"%012d" % batch
    pieces: list[bytes] = []
    for number, (inner, crc) in enumerate(lines, seq):
        place = b"%012d.%b.%08x" % (number, first, prev)
        prev = crc32(place, crc)
        pieces += (inner, _OPENING, place, b'.%08x"}\n' % prev)
    return b"".join(pieces), prev


def unseal(line: bytes) -> Line | None:
    """Check a line, given without its line feed, and take the seal off; None when it is not whole."""
    inner, tail = line[:-_SEAL_SIZE], line[-_SEAL_SIZE:]
    place = tail[len(_OPENING) : len(_OPENING) + _PLACE_SIZE]
    if not inner or _PLACE.fullmatch(place) is None:
        return None
    crc = crc32(place, crc32(inner))
    if tail != b"%b%b.%08x%b" % (_OPENING, place, crc, _CLOSING):
        return None
    seq, batch, prev = place.split(b".")
    return Line(text=inner + b"}", seq=int(seq), batch=int(batch), prev=int(prev, 16), crc=crc)


def tree_of(line: Line) -> dict[str, Json]:
    """Return the record of a line as plain JSON data.

    Raises:
        ValueError: It is not a JSON object.
    """
    tree: Any = orjson.loads(line.text)
    if not isinstance(tree, dict):
        raise ValueError("a record is a JSON object")  # noqa: TRY004 - what is wrong is the line, not an argument
    return tree
