"""The files that a program is given: the event, and standard input. Private, and gone when the program is.

Short ones are kept in memory, where making one takes microseconds and waits for nobody; long ones on disk, written and
removed in a thread, because the file system may be busy with the log's syncs. Used by `engine.process`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from hooksd.model.effect import StartProcess
from hooksd.model.value import value

MEMORY = Path("/dev/shm")  # noqa: S108 - only a private directory in it is used
"""The file system in memory that Linux has everywhere."""

SHORT = 64 * 1024
"""The most bytes that are kept in memory for one program: with 64 programs, 4 MiB."""

PREFIX = "hooksd-files-"
NAME = re.compile(r"[0-9a-f]{32}\.(json|stdin)")


@value
class Papers:
    """The files of one program."""

    event: str
    """Where the event is."""
    stdin: str
    """Where standard input is: the event too, unless the step says otherwise."""
    are_short: bool
    """They are in memory: removing them waits for nobody."""

    def remove(self) -> None:
        """Remove the files."""
        for path in {self.event, self.stdin}:
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108 - a Path would cost as much as the call


class Files:
    """Makes the files of programs, in two private directories; `close` removes those."""

    def __init__(self, disk: Path, memory: Path) -> None:
        """Touch nothing yet.

        Args:
            disk: Where there is room for long ones.
            memory: Where short ones are made; without room there, they are on disk too.
        """
        self._disk = _Room(disk)
        self._memory = _Room(memory)

    async def lend(self, mark: str, effect: StartProcess) -> Papers:
        """Write the files of a program; `take_back` must be called.

        Args:
            mark: 32 hexadecimal digits that no other program has.
            effect: What to run.

        Raises:
            OSError: They cannot be made.
        """
        event = effect.stdin if effect.event is None else effect.event
        texts = {f"{mark}.json": event}
        if effect.event is not None:
            texts[f"{mark}.stdin"] = effect.stdin
        if sum(map(len, texts.values())) <= SHORT:
            with contextlib.suppress(OSError):
                return _papers(self._memory.write(texts), are_short=True)
        writing = asyncio.get_running_loop().run_in_executor(None, self._disk.write, texts)
        try:
            return _papers(await asyncio.shield(writing), are_short=False)
        except asyncio.CancelledError:
            writing.add_done_callback(_throw_away)
            raise

    async def take_back(self, papers: Papers) -> None:
        """Remove the files of a program."""
        if papers.are_short:
            papers.remove()
        else:
            await asyncio.get_running_loop().run_in_executor(None, papers.remove)

    def close(self) -> None:
        """Remove the directories."""
        self._disk.close()
        self._memory.close()


def _papers(paths: list[str], *, are_short: bool) -> Papers:
    return Papers(event=paths[0], stdin=paths[-1], are_short=are_short)


def _throw_away(writing: asyncio.Future[list[str]]) -> None:
    """Remove files that were written for a program that nobody wants any more."""
    if not writing.cancelled() and writing.exception() is None:
        _ = asyncio.get_running_loop().run_in_executor(None, _papers(writing.result(), are_short=False).remove)


class _Room:
    """A private directory, made when it is first needed; used by several threads.

    It is locked for as long as it is in use. So what a killed daemon left is known by its lock, which is free, and
    programs that clean up directories for temporary files leave it alone (systemd-tmpfiles(8)).
    """

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._path: str | None = None
        self._lock = -1
        self._opening = threading.Lock()

    def write(self, texts: Mapping[str, bytes]) -> list[str]:
        """Make private files, all or none, and return their paths."""
        try:
            return _write(self._path or self._open(None), texts)
        except FileNotFoundError:
            # Somebody has removed the directory.
            return _write(self._open(self._path), texts)

    def close(self) -> None:
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
            os.close(self._lock)
            self._path = None

    def _open(self, gone: str | None) -> str:
        with self._opening:
            if self._path is not None and self._path != gone:
                return self._path
            self.close()
            for left in self._parent.glob(f"{PREFIX}*"):
                _clear(left)
            path = tempfile.mkdtemp(prefix=PREFIX, dir=self._parent)
            self._lock = _locked(path)
            self._path = path
            return path


def _write(directory: str, texts: Mapping[str, bytes]) -> list[str]:
    made: list[str] = []
    try:
        for name, text in texts.items():
            path = f"{directory}/{name}"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            made.append(path)
            _write_whole(descriptor, text)
    except OSError:
        for path in made:
            Path(path).unlink()
        raise
    return made


def _write_whole(descriptor: int, text: bytes) -> None:
    rest = memoryview(text)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def _locked(path: str) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _clear(path: Path) -> None:
    """Remove a directory that a killed daemon of the same user left; one that holds anything else is left alone."""
    with contextlib.suppress(OSError):
        if path.lstat().st_uid != os.geteuid():
            return
        lock = _locked(str(path))
        try:
            for file in path.iterdir():
                if NAME.fullmatch(file.name):
                    file.unlink()
            path.rmdir()
        finally:
            os.close(lock)
