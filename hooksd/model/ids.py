"""Identifiers: a prefix that says what it names, then a UUIDv7, whose order is the order of time (RFC 9562)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import NewType

EventId = NewType("EventId", str)
RunId = NewType("RunId", str)
DeliveryId = NewType("DeliveryId", str)

EVENT_PREFIX = "evt_"
RUN_PREFIX = "run_"
DELIVERY_PREFIX = "dlv_"

_RANDOM = (1 << 74) - 1
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


class IdFactory:
    """Makes identifiers whose text order is the order in which they were made, even within one millisecond."""

    def __init__(self, now: Callable[[], float], random: Callable[[], int]) -> None:
        """Take the world as arguments.

        Args:
            now: Returns Unix seconds.
            random: Returns at least 74 random bits.
        """
        self._now = now
        self._random = random
        self._high = -1
        """Of the last number, a time in milliseconds and 74 random bits, all but the low 48 bits."""
        self._low = _LOW
        """Those."""
        self._stamp = ""
        """The text of the high ones: within a millisecond it stays."""

    def _next(self) -> str:
        millis = int(self._now() * 1000)
        if millis > self._high >> 26:
            self._begin(millis << 74 | self._random() & _RANDOM)
        elif self._low < _LOW:
            # Within a millisecond, and when the clock went back, count on in the random bits, and from there into the
            # time (RFC 9562 section 6.2, method 2). Randomness is a system call, so it is asked once a millisecond.
            self._low += 1
        else:
            self._begin(self._high + 1 << 48)
        return f"{self._stamp}{self._low:012x}"

    def _begin(self, number: int) -> None:
        """Go on with a number whose high bits are others."""
        high = number >> 48
        self._high, self._low = high, number & _LOW
        # What `uuid7` builds, in pieces.
        time = f"{high >> 42 & 0xFFFFFFFF:08x}-{high >> 26 & 0xFFFF:04x}"
        self._stamp = f"{time}-7{high >> 14 & 0xFFF:03x}-{high & 0x3FFF | 0x8000:04x}-"

    def event(self) -> EventId:
        """Return the identifier of a new event."""
        return EventId(f"{EVENT_PREFIX}{self._next()}")

    def run(self) -> RunId:
        """Return the identifier of a new run."""
        return RunId(f"{RUN_PREFIX}{self._next()}")

    def delivery(self) -> DeliveryId:
        """Return the identifier of a new delivery."""
        return DeliveryId(f"{DELIVERY_PREFIX}{self._next()}")
