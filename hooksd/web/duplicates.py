"""Which requests were accepted before: known by the id of the delivery, and by what became of the event.

A provider that got no answer sends the same again, and so does an operator who asks it to: the first is a duplicate,
the second is one only if there is nothing to be made good. So an event whose runs all came to nothing is forgotten, and
its id is accepted again. The state is a fold of the log: `recall` brings it back after a restart.

Whoever publishes an event over the admin listener names it for good: the same source and id are the same event,
whatever became of it. `done` with no runs says so.

    look -> Known              a duplicate: answer with the first event
         -> Acceptance         the first is not durable yet: wait for it, look again
         -> None               nobody knows it: `begin`, and then exactly one of `done`, `failed`, `lost`
    claim                      `look`, and `begin` in the same step
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from typing import Final

from hooksd.journal.accepted import Accepted
from hooksd.model.ids import EVENT_PREFIX, EventId, unix_of
from hooksd.web.remembered import KEEP, Entry, Remembered, key_of, published_key

_PREFIXED: Final = len(EVENT_PREFIX)

SETTLED: Final = frozenset({"succeeded", "superseded", "cancelled"})
"""Ends of a run after which its event is dealt with: it did what it should, or a newer run took its place. After any
other the event may come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The first event with this id."""

    event: EventId
    fingerprint: int | None = None
    """Of the request, where the caller chose the id."""


class Acceptance:
    """A request with an id that nobody knows, on its way to the disk, for whoever waits for it."""

    __slots__ = ("_is_over", "_waiters", "is_unknown")

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []
        self._is_over = False
        self.is_unknown = False
        """Nobody can tell whether it became durable."""

    async def over(self) -> None:
        """Return when it is known what became of it, or that nobody can tell."""
        if self._is_over:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def end(self) -> None:
        """Let those who wait go on."""
        self._is_over = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


class _Open:
    """An event whose runs have not all ended."""

    __slots__ = ("key", "runs", "undone")

    def __init__(self, key: int, runs: int | None, undone: int = 0) -> None:
        """Take what is known.

        Args:
            key: Of its id.
            runs: How many it started; None: nobody knows.
            undone: How many of them ended and came to nothing.
        """
        self.key = key
        self.runs = runs
        self.undone = undone


class Duplicates:
    """What was accepted in the last three days. On the event loop's thread only."""

    def __init__(self, now: Callable[[], float], remembered: Remembered | None = None) -> None:
        """Begin with nothing.

        Args:
            now: Returns Unix seconds.
            remembered: Where ids are kept. Default: for three days, at most a million.
        """
        self._now = now
        self._remembered = Remembered() if remembered is None else remembered
        self._in_flight: dict[int, Acceptance | None] = {}
        """What is on its way to the disk; None: and nobody waits for it, as hardly ever somebody does."""
        self._open: dict[str, _Open] = {}

    @property
    def size(self) -> int:
        """How many ids are known."""
        return len(self._remembered)

    def look(self, key: int) -> Known | Acceptance | None:
        """Return what is known of an id: see the head of this module."""
        if key in self._in_flight:
            waited = self._in_flight[key]
            if waited is None:
                waited = self._in_flight[key] = Acceptance()
            return waited
        entry = self._remembered.get(key)
        if entry is None:
            return None
        event, fingerprint = entry if isinstance(entry, tuple) else (entry, None)
        known = Known(event=_event_of(event), fingerprint=fingerprint)
        return known if self._now() - unix_of(known.event) < KEEP else None

    def begin(self, key: int) -> None:
        """Say that an event with an id that `look` does not know is about to become durable."""
        self._in_flight[key] = None

    def claim(self, key: int) -> Known | Acceptance | None:
        """Do what `look` does, and `begin` if it knows nothing."""
        if key in self._in_flight or self._remembered.get(key) is not None:
            known = self.look(key)
            if known is not None:
                return known
        self._in_flight[key] = None
        return None

    def done(self, key: int, event: EventId, fingerprint: int | None, runs: int) -> None:
        """Say that it is durable.

        Args:
            key: From `hooksd.web.remembered.key_of`.
            event: The event.
            fingerprint: Of the request, where the caller chose the id.
            runs: How many runs it starts. None of them has ended: an end takes a record of its own to be durable.
        """
        self._remembered.put(key, _entry(event, fingerprint), self._now())
        if runs:
            self._open[event] = _Open(key, runs)
        waited = self._in_flight.pop(key)
        if waited is not None:
            waited.end()

    def failed(self, key: int) -> None:
        """Say that it was not accepted: the next request with this id is the first."""
        waited = self._in_flight.pop(key)
        if waited is not None:
            waited.end()

    def lost(self, key: int) -> None:
        """Say that nobody waited to see: whoever sends the same must try again later, until the log is read again."""
        waited = self._in_flight[key] or Acceptance()
        self._in_flight[key] = waited
        waited.is_unknown = True
        waited.end()

    def ended(self, event: str, status: str) -> None:
        """Take note of the end of a run.

        Args:
            event: What started it.
            status: How it ended.
        """
        state = self._open.get(event)
        if state is None:
            return
        if status in SETTLED:
            del self._open[event]
        else:
            state.undone += 1
            self._judge(event, state)

    def recall(self, accepted: Iterable[Accepted], unfinished: AbstractSet[str]) -> None:
        """Bring back what an earlier process knew.

        Args:
            accepted: Events with ids, newest first.
            unfinished: Events of which some run has not ended.
        """
        # Oldest first is how they are put, and they are many: what is gathered meanwhile is small.
        found: list[tuple[int, Entry, float]] = []
        for item in islice(accepted, self._remembered.most):
            fingerprint = None if item.fingerprint is None else int(item.fingerprint, 16)
            if item.webhook is None:
                key = published_key(item.source, item.delivery_id)
                found.append((key, _entry(item.event, fingerprint), item.at))
                continue
            if item.runs and item.undone == item.runs:
                continue  # its id is accepted again
            key = key_of(item.webhook, item.delivery_id)
            found.append((key, _entry(item.event, fingerprint), item.at))
            if item.event in unfinished:
                self._open[item.event] = _Open(key, item.runs, item.undone)
        while found:
            self._remembered.put(*found.pop())

    def _judge(self, event: str, state: _Open) -> None:
        """Forget an event whose runs all came to nothing."""
        if state.undone == state.runs:
            del self._open[event]
            if self._event(state.key) == event:
                self._remembered.drop(state.key)

    def _event(self, key: int) -> str | None:
        entry = self._remembered.get(key)
        if entry is None:
            return None
        return _event_of(entry[0] if isinstance(entry, tuple) else entry)


def _entry(event: str, fingerprint: int | None) -> Entry:
    number = int(event[_PREFIXED:].replace("-", ""), 16)
    return number if fingerprint is None else (number, fingerprint)


def _event_of(number: int) -> EventId:
    return EventId(f"{EVENT_PREFIX}{uuid.UUID(int=number)}")
