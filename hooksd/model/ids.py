"""Identifiers: a prefix that says what it names, then a UUIDv7, whose order is the order of time (RFC 9562)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import NewType

EventId = NewType("EventId", str)
RunId = NewType("RunId", str)
DeliveryId = NewType("DeliveryId", str)

EVENT_PREFIX = "evt_"
RUN_PREFIX = "run_"
DELIVERY_PREFIX = "dlv_"

_RANDOM = (1 << 74) - 1
_DRAW = 10
"""Bytes of a random number: 74 bits and what rounds them up."""
_DRAWS = 400
"""Random numbers that are asked for at once."""
_LOW = (1 << 48) - 1


def uuid7(unix: float, random: int) -> uuid.UUID:
    """Build a UUIDv7 from a time and 74 bits of randomness.

    Args:
        unix: Unix seconds; the identifier keeps its milliseconds.
        random: Non-negative; only its low 74 bits are used.

    Source: RFC 9562 section 5.7.
    """
    return uuid.UUID(int=_number(int(unix * 1000), random))


def _number(millis: int, random: int) -> int:
    rand_a = (random >> 62) & 0xFFF
    rand_b = random & ((1 << 62) - 1)
    return (millis & ((1 << 48) - 1)) << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b


def unix_of(identifier: str) -> float:
    """Return the Unix time in seconds that an identifier was made at, to the millisecond.

    Raises:
        ValueError: `identifier` is not a prefix and a UUID.
    """
    return (uuid.UUID(identifier.rpartition("_")[2]).int >> 80) / 1000


def _numbers(now: Callable[[], float], random: Callable[[], int]) -> Iterator[str]:
    """Yield the text of what `uuid7` builds, made in pieces; each sorts behind all before it."""
    # Of the last number, a time in milliseconds and 74 random bits: all but the low 48 bits, and those.
    high, low = -1, _LOW
    stamp = ""  # the text of the high ones: within a millisecond it stays
    over = 0.0  # when that is over
    while True:
        time = now()
        if time < over and low < _LOW:
            # Within a millisecond, and when the clock went back, count on in the random bits, and from there into the
            # time (RFC 9562 section 6.2, method 2).
            low += 1
        else:
            millis = int(time * 1000)
            number = millis << 74 | random() & _RANDOM if millis > high >> 26 else (high << 48 | low) + 1
            high, low = number >> 48, number & _LOW
            over = ((high >> 26) + 1) / 1000
            date = f"{high >> 42 & 0xFFFFFFFF:08x}-{high >> 26 & 0xFFFF:04x}"
            stamp = f"{date}-7{high >> 14 & 0xFFF:03x}-{high & 0x3FFF | 0x8000:04x}-"
        yield f"{stamp}{low:012x}"


def drawn(read: Callable[[int], bytes]) -> Callable[[], int]:
    """Return a function that returns 80 random bits at a time.

    It asks for many at once: a system call lets another thread have the interpreter in the middle of a request.

    Args:
        read: Returns so many random bytes, as `os.urandom` does.
    """

    def numbers() -> Iterator[int]:
        while True:
            block = read(_DRAWS * _DRAW)
            for place in range(0, len(block), _DRAW):
                yield int.from_bytes(block[place : place + _DRAW], "big")

    return numbers().__next__


class IdFactory:
    """Makes identifiers whose text order is the order in which they were made, even within one millisecond."""

    def __init__(self, now: Callable[[], float], random: Callable[[], int]) -> None:
        """Take the world as arguments.

        Args:
            now: Returns Unix seconds.
            random: Returns at least 74 random bits.
        """
        self._numbers = _numbers(now, random)

    def event(self) -> EventId:
        """Return the identifier of a new event."""
        return EventId(f"{EVENT_PREFIX}{next(self._numbers)}")

    def run(self) -> RunId:
        """Return the identifier of a new run."""
        return RunId(f"{RUN_PREFIX}{next(self._numbers)}")

    def delivery(self) -> DeliveryId:
        """Return the identifier of a new delivery."""
        return DeliveryId(f"{DELIVERY_PREFIX}{next(self._numbers)}")
