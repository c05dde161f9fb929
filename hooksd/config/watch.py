"""Tells when definitions have changed: events of the system are hints, our own scan is the truth.

`daemon.reload` asks `Watcher.tree` for the content now and follows `Watcher.changes`. A tree is only handed out when
it is at rest: nobody writes to it, Git is not in the middle of a checkout, and two scans before the reading agree.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import signal
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar, TypeVarTuple

from hooksd.clock import Clock
from hooksd.config.hints import Blind, Hints
from hooksd.config.tree import NOT_NOW, Fingerprint, Identity, Scan, Tree, gather, glance, look, restless

RESCAN = 2.0
"""Seconds between scans without a hint: what the system does not tell (network file systems, a full queue of events) is
noticed within this time, and everywhere that the directory is another one, because one above it was moved."""

LONGEST_RESCAN = 60.0
"""The same, where the system tells of every change and looking takes long: then a scan only has to find what a program
or a file system did in a way that nobody knows of."""

SHARE = 0.003
"""The part of the time that such scans take: those of 10,000 files are 15 seconds apart instead of `RESCAN`."""

SETTLE = 0.06
"""Seconds without a change before a tree is read: a save by rename or a copy of many files is one change."""

SETTLE_UNKNOWN = 0.5
"""The same, while a fresh file may still be open in a writer: only the owner of a file may ask the system."""

SETTLE_BUSY = 5.0
"""The same, while a writer is known to have a file open or Git holds its lock. Then both count as forgotten."""

PATIENCE = 30.0
"""Seconds after which a tree that never rests is taken as it is, if it can be read whole."""

RETRY = 0.5
"""Seconds between two tries to look while the process has no descriptor left to look with."""

LAST_LOOKS = 20
"""How often a directory that never rests is looked at, one look after the other, before it counts as unreadable."""

FRESH = SETTLE_BUSY + 1.0
"""Files that were written longer ago than this many seconds have no writer who counts."""

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

_PAUSE = 0.01
"""Seconds between two scans at least, however long they take."""


class Watcher:
    """Watches one directory of definitions."""

    def __init__(self, root: Path, *, clock: Clock, report: Callable[[str], None]) -> None:
        """Take what to watch.

        Args:
            root: The directory; it need not exist.
            clock: Waits, and says which files are fresh.
            report: Told, for people, when the system does not let us watch and scans alone must do.
        """
        self._root = root
        self._clock = clock
        self._report = report
        self._lock = asyncio.Lock()
        self._is_blind = False
        self._bytes: dict[str, tuple[Fingerprint, bytes]] = {}
        """What was read last, so that only changed files are read again."""

    async def tree(self) -> Tree:
        """Return the content as soon as it is at rest: after `SETTLE` seconds in the quiet case."""
        return (await self._settled())[1]

    async def changes(self) -> AsyncGenerator[Tree, None]:
        """Yield the content, now and whenever it has changed; touching a file is no change. It never ends."""
        seen, tree = await self._settled()
        yield tree
        while True:
            watched = seen.watched
            with closing(self._watching(watched)) as hints:
                # The first look comes soon by itself, for what happened before the watch began.
                due = self._clock.monotonic()
                is_told = hints.tells_all and hints.watched == watched.keys()
                while seen.watched == watched:
                    await hints.wait(min(due - self._clock.monotonic(), RESCAN))
                    await self._clock.sleep(_PAUSE)  # what happens together is looked at together
                    began = self._clock.monotonic()
                    paths = hints.read()
                    is_known = began < due and paths is not None
                    if is_known and await self._patiently(glance, self._root, seen, paths or ()) == seen:
                        continue
                    now, took = await self._patiently(self._look)
                    due = began + interval(took, is_told=is_told and paths is not None)
                    if now != seen:
                        # What nobody told of may go on untold.
                        seen, newer = await self._settled((began, now), hints if paths else None)
                        if newer != tree:
                            tree = newer
                            yield tree
                    if hints.is_blind:
                        break

    def _watching(self, watched: Mapping[str, Identity]) -> Hints | Blind:
        """Return what tells of changes; if the system does not let us watch, what only waits: the caller asks again."""
        # Execute-only directories above the root cannot be watched: `RESCAN` is for what happens there.
        readable = [path for path in watched if os.access(path, os.R_OK, effective_ids=True)]
        try:
            hints = Hints(readable, clock=self._clock)
        except (FileNotFoundError, NotADirectoryError):  # a directory vanished between the scan and the watch
            return Blind(SETTLE, clock=self._clock)
        except OSError as error:
            if not self._is_blind:
                why = error.strerror
                self._report(f"no events of the file system, changes are noticed within {RESCAN:g} seconds: {why}")
            self._is_blind = True
            return Blind(RESCAN, clock=self._clock)
        self._is_blind = False
        return hints

    async def _settled(
        self, first: tuple[float, Scan] | None = None, hints: Hints | Blind | None = None
    ) -> tuple[Scan, Tree]:
        """Return the content as soon as it is at rest.

        Args:
            first: A scan that was made already, and since when nothing has changed.
            hints: What tells of everything that has happened since; None: only looks can tell.
        """
        async with self._lock:
            began = self._clock.monotonic()
            since, seen = first or (began, await self._patiently(look, self._root))
            while True:
                # Looks see files in the same order, so each file is seen twice with this time in between.
                await self._clock.sleep(max(since + SETTLE - self._clock.monotonic(), _PAUSE))
                looked = self._clock.monotonic()
                state = await self._patiently(self._state, seen, hints)
                now = self._clock.monotonic()
                is_late = now - began >= PATIENCE
                is_same = state.scan == seen
                if not is_same:
                    seen, since = state.scan, looked
                    if not is_late:
                        continue
                if is_late or now - since >= _rest(state):
                    tree = await self._patiently(partial(self._read, state.scan, is_at_rest=is_same))
                    if tree is not None:
                        return state.scan, tree
                    if is_late:
                        return await self._patiently(self._read_restless)

    async def _patiently(self, function: Callable[[*_Ts], _T], *arguments: *_Ts) -> _T:
        """Call what looks at the directory in a thread; again, when there is no descriptor to look with."""
        while True:
            try:
                return await asyncio.to_thread(function, *arguments)
            except OSError as error:
                if error.errno not in NOT_NOW:
                    raise
            await self._clock.sleep(RETRY)

    def _look(self) -> tuple[Scan, float]:
        """Look at everything, and return how many seconds that took as well."""
        began = self._clock.monotonic()
        return look(self._root), self._clock.monotonic() - began

    def _state(self, seen: Scan, hints: Hints | Blind | None) -> _State:
        paths = hints.read() if hints and hints.watched == seen.watched.keys() else None
        found = (None if paths is None else glance(self._root, seen, paths)) or look(self._root)
        if _git_is_busy(self._root):
            return _State(scan=found, writers="open")
        now = self._clock.now()
        fresh = [
            path
            for path, mark in found.files.items()
            if now - mark[3] / 1e9 < FRESH and self._bytes.get(path, (None,))[0] != mark
        ]
        answers = {_writers(f"{self._root}/{path}") for path in fresh}
        return _State(
            scan=found, writers="open" if "open" in answers else "unknown" if "unknown" in answers else "none"
        )

    def _read(self, seen: Scan, *, is_at_rest: bool) -> Tree | None:
        """Return the content that a scan saw; None when it is another one by now.

        Two equal scans prove what the directory held when the second began, and each file that is read proves to be the
        one that they saw. Only a directory that never rests has to be looked at once more.
        """
        tree = gather(self._root, seen, self._bytes)
        if tree is None or (not is_at_rest and look(self._root) != seen):
            return None
        self._bytes = {path: (seen.files[path], data) for path, data in tree.files.items()}
        return tree

    def _read_restless(self) -> tuple[Scan, Tree]:
        """Return the content of a directory that never rests, between two changes if there is time between them."""
        seen = look(self._root)
        for _ in range(LAST_LOOKS):
            tree = self._read(seen, is_at_rest=False)
            if tree is not None:
                return seen, tree
            seen = look(self._root)
        return seen, restless(exists=seen.exists)


def interval(took: float, *, is_told: bool) -> float:
    """Return after how many seconds everything is looked at again.

    Args:
        took: How many seconds the last look took.
        is_told: The system tells of changes in all directories, and has lost none.
    """
    return min(max(took / SHARE, RESCAN), LONGEST_RESCAN) if is_told else RESCAN


Writers = Literal["none", "unknown", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """A scan, and who still writes to what it found."""

    scan: Scan
    writers: Writers


def _rest(state: _State) -> float:
    """Return how many seconds without a change are enough to call a tree settled."""
    return {"none": 0.0, "unknown": SETTLE_UNKNOWN, "open": SETTLE_BUSY}[state.writers]


def _writers(path: str) -> Writers:
    """Tell whether some process has a file open for writing, by asking for a read lease (fcntl(2)) and giving it back.

    A process that opens the file in that instant waits for us and we get a signal. It must be one that is ignored by
    default: the default one, SIGIO, would end the daemon.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return "unknown"
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return "open" if error.errno == errno.EAGAIN else "unknown"
    finally:
        os.close(descriptor)
    return "none"


def _git_is_busy(root: Path) -> bool:
    """Tell whether Git holds the lock of the checkout around a directory: files are being replaced one by one."""
    resolved = os.path.realpath(root)
    for directory in (Path(resolved), *Path(resolved).parents):
        # Not `Path.is_dir` and the like: they raise where a directory may not be looked into.
        git = directory / ".git"
        if os.path.isdir(git):  # noqa: PTH112
            return os.path.exists(git / "index.lock")  # noqa: PTH110
        if os.path.isfile(git):  # noqa: PTH113 - a worktree or a submodule
            return os.path.exists(directory / _pointer(git) / "index.lock")  # noqa: PTH110
    return False


def _pointer(file: Path) -> str:
    """Return where a `.git` file says that the repository is."""
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape").removeprefix("gitdir:").strip()
    except OSError:
        return ".git"
