"""Writing records on behalf of a run, which waits when there is no room: nothing that happened is left out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar, TypeVarTuple

from hooksd.clock import Clock
from hooksd.errors import JournalFull
from hooksd.journal.protocol import Durable, Journal
from hooksd.model.record import Record

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

FIRST_WAIT = 0.1
"""Seconds before the second try when there is no room; each further wait is twice as long."""
LONGEST_WAIT = 5.0


class Logbook:
    """The log as a run sees it: it may take long, but it does not refuse."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def append(self, records: Sequence[Record]) -> Durable:
        """Queue records; what comes of them, a refusal included, is for who asks."""
        return self._journal.append(records)

    def write(self, records: Sequence[Record]) -> Coroutine[Any, Any, None]:
        """Await it to return when the records are durable.

        Raises:
            JournalBroken: The log is at its end.
        """
        return self.persist(self._journal.append, records)

    async def keep(self, data: bytes) -> str:
        """Keep bytes as a blob and return its digest.

        Raises:
            JournalBroken: The log is at its end.
        """
        return await self.persist(self._journal.put_blob, data)

    async def persist(self, ask: Callable[[*Ts], Awaitable[T]], *what: *Ts) -> T:
        """Ask for something of the log until there is room for it.

        Raises:
            JournalBroken: The log is at its end.
        """
        wait = FIRST_WAIT
        while True:
            try:
                return await ask(*what)
            except JournalFull:
                await self._clock.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)
