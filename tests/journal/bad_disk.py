"""A directory whose disk can be made to fail, fill up and write in small pieces."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from hooksd.journal.disk import Disk, FileDisk, Handle, Scratch

PLENTY = 1 << 40


class BadDisk:
    """A real directory, behind a door that says no when it is told to."""

    def __init__(self, directory: Path) -> None:
        self._disk = FileDisk(directory)
        self._faults: dict[str, list[int]] = {}
        self.room: int | None = None
        """Bytes that can still be written; None for as many as you like."""
        self.free_bytes = PLENTY
        self.piece = PLENTY
        """The most bytes that one write takes."""
        self.calls: list[str] = []
        self.gate = threading.Event()
        """Writes wait for it."""
        self.gate.set()

    def fail(self, operation: str, error: int = errno.EIO, times: int = 1) -> None:
        """Let the next calls of an operation fail."""
        self._faults.setdefault(operation, []).extend([error] * times)

    def check(self, operation: str) -> None:
        self.calls.append(operation)
        faults = self._faults.get(operation)
        if faults:
            code = faults.pop(0)
            raise OSError(code, os.strerror(code))

    def lock(self) -> None:
        self.check("lock")
        self._disk.lock()

    def unlock(self) -> None:
        self._disk.unlock()

    def names(self) -> tuple[str, ...]:
        self.check("names")
        return self._disk.names()

    def tree(self, folder: str) -> Iterator[str]:
        self.check("tree")
        return self._disk.tree(folder)

    def size(self, name: str) -> int | None:
        return self._disk.size(name)

    def head(self, name: str, size: int) -> bytes:
        self.check("head")
        return self._disk.head(name, size)

    def read(self, name: str, *, medium: bool = False) -> bytes:
        self.check("read")
        return self._disk.read(name, medium=medium)

    def open(self, name: str, *, new: bool) -> Handle:
        self.check("open")
        return BadHandle(self, self._disk.open(name, new=new))

    def save(self, name: str, data: bytes) -> None:
        self.check("save")
        self._disk.save(name, data)

    def scratch(self) -> Scratch:
        self.check("scratch")
        return BadScratch(self, self._disk.scratch())

    def remove(self, name: str, *, sync: bool = True) -> None:
        self.check("remove")
        self._disk.remove(name, sync=sync)

    def free(self) -> int:
        self.check("free")
        return self.free_bytes


class BadHandle:
    def __init__(self, disk: BadDisk, handle: Handle) -> None:
        self._disk = disk
        self._handle = handle

    def write(self, data: memoryview) -> int:
        assert self._disk.gate.wait(10)
        self._disk.check("write")
        if self._disk.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._handle.write(data[: min(self._disk.piece, self._disk.room or PLENTY)])
        if self._disk.room is not None:
            self._disk.room -= written
        return written

    def truncate(self, size: int) -> None:
        self._disk.check("truncate")
        self._handle.truncate(size)

    def sync(self) -> None:
        self._disk.check("sync")
        self._handle.sync()

    def is_in_place(self, size: int) -> bool:
        return self._handle.is_in_place(size)

    def close(self) -> None:
        self._handle.close()


class BadScratch:
    def __init__(self, disk: BadDisk, scratch: Scratch) -> None:
        self._disk = disk
        self._scratch = scratch

    def write(self, data: bytes) -> None:
        self._disk.check("write")
        self._scratch.write(data)

    def keep(self, name: str) -> None:
        self._disk.check("keep")
        self._scratch.keep(name)

    def discard(self) -> None:
        self._scratch.discard()


def flip(path: Path, offset: int, bits: Iterable[int] = (0,)) -> None:
    """Flip bits of one byte of a file."""
    data = bytearray(path.read_bytes())
    for bit in bits:
        data[offset] ^= 1 << bit
    path.write_bytes(data)


_: type[Disk] = BadDisk
