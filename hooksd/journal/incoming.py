"""A body on its way to be a blob, piece by piece: neither its size nor its name is known before its end.

`FileJournal.receive` makes one for each file of an upload. The pieces are gathered, hashed and written by a thread, and
the file gets its name, its SHA-256, when it is whole and on the medium.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import TypeVar

from hooksd.errors import JournalBroken, JournalError, JournalFull
from hooksd.journal.blobs import path_of
from hooksd.journal.disk import Disk, Scratch
from hooksd.journal.segment import is_no_room

T = TypeVar("T")

GATHERED = 256 * 1024
"""Bytes that are written at once."""


class Incoming:
    """One body. The event loop's thread calls, one call after the other."""

    def __init__(
        self,
        disk: Disk,
        *,
        mark: Callable[[str], None],
        stored: Callable[[int], None],
        refused: Callable[[JournalError], None],
    ) -> None:
        """Begin an empty one; nothing is touched before there is something to write.

        Args:
            disk: Where.
            mark: Told the digest just before the body gets its name: it must not be swept away meanwhile.
            stored: Told how many bytes there are more on the disk.
            refused: Told in the thread when it cannot be written, and why.
        """
        self._disk = disk
        self._mark = mark
        self._stored = stored
        self._refused = refused
        self._hash = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._gathered = 0
        self._scratch: Scratch | None = None
        self.size = 0
        """Bytes so far."""

    async def write(self, data: bytes) -> None:
        """Add a piece.

        Raises:
            JournalFull: There is no room.
            JournalBroken: The medium does not take it.
        """
        self._pieces.append(data)
        self._gathered += len(data)
        self.size += len(data)
        if self._gathered >= GATHERED:
            await self._in_thread(self._write)

    async def keep(self) -> str:
        """Make it a blob, durable on return, and return its digest.

        Raises:
            JournalFull: There is no room.
            JournalBroken: The medium does not take it.
        """
        digest = await self._in_thread(self._keep)
        self._stored(self.size)
        return digest

    def discard(self) -> None:
        """Throw it away, unless it is a blob already."""
        self._pieces.clear()
        if self._scratch is not None:
            self._scratch.discard()
            self._scratch = None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(self._tried, work)

    def _tried(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except OSError as error:
            explained = self._explained(error)
            self._refused(explained)
            raise explained from error

    def _write(self) -> None:
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._gathered = 0
        self._hash.update(data)
        if self._scratch is None:
            self._scratch = self._disk.scratch()
        self._scratch.write(data)

    def _keep(self) -> str:
        self._write()
        digest = f"sha256:{self._hash.hexdigest()}"
        if self._scratch is not None:
            self._mark(digest)
            self._scratch.keep(path_of(digest))
            self._scratch = None
        return digest

    def _explained(self, error: OSError) -> JournalError:
        if is_no_room(error):
            return JournalFull(f"no room for a body of {self.size} bytes: {error.strerror}")
        return JournalBroken(f"a body cannot be written: {error}")
