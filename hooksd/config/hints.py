"""What the system tells of directories: the paths at which something happened, and what cannot be told.

`config.watch` takes it for hints. Nothing runs while nothing happens: who waits is woken by the kernel.

Source: inotify(7).
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import struct
from collections.abc import Collection, Iterable

from hooksd.clock import Clock

_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x2, 0x4, 0x8
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF = 0x400, 0x800
_OVERFLOW = 0x4000
_ONLY_DIRECTORIES = 0x1000000
_MASK = (
    _MODIFY | _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
    | _ONLY_DIRECTORIES
)  # fmt: skip
_EVENT = struct.Struct("iIII")
_SIZE = 65536
_MOST = 64
"""How often what happened is read before it counts as too much to be told apart."""

_TELLING = {
    "bcachefs": 0xCA451A4E,
    "btrfs": 0x9123683E,
    "erofs": 0xE0F5E1E2,
    "ext": 0xEF53,
    "f2fs": 0xF2F52010,
    "overlay": 0x794C7630,
    "ramfs": 0x858458F6,
    "squashfs": 0x73717368,
    "tmpfs": 0x01021994,
    "xfs": 0x58465342,
    "zfs": 0x2FC12FC1,
}
"""File systems to which nobody writes but through this kernel, which then tells of it. Those of a network, of FUSE and
those that a virtual machine shares with its host are written to by others (statfs(2): `f_type`)."""
_STATUS_SIZE = 256
"""More bytes than any kernel's `struct statfs` has."""

_WHY = {
    errno.ENOSPC: "the system has no watches left (fs.inotify.max_user_watches)",
    errno.EMFILE: "the system has no descriptors or no instances left (fs.inotify.max_user_instances)",
}


class Hints:
    """Watches directories from the moment it is made until it is closed."""

    is_blind = False

    def __init__(self, directories: Iterable[str], *, clock: Clock) -> None:
        """Begin to watch.

        Args:
            directories: Absolute paths without symbolic links.
            clock: Measures how long somebody waits.

        Raises:
            OSError: One of them is gone, or the system does not let us watch all of them.
        """
        self.watched = frozenset(directories)
        self._clock = clock
        libc = ctypes.CDLL(None, use_errno=True)
        # IN_NONBLOCK and IN_CLOEXEC are spelled like this.
        self._descriptor = _checked(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._paths: dict[int, str | None] = {}
        """Of each watch; None when one directory has several."""
        self.tells_all = all(_file_system(libc, path) in _TELLING.values() for path in self.watched)
        """Nothing can change in these directories that would not be told."""
        try:
            for path in self.watched:
                watch = _checked(libc.inotify_add_watch(self._descriptor, os.fsencode(path), _MASK))
                self._paths[watch] = None if watch in self._paths else path
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Watch no longer."""
        os.close(self._descriptor)

    async def wait(self, seconds: float) -> None:
        """Return when there is something to read, at the latest after some seconds."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        alarm = self._clock.call_later(seconds, woken.set)
        loop.add_reader(self._descriptor, woken.set)
        try:
            await woken.wait()
        finally:
            loop.remove_reader(self._descriptor)
            alarm.cancel()

    def read(self) -> Collection[str] | None:
        """Return the paths at which something happened since the last call; None when the system lost count."""
        found: set[str | None] = set()
        for _ in range(_MOST):
            try:
                data = os.read(self._descriptor, _SIZE)
            except BlockingIOError:
                return None if None in found else {path for path in found if path is not None}
            at = 0
            while at < len(data):
                watch, mask, _, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size + length
                found.add(None if mask & _OVERFLOW else self._path(watch, data[at - length : at].rstrip(b"\0")))
        return None

    def _path(self, watch: int, name: bytes) -> str | None:
        directory = self._paths.get(watch)
        return directory if directory is None or not name else os.path.join(directory, os.fsdecode(name))  # noqa: PTH118 - paths stay text


class Blind:
    """Stands in where the system does not let us watch: it waits and knows nothing."""

    is_blind = True
    tells_all = False
    watched: frozenset[str] = frozenset()

    def __init__(self, seconds: float, *, clock: Clock) -> None:
        """Take how long it waits."""
        self._seconds = seconds
        self._clock = clock

    def close(self) -> None:
        """Do nothing."""

    async def wait(self, _: float) -> None:
        """Return after the time that it was given."""
        await self._clock.sleep(self._seconds)

    def read(self) -> Collection[str] | None:
        """Return None: anything may have happened."""


def _file_system(libc: ctypes.CDLL, path: str) -> int | None:
    """Return the number of the kind of file system that a directory is on; None when it does not say."""
    status = ctypes.create_string_buffer(_STATUS_SIZE)
    if libc.statfs(os.fsencode(path), status) != 0:
        return None
    return ctypes.c_long.from_buffer(status).value & 0xFFFFFFFF  # its first member is a word


def _checked(result: int) -> int:
    """Return what a function of the C library gave.

    Raises:
        OSError: It failed.
    """
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, _WHY.get(number, os.strerror(number)))
    return result
