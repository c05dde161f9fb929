"""Heads of answers that came before: what the parser made of one holds for every answer that begins with these bytes.

Receivers answer thousands of times with the same status and the same headers. `delivery.transport_connection` looks
here first; whatever was not seen, and whatever does not come in one piece, is for the parser.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

END = b"\r\n\r\n"
"""What a head ends with; it is no part of what is remembered."""
LONGEST = 2048
"""Bytes of a head that is remembered."""
MOST = 256
"""Heads that are remembered."""
MAX_HEADERS = 100
MAX_HEADER = 1024
"""How many headers of an answer are kept with an attempt, and how many characters of each."""

Headers = Sequence[tuple[bytes, bytes]]


class Head(NamedTuple):
    """What an answer says before its body."""

    status: int
    headers: Headers
    kept: Mapping[str, str]
    """See `kept_headers`."""
    length: int
    """Bytes of the body. The connection is usable when these have come."""


class Heads:
    """What is remembered."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._known: dict[bytes, Head] = {}
        self.get = self._known.get
        """Return the head that has these bytes; None: it is for the parser."""

    def __len__(self) -> int:
        return len(self._known)

    def learn(self, start: bytes, size: int, head: Head) -> None:
        """Remember the head of an answer that came in one piece, was whole, and left its connection usable.

        Args:
            start: What came before the first empty line.
            size: Bytes that came behind it. Are there more than the body has, then something says how the body is cut,
                or there were answers before this one: that is no head for us.
            head: What the parser made of the answer.
        """
        if len(start) <= LONGEST and size == head.length:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[start] = head


def kept_headers(headers: Headers) -> dict[str, str]:
    """Return the headers of an answer, names in lower case, repeated ones joined, bounded in number and length."""
    kept: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), _text(raw_value)[:MAX_HEADER]
        if name in kept:
            kept[name] = f"{kept[name]}, {value}"[:MAX_HEADER]
        elif len(kept) < MAX_HEADERS:
            kept[name] = value
    return kept


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
