"""Which requests were accepted before: known by the id of the delivery, and by what became of the event.

A provider that got no answer sends the same again, and so does an operator who asks it to: the first is a duplicate,
the second is one only if there is nothing to be made good. So an event whose runs all came to nothing is forgotten, and
its id is accepted again. The state is a fold of the log: `recall` brings it back after a restart.

    look -> Known              a duplicate: answer with the first event
         -> Acceptance         the first is not durable yet: wait for it, look again
         -> None               nobody knows it: `begin`, and then exactly one of `done`, `failed`, `unknown`
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from typing import Final

from hooksd.errors import JournalError
from hooksd.journal.accepted import Accepted
from hooksd.model.ids import EVENT_PREFIX, EventId, unix_of
from hooksd.web.remembered import KEEP, Entry, Remembered, key_of

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
    """A request with an id that nobody knows, on its way to the disk."""

    __slots__ = ("_duplicates", "_event", "_fingerprint", "_key", "_over", "_waiters", "is_unknown")

    def __init__(self, duplicates: Duplicates, key: int, event: EventId, fingerprint: int | None) -> None:
        self._duplicates = duplicates
        self._key = key
        self._event = event
        self._fingerprint = fingerprint
        self._waiters: list[asyncio.Future[None]] = []
        self._over = False
        self.is_unknown = False
        """Nobody can tell whether it became durable."""

    def done(self, runs: int) -> None:
        """Say that it is durable, with so many runs."""
        self._duplicates._accepted(self._key, self._event, self._fingerprint, runs)  # noqa: SLF001 - two halves of one
        self._end()

    def told(self, runs: int, error: JournalError | None) -> None:
        """Say what `Durable.then` told: `done`, or `failed`."""
        if error is None:
            self.done(runs)
        else:
            self.failed()

    def failed(self) -> None:
        """Say that it was not accepted: the next request with this id is the first."""
        self._duplicates._refused(self._key, self._event)  # noqa: SLF001 - two halves of one
        self._end()

    def unknown(self) -> None:
        """Say that nobody waited to see: whoever sends the same must try again later, until the log is read again."""
        self.is_unknown = True
        self._end()

    async def over(self) -> None:
        """Return when one of the three has been said."""
        if self._over:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def _end(self) -> None:
        self._over = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


class _Open:
    """An event whose runs have not all ended."""

    __slots__ = ("key", "runs", "undone")

    def __init__(self, key: int, runs: int | None = None, undone: int = 0) -> None:
        """Take what is known.

        Args:
            key: Of its id.
            runs: How many it started; None: it is not durable yet.
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
        self._in_flight: dict[int, Acceptance] = {}
        self._open: dict[str, _Open] = {}

    @property
    def size(self) -> int:
        """How many ids are known."""
        return len(self._remembered)

    def look(self, key: int) -> Known | Acceptance | None:
        """Return what is known of an id: see the head of this module."""
        under_way = self._in_flight.get(key)
        if under_way is not None:
            return under_way
        entry = self._remembered.get(key)
        if entry is None:
            return None
        event, fingerprint = entry if isinstance(entry, tuple) else (entry, None)
        known = Known(event=_event_of(event), fingerprint=fingerprint)
        return known if self._now() - unix_of(known.event) < KEEP else None

    def begin(self, key: int, event: EventId, fingerprint: int | None = None) -> Acceptance:
        """Say that an event with an id that `look` does not know is about to become durable.

        Args:
            key: From `hooksd.web.remembered.key_of`.
            event: The event.
            fingerprint: Of the request, where the caller chose the id.
        """
        acceptance = self._in_flight[key] = Acceptance(self, key, event, fingerprint)
        self._open[event] = _Open(key)
        return acceptance

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
            if item.runs and item.undone == item.runs:
                continue  # its id is accepted again
            key = key_of(item.webhook, item.delivery_id)
            fingerprint = None if item.fingerprint is None else int(item.fingerprint, 16)
            found.append((key, _entry(item.event, fingerprint), item.at))
            if item.event in unfinished:
                self._open[item.event] = _Open(key, item.runs, item.undone)
        while found:
            self._remembered.put(*found.pop())

    def _accepted(self, key: int, event: EventId, fingerprint: int | None, runs: int) -> None:
        del self._in_flight[key]
        self._remembered.put(key, _entry(event, fingerprint), self._now())
        state = self._open.get(event)
        if state is None:
            return  # a run ended well before this was told
        if not runs:
            del self._open[event]
            return
        state.runs = runs
        self._judge(event, state)

    def _refused(self, key: int, event: EventId) -> None:
        del self._in_flight[key]
        del self._open[event]

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
    number = int(event.removeprefix(EVENT_PREFIX).replace("-", ""), 16)
    return number if fingerprint is None else (number, fingerprint)


def _event_of(number: int) -> EventId:
    return EventId(f"{EVENT_PREFIX}{uuid.UUID(int=number)}")
