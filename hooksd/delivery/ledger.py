"""The log as deliveries use it: with patience. What happened outside must not be forgotten because a disk is full.

Used by `delivery.courier`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from hooksd.clock import Clock
from hooksd.delivery.payload import keep
from hooksd.errors import JournalError, JournalFull
from hooksd.journal.protocol import Journal
from hooksd.journal.receipt import tell_all
from hooksd.model.record import Record
from hooksd.model.stored import BLOB_THRESHOLD, StoredBody, restore_body

FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
"""Seconds to wait, at first and at most, before a full log is asked again."""

_ORDER = ("delivery.created", "attempt.started", "attempt.ended", "delivery.ended")
"""Records of one delivery that are to be written at the same time: those of one attempt, and of what is around it."""


class Ledger:
    """Writes until it is written."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._records: list[Record] = []
        self._told: list[Callable[[JournalError | None], None]] = []
        self._lent: list[tuple[list[Record], Sequence[Record]]] = []
        """What was taken out of which list."""

    async def write(self, records: Sequence[Record]) -> None:
        """Make records durable, however long the log is full. Those that are put back meanwhile go along.

        Raises:
            JournalBroken: The log is at its end; the process must stop.
        """
        wait = FIRST_WAIT
        while True:
            try:
                await self._journal.append(records)
            except JournalFull:
                wait = await self._pause(wait)
            else:
                return

    def hand_in(self, records: Sequence[Record], told: Callable[[JournalError | None], None]) -> None:
        """Take records that `pass_on` writes.

        Args:
            records: Their writing may wait for others'.
            told: Called when they are durable, or with the reason why they will not be.
        """
        self._records += records
        self._told.append(told)

    def take_from(self, unwritten: list[Record]) -> None:
        """Take all records of a list, which `pass_on` writes: they are in the list again if they are refused."""
        taken = unwritten.copy()
        unwritten.clear()
        self._records += taken
        self._lent.append((unwritten, taken))

    def pass_on(self) -> None:
        """Write what was handed in, together: a write for each delivery would cost more than most else of it."""
        if not self._records:
            return
        records, told, lent = self._records, self._told, self._lent
        self._records, self._told, self._lent = [], [], []
        written = self._journal.append(records)
        if lent:
            written.then(partial(_give_back, lent))
        if told:
            written.then(partial(tell_all, told))

    async def keep(self, media: str, body: bytes) -> StoredBody:
        """Return a body as a record holds it; a long one is made durable as a blob first.

        Raises:
            JournalBroken: The log is at its end; the process must stop.
        """
        if len(body) <= BLOB_THRESHOLD:
            return keep(media, body)
        return keep(media, body, await self.keep_blob(body))

    async def keep_blob(self, data: bytes) -> str:
        """Make bytes durable as a blob and return its digest.

        Raises:
            JournalBroken: The log is at its end; the process must stop.
        """
        wait = FIRST_WAIT
        while True:
            try:
                return await self._journal.put_blob(data)
            except JournalFull:
                wait = await self._pause(wait)

    async def blob(self, digest: str) -> bytes:
        """Return the bytes of a blob.

        Raises:
            KeyError: It is not there any more.
        """
        return await asyncio.to_thread(self._journal.blob, digest)

    async def body(self, stored: StoredBody) -> bytes:
        """Return the exact bytes of a body.

        Raises:
            KeyError: It was a blob, and is not there any more.
        """
        kept = self.body_at_hand(stored)
        return await self.blob(stored.content) if kept is None else kept

    def body_at_hand(self, stored: StoredBody) -> bytes | None:
        """Return the exact bytes of a body that its record holds; None: they are a blob, and must be waited for."""
        return None if stored.encoding == "blob" else restore_body(stored, self._journal.blob)

    async def _pause(self, wait: float) -> float:
        await self._clock.sleep(wait)
        return min(wait * 2, LONGEST_WAIT)


def _give_back(lent: Iterable[tuple[list[Record], Sequence[Record]]], error: JournalError | None) -> None:
    if error is not None:
        for unwritten, taken in lent:
            put_back(unwritten, taken, error)


def put_back(records: list[Record], taken: Iterable[Record], error: JournalError | None) -> None:
    """Put records of a delivery back to those that are to be written, if they were refused: in their one order."""
    if error is not None:
        records += taken
        records.sort(key=lambda record: _ORDER.index(record.type))
