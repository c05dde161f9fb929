"""Descendants that left the process group of their step: found, ended and waited for.

A program may start another one in a session of its own (`setsid`, a daemon's double fork), which a signal to the group
does not reach. So hooksd asks the kernel to become the parent of orphans among its descendants, and knows those of a
step by the mark that each program inherits in its environment. What has removed the mark, or runs as another user, is
left alone: that is how a step starts something meant to stay.

Source: PR_SET_CHILD_SUBREAPER in prctl(2); proc(5).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
from pathlib import Path
from typing import NamedTuple

MARK = "HOOKSD_PROCESS"
"""The variable whose value tells the processes of one step from all others."""

_PR_SET_CHILD_SUBREAPER = 36
_PAGE = 65536
_PASSES = 20
_PAUSE = 0.01
"""Seconds between two passes: ending a parent makes orphans of its children, who are found by the next pass."""


def adopt() -> bool:
    """Become the parent of orphans among this process's descendants; False when the kernel does not offer it."""
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


class Family:
    """The programs that run for steps, and what to do about descendants that outlive them."""

    def __init__(self) -> None:
        self._leaders: set[int] = set()
        self._children = -1
        """A descriptor: to open such a file takes longer than to read it."""

    def close(self) -> None:
        """Look no more."""
        if self._children >= 0:
            os.close(self._children)
            self._children = -1

    def has_started(self, leader: int) -> None:
        """Say that a program was started, on the event loop's thread; it is waited for elsewhere, until `is_over`."""
        self._leaders.add(leader)

    def is_over(self, leader: int) -> None:
        """Say that a program has been waited for."""
        self._leaders.discard(leader)

    async def end_marked(self, mark: str) -> None:
        """End every orphan with a mark, and their children in turn.

        Args:
            mark: The value of `MARK` that its program was given.
        """
        for _ in range(_PASSES):
            # Without a descriptor to look around with, it looks again.
            with contextlib.suppress(OSError):
                if not self.sweep(mark):
                    return
            await asyncio.sleep(_PAUSE)

    def sweep(self, mark: str) -> bool:
        """Kill the orphans with a mark and wait for orphans that are dead; True when there may be more to do.

        A child in hooksd's own session was started by hooksd itself for something else and is never touched.
        """
        acted = False
        for child in self._orphans() - self._leaders:
            found = _state(child)
            if found is None or found.session == os.getsid(0):
                continue
            if found.letter == "Z":
                _wait(child)
                acted = True
            elif _has_mark(child, mark):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(child, signal.SIGKILL)
                    acted = True
        return acted

    def _orphans(self) -> set[int]:
        """Return the children of the main thread: orphans come to it, and it starts programs, if the loop is there.

        None of their numbers is given to another process before we wait for it.
        """
        if self._children < 0:
            self._children = os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY | os.O_CLOEXEC)
        text = b""
        while more := os.pread(self._children, _PAGE, len(text)):
            text += more
        return set(map(int, text.split()))


class _State(NamedTuple):
    letter: str
    session: int


def _state(process: int) -> _State | None:
    """Return the state of a process; None when it is gone."""
    try:
        stat = Path(f"/proc/{process}/stat").read_bytes()
    except OSError:
        return None
    # The name in parentheses may hold anything, parentheses included: what we want follows the last one.
    state, _parent, _group, session, *_ = stat.rpartition(b")")[2].split()
    return _State(state.decode(), int(session))


def _has_mark(process: int, mark: str) -> bool:
    try:
        environment = Path(f"/proc/{process}/environ").read_bytes()
    except OSError:
        return False
    return f"{MARK}={mark}".encode() in environment.split(b"\0")


def _wait(process: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process, os.WNOHANG)
