"""One file of the log while it grows. Written by one thread; `journal.tail` decides when the next one begins."""

from __future__ import annotations

import errno
import hashlib
import re

from hooksd.errors import JournalBroken, JournalFull
from hooksd.journal.disk import Disk

_NAME = re.compile(r"log-([0-9]{10,})\.jsonl")
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE})
"""Disk full, quota used up, file larger than the process may write, no descriptor free: all of them can pass."""


def segment_name(number: int) -> str:
    """Return the file name of a segment; names sort like numbers."""
    return f"log-{number:010d}.jsonl"


def segment_number(name: str) -> int | None:
    """Return the number in the file name of a segment; None when it is not one."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


def is_no_room(error: OSError) -> bool:
    """Tell whether waiting, or making room, can cure an error."""
    return error.errno in _NO_ROOM


class Segment:
    """An open file that holds whole batches only, as long as its process lives."""

    def __init__(self, disk: Disk, number: int, *, sync: bool) -> None:
        """Create the file.

        Args:
            disk: Where.
            number: From 1.
            sync: Whether what is appended must be on the medium.

        Raises:
            JournalFull: There is no room for it; it does not exist.
            JournalBroken: It cannot be created.
        """
        self.number = number
        self.name = segment_name(number)
        self.size = 0
        """Bytes of whole batches."""
        self._sync = sync
        self._digest = hashlib.sha256()
        try:
            self._handle = disk.open(self.name, new=True)
        except OSError as error:
            if is_no_room(error):
                raise JournalFull(f"no room for {self.name}: {error.strerror}") from error
            raise JournalBroken(f"{self.name} cannot be created: {error}") from error

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file as it is, in hexadecimal."""
        return self._digest.hexdigest()

    def is_in_place(self) -> bool:
        """Tell whether the file is still what it is called, and as long as it was written.

        Raises:
            JournalBroken: Nobody can tell.
        """
        try:
            return self._handle.is_in_place(self.size)
        except OSError as error:
            raise JournalBroken(f"{self.name} cannot be looked at: {error}") from error

    def append(self, data: bytes) -> None:
        """Make a batch durable, or leave the file as it was.

        Raises:
            JournalFull: There was no room.
            JournalBroken: Nobody can tell what is on the medium: this file must not be written again.
        """
        try:
            self._write(memoryview(data))
        except OSError as error:
            if not is_no_room(error):
                raise JournalBroken(f"{self.name} cannot be written: {error}") from error
            self._roll_back()
            raise JournalFull(f"no room to write {self.name}: {error.strerror}") from error
        try:
            if self._sync:
                self._handle.sync()
        except OSError as error:
            # Never tried again: the kernel may have dropped the pages and would report success (fsyncgate, 2018).
            raise JournalBroken(f"{self.name} cannot be synced: {error}") from error
        self.size += len(data)
        self._digest.update(data)

    def _write(self, data: memoryview) -> None:
        while data:
            written = self._handle.write(data)
            if written <= 0:
                raise OSError(errno.EIO, "nothing was written")
            data = data[written:]

    def _roll_back(self) -> None:
        try:
            self._handle.truncate(self.size)
            # Or a crash could bring back records whose senders were told that they were refused.
            self._handle.sync()
        except OSError as error:
            raise JournalBroken(f"{self.name} cannot be cut back to {self.size} bytes: {error}") from error

    def close(self) -> None:
        """Let go of the file; what was appended is durable already."""
        self._handle.close()
