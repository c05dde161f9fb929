"""The log as deliveries use it: with patience. What happened outside must not be forgotten because a disk is full.

Used by `delivery.courier`.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence

from hooksd.clock import Clock
from hooksd.delivery.payload import keep
from hooksd.errors import JournalError, JournalFull
from hooksd.journal.protocol import Journal
from hooksd.model.record import Record
from hooksd.model.stored import BLOB_THRESHOLD, StoredBody, restore_body

FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
"""Seconds to wait, at first and at most, before a full log is asked again."""


class Ledger:
    """Writes until it is written."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    async def write(self, records: Sequence[Record]) -> None:
        """Make records durable, however long the log is full. Those that `note` puts in front meanwhile go along.

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

    def note(self, records: list[Record]) -> None:
        """Take records off a list and queue them: nobody waits. What a full log refuses is put back in front."""
        noted = records.copy()
        records.clear()
        self._journal.append(noted).then(functools.partial(_put_back, records, noted))

    def hand_in(self, records: Sequence[Record], told: Callable[[JournalError | None], None]) -> None:
        """Queue records, and call a function when they are durable, or with the reason why they will not be."""
        self._journal.append(records).then(told)

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
        if stored.encoding == "blob":
            return await self.blob(stored.content)
        return restore_body(stored, self._journal.blob)

    async def _pause(self, wait: float) -> float:
        await self._clock.sleep(wait)
        return min(wait * 2, LONGEST_WAIT)


def _put_back(records: list[Record], noted: Sequence[Record], error: JournalError | None) -> None:
    if error is not None:
        records[:0] = noted
