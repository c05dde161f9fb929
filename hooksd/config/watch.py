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
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar, TypeVarTuple

from watchfiles import awatch

from hooksd.clock import Clock
from hooksd.config.tree import NOT_NOW, Fingerprint, Identity, Scan, Tree, gather, glance, look, restless

RESCAN = 2.0
"""Seconds between scans without a hint: what the system does not tell (network file systems, a full queue of events,
directories that were moved with their parents) is noticed within this time."""

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

FRESH = SETTLE_BUSY + 1.0
"""Files that were written longer ago than this many seconds have no writer who counts."""

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

_PAUSE = 0.01
"""Seconds between two scans at least, however long they take."""
_TICK_MS = 250
_DEBOUNCE_MS = 10
_STEP_MS = 5
"""Events are passed on at once: `SETTLE` waits for the last one."""


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
            async with aclosing(self._hints(watched)) as hints:
                async for paths in hints:
                    began = self._clock.monotonic()
                    now = await self._patiently(self._look, seen, paths)
                    if now == seen:
                        continue
                    seen, newer = await self._settled(first=(began, now))
                    if newer != tree:
                        tree = newer
                        yield tree
                    if seen.watched != watched:
                        break

    def _look(self, seen: Scan, paths: Collection[str]) -> Scan:
        """Look where something happened, or everywhere; what follows a change is a look everywhere."""
        return (glance(self._root, seen, paths) if paths else None) or look(self._root)

    async def _hints(self, watched: Mapping[str, Identity]) -> AsyncGenerator[Collection[str], None]:
        """Yield when a scan is worth while: the paths where something happened; none when `RESCAN` seconds passed.

        The first hint comes soon by itself, for what happened before the watch began. It ends when the system does
        not let us watch (too many watches, a directory that is gone): the caller then asks again.
        """
        due = self._clock.monotonic()
        # Execute-only directories above the root cannot be watched. That must not hide that others cannot either:
        # asked to ignore it, the library ignores an exhausted system as well.
        readable = [path for path in watched if os.access(path, os.R_OK, effective_ids=True)]
        events = awatch(
            *readable,
            watch_filter=None,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=_TICK_MS,
            yield_on_timeout=True,
            debug=False,
            force_polling=False,
            recursive=False,
            ignore_permission_denied=False,
        )
        try:
            async with aclosing(events):
                async for changes in events:
                    self._is_blind = False
                    is_due = self._clock.monotonic() >= due
                    if is_due:
                        due = self._clock.monotonic() + RESCAN
                    if is_due or changes:
                        yield () if is_due else {path for _, path in changes}
        except FileNotFoundError:  # a directory vanished between the scan and the watch
            await self._clock.sleep(SETTLE)
            yield ()
        except (OSError, RuntimeError) as error:
            if not self._is_blind:
                self._report(f"no events of the file system, changes are noticed within {RESCAN:g} seconds: {error}")
            self._is_blind = True
            await self._clock.sleep(RESCAN)
            yield ()

    async def _settled(self, first: tuple[float, Scan] | None = None) -> tuple[Scan, Tree]:
        """Return the content as soon as it is at rest.

        Args:
            first: A scan that was made already, and when it was begun.
        """
        async with self._lock:
            began = self._clock.monotonic()
            since, seen = first or (began, await self._patiently(look, self._root))
            while True:
                # Scans look at files in the same order, so each file is seen twice with this time in between.
                await self._clock.sleep(max(since + SETTLE - self._clock.monotonic(), _PAUSE))
                looked = self._clock.monotonic()
                state = await self._patiently(self._state)
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
                        return state.scan, restless(exists=state.scan.exists)

    async def _patiently(self, function: Callable[[*_Ts], _T], *arguments: *_Ts) -> _T:
        """Call what looks at the directory in a thread; again, when there is no descriptor to look with."""
        while True:
            try:
                return await asyncio.to_thread(function, *arguments)
            except OSError as error:
                if error.errno not in NOT_NOW:
                    raise
            await self._clock.sleep(RETRY)

    def _state(self) -> _State:
        found = look(self._root)
        if _git_is_busy(self._root):
            return _State(scan=found, writers="open")
        now = self._clock.now()
        fresh = [
            path
            for path, mark in found.files.items()
            if now - mark[3] / 1e9 < FRESH and self._bytes.get(path, (None,))[0] != mark
        ]
        answers = {_writers(str(self._root / path)) for path in fresh}
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
        git = directory / ".git"
        if git.is_dir():
            return (git / "index.lock").exists()
        if git.is_file():  # a worktree or a submodule
            return (directory / _pointer(git) / "index.lock").exists()
    return False


def _pointer(file: Path) -> str:
    """Return where a `.git` file says that the repository is."""
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape").removeprefix("gitdir:").strip()
    except OSError:
        return ".git"
