"""The only door from the log to the file system, so that tests can stand a worse one behind it.

`journal.file` opens it; everything beside it in this package that touches a file goes through here. The reader of the
command line does not: it only reads, and what it reads belongs to somebody else.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from hooksd.errors import JournalError

LOCK = "lock"
SCRATCH = "tmp"
"""Where files are written that get their names when they are whole. Emptied whenever the directory is locked."""
_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o640
_OWNER_ONLY = 0o600


class Handle(Protocol):
    """A file that is open for writing at its end."""

    def write(self, data: memoryview) -> int:
        """Write what fits of `data` and return how many bytes that were."""
        ...

    def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes."""
        ...

    def sync(self) -> None:
        """Return when everything written is on the medium."""
        ...

    def is_in_place(self, size: int) -> bool:
        """Tell whether the file has its name and `size` bytes still: nobody removed, moved, replaced or cut it."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class Scratch(Protocol):
    """A file without a name yet, that grows until it is kept or thrown away."""

    def write(self, data: bytes) -> None:
        """Add to its end."""
        ...

    def keep(self, name: str) -> None:
        """Give it a name: after a crash it is there entirely or not at all."""
        ...

    def discard(self) -> None:
        """Throw it away; nothing when it was kept or thrown away already."""
        ...


class Disk(Protocol):
    """One directory. Every method may raise OSError; names are relative to the directory."""

    def lock(self) -> None:
        """Make the directory when it is missing, and keep every other process from opening it.

        Raises:
            JournalError: Another process has it; the message says which.
        """
        ...

    def names(self) -> tuple[str, ...]:
        """Return the names of the files in the directory itself, sorted."""
        ...

    def tree(self, folder: str) -> Iterator[str]:
        """Yield the names of the files anywhere below a folder, in no order; nothing when it is missing."""
        ...

    def size(self, name: str) -> int | None:
        """Return the size of a file in bytes; None when there is none."""
        ...

    def head(self, name: str, size: int) -> bytes:
        """Return what a file begins with, at most `size` bytes."""
        ...

    def read(self, name: str, *, medium: bool = False) -> bytes:
        """Return what a file holds.

        Args:
            name: The file.
            medium: Write out what a dead process left in the page cache, drop the cache, and read what is
                really there. After a failed sync the cache may show what the medium does not hold.
        """
        ...

    def open(self, name: str, *, new: bool) -> Handle:
        """Open a file for writing at its end. A new one has its name on the medium when this returns."""
        ...

    def save(self, name: str, data: bytes) -> None:
        """Write a whole file, readable by its owner only: after a crash it is there entirely or not at all."""
        ...

    def scratch(self) -> Scratch:
        """Begin a file that is written piece by piece, readable by its owner only."""
        ...

    def remove(self, name: str, *, sync: bool = True) -> None:
        """Remove a file.

        Args:
            name: The file.
            sync: Whether it must be gone after a crash too, when this returns.
        """
        ...

    def free(self) -> int:
        """Return how many bytes unprivileged processes may still write."""
        ...

    def unlock(self) -> None:
        """Let other processes have the directory."""
        ...


class FileHandle:
    """A file descriptor."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self._path = path
        self._file = os.fstat(descriptor)  # which file it is does not change, and no other is that one while it is open

    def write(self, data: memoryview) -> int:  # noqa: D102 - see Handle
        return os.write(self._descriptor, data)

    def truncate(self, size: int) -> None:  # noqa: D102 - see Handle
        os.ftruncate(self._descriptor, size)

    def sync(self) -> None:  # noqa: D102 - see Handle
        os.fdatasync(self._descriptor)

    def is_in_place(self, size: int) -> bool:  # noqa: D102 - see Handle
        try:
            named = os.stat(self._path)  # noqa: PTH116 - twice as fast, and on the way of every batch
        except FileNotFoundError:
            return False
        return named.st_size == size and os.path.samestat(named, self._file)

    def close(self) -> None:  # noqa: D102 - see Handle
        os.close(self._descriptor)


class FileScratch:
    """A temporary file beside the directory's own ones."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        descriptor, path = tempfile.mkstemp(dir=directory / SCRATCH)  # 0600
        self._path: Path | None = Path(path)
        self._file = os.fdopen(descriptor, "wb")

    def write(self, data: bytes) -> None:  # noqa: D102 - see Scratch
        self._file.write(data)

    def keep(self, name: str) -> None:  # noqa: D102 - see Scratch
        scratch = self._path
        if scratch is None:
            raise OSError(errno.ENOENT, "it was kept or thrown away")
        path = self._directory / name
        below = [parent for parent in path.parents if self._directory in parent.parents]
        for parent in reversed(below):
            parent.mkdir(mode=_DIRECTORY_MODE, exist_ok=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        scratch.replace(path)
        self._path = None
        # The directories above too: one of them may be as new as the file.
        for parent in (*below, self._directory):
            _sync_directory(parent)

    def discard(self) -> None:  # noqa: D102 - see Scratch
        scratch, self._path = self._path, None
        if scratch is not None:
            with contextlib.suppress(OSError):  # what it could not write must not matter any more
                self._file.close()
            scratch.unlink(missing_ok=True)


class FileDisk:
    """A directory of the machine's file system."""

    def __init__(self, directory: Path) -> None:
        """Take the directory; nothing is touched before `lock`."""
        self._directory = directory
        self._lock: int | None = None

    def lock(self) -> None:  # noqa: D102 - see Disk
        self._directory.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        descriptor = os.open(self._directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise JournalError(
                f"{self._directory}: process {holder} is writing this log; stop it, or give this one another log_dir"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._lock = descriptor
        self._clear_scratch()

    def _clear_scratch(self) -> None:
        scratch = self._directory / SCRATCH
        scratch.mkdir(mode=_DIRECTORY_MODE, exist_ok=True)
        for leftover in scratch.iterdir():
            leftover.unlink()

    def names(self) -> tuple[str, ...]:  # noqa: D102 - see Disk
        with os.scandir(self._directory) as entries:
            return tuple(sorted(entry.name for entry in entries if entry.is_file()))

    def tree(self, folder: str) -> Iterator[str]:  # noqa: D102 - see Disk
        for place, _, names in os.walk(self._directory / folder):
            below = Path(place).relative_to(self._directory)
            yield from (str(below / name) for name in names)

    def size(self, name: str) -> int | None:  # noqa: D102 - see Disk
        try:
            return (self._directory / name).stat().st_size
        except FileNotFoundError:
            return None

    def head(self, name: str, size: int) -> bytes:  # noqa: D102 - see Disk
        with (self._directory / name).open("rb") as file:
            return file.read(size)

    def read(self, name: str, *, medium: bool = False) -> bytes:  # noqa: D102 - see Disk
        path = self._directory / name
        if medium:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # enough for fsync, and a file may be read-only
            try:
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
        return path.read_bytes()

    def open(self, name: str, *, new: bool) -> Handle:  # noqa: D102 - see Disk
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        path = self._directory / name
        if not new:
            return FileHandle(os.open(path, flags), path)
        handle = FileHandle(os.open(path, flags | os.O_CREAT | os.O_EXCL, _FILE_MODE), path)
        try:
            _sync_directory(self._directory)
        except OSError:
            handle.close()
            path.unlink()
            raise
        return handle

    def save(self, name: str, data: bytes) -> None:  # noqa: D102 - see Disk
        scratch = self.scratch()
        try:
            scratch.write(data)
            scratch.keep(name)
        except OSError:
            scratch.discard()
            raise

    def scratch(self) -> Scratch:  # noqa: D102 - see Disk
        return FileScratch(self._directory)

    def remove(self, name: str, *, sync: bool = True) -> None:  # noqa: D102 - see Disk
        path = self._directory / name
        path.unlink()
        if sync:
            _sync_directory(path.parent)

    def free(self) -> int:  # noqa: D102 - see Disk
        room = os.statvfs(self._directory)
        return room.f_bavail * room.f_frsize

    def unlock(self) -> None:  # noqa: D102 - see Disk
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_: type[Disk] = FileDisk
