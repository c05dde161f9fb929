"""Turn one flipped bit back.

A disk or a memory chip that wears out flips single bits, and CRC-32 does not only notice that: in a line of any length
that is written here each flipped bit changes the checksum in a way of its own, so it says which bit it was. A write
that a crash cut off is never one bit away from a whole line. So the last line of a log with a flipped bit is not taken
for a torn one, and nothing is lost anywhere. `journal.scan` asks this about lines that are not whole. Pure.

Source: W. W. Peterson, D. T. Brown, "Cyclic Codes for Error Detection", Proc. IRE 49 (1961).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import orjson

from hooksd.journal import codec
from hooksd.journal.codec import Line

LONGEST = 1 << 20
"""Bytes of a line that is tried: more would take seconds."""

_OPENING = b',"_":"'
_CLOSING = b'"}'
_SEAL = len(codec.seal(b"{}", 0, 0, 0)[0]) - 2
"""Bytes of the seal, without the line feed."""
_AFTER_PLACE = len('.00000000"}')
_PLACE = _SEAL - len(_OPENING) - _AFTER_PLACE
_TABLE = tuple(zlib.crc32(bytes([byte])) ^ zlib.crc32(b"\0") for byte in range(256))
"""How the checksum changes when the last byte changes by `byte`."""
_BACK = {change >> 24: byte for byte, change in enumerate(_TABLE)}
_SINGLE = {_TABLE[1 << bit]: 1 << bit for bit in range(8)}
_FEEDS = tuple(10 ^ (1 << bit) for bit in range(8))
"""What a line feed may have become, or may have been."""


def restored(text: bytes) -> Line | None:
    """Return the line that this was before one of its bits flipped; None when it was none.

    Args:
        text: A line that is not whole, without its line feed.
    """
    if not _SEAL < len(text) <= LONGEST:
        return None
    if not text.startswith(_OPENING, len(text) - _SEAL) and not text.endswith(_CLOSING):
        return None  # more than one bit is wrong; noise is told at once
    flipped = _before_flip_in_record(text) or _before_flip_in_seal(text)
    line = None if flipped is None else codec.unseal(flipped)
    return line if line is not None and _is_object(line.text) else None


def joined(first: bytes, second: bytes) -> Line | None:
    """Return the line that these two were before a flipped bit put a line feed between them; None when it was none."""
    if len(first) + len(second) > LONGEST:
        return None
    for byte in _FEEDS:
        line = codec.unseal(first + bytes([byte]) + second)
        if line is not None and _is_object(line.text):
            return line
    return None


def parted(text: bytes) -> tuple[Line, Line | None] | None:
    """Return the two lines that this was before a flipped bit took the line feed away; None when it was not.

    The second is None when there was nothing behind the first.
    """
    if not _SEAL < len(text) <= 2 * LONGEST:
        return None
    for place in _feeds(text):
        first, second = codec.unseal(text[:place]), codec.unseal(text[place + 1 :])
        if first is not None and (second is not None or place == len(text) - 1):
            return first, second
    return None


def _feeds(text: bytes) -> Iterator[int]:
    for byte in _FEEDS:
        mark = b'"}' + bytes([byte])
        place = text.find(mark)
        while place >= 0:
            yield place + 2
            place = text.find(mark, place + 1)


def _before_flip_in_record(text: bytes) -> bytes | None:
    """Return the line with that bit of its record flipped back which its checksum accuses."""
    record, seal = text[:-_SEAL], text[-_SEAL:]
    place = seal[-_AFTER_PLACE - _PLACE : -_AFTER_PLACE]
    try:
        written = int(seal[-_AFTER_PLACE + 1 : -2], 16)
    except ValueError:
        return None
    change = zlib.crc32(place, zlib.crc32(record)) ^ written
    for passed in range(len(text)):
        if passed >= _PLACE and change in _SINGLE:
            offset = len(record) - 1 - (passed - _PLACE)
            return _flip(text, offset, _SINGLE[change]) if offset >= 0 else None
        # Undo what one byte behind the flipped one did to the change.
        byte = _BACK[change >> 24]
        change = ((change ^ _TABLE[byte]) << 8) & 0xFFFFFFFF | byte
    return None


def _before_flip_in_seal(text: bytes) -> bytes | None:
    """Return the line with that bit of its seal flipped back which makes it whole."""
    for offset in range(len(text) - _SEAL, len(text)):
        for bit in range(8):
            flipped = _flip(text, offset, 1 << bit)
            if codec.unseal(flipped) is not None:
                return flipped
    return None


def _flip(text: bytes, offset: int, bits: int) -> bytes:
    return b"%b%c%b" % (text[:offset], text[offset] ^ bits, text[offset + 1 :])


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except ValueError:
        return False
