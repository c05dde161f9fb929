"""One started program: the leader of its own session and process group, watched through a pidfd.

Everything on the event loop's thread. No SIGCHLD handler is needed, so it works on any loop and beside any other code
that starts processes. `engine.process` decides what to do with a child.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import subprocess
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from hooksd.engine.process_files import Papers
from hooksd.engine.process_pipe import Capture, PipeReader, is_done
from hooksd.model.effect import StartProcess
from hooksd.model.value import value

EVENT_FILE = "HOOKSD_EVENT_FILE"
"""The variable that names the file with the event."""


MOMENT = 0.01
"""Seconds until the output of a program is read while it runs. It may write 64 KiB before that without waiting."""


@value
class Started:
    """A program that runs, and what must be let go of when it has ended."""

    process: subprocess.Popen[bytes]
    pidfd: int
    stdout: int
    stderr: int


def start(effect: StartProcess, environment: Mapping[str, str], papers: Papers) -> Started:
    """Start a program. It blocks until the kernel has replaced the new process by the program.

    Standard input is a file, so that a program which does not read it holds up nobody, however long the event is.

    Args:
        effect: What to run.
        environment: All of its environment, but for the name of the event file.
        papers: Its files.

    Raises:
        OSError: It cannot be started.
        ValueError: An argument or a variable holds what the kernel does not take.
    """
    ours: list[int] = []
    lent: list[int] = []
    try:
        lent.append(os.open(papers.stdin, os.O_RDONLY | os.O_CLOEXEC))
        for _ in ("stdout", "stderr"):
            reader, writer = os.pipe()
            ours.append(reader)
            lent.append(writer)
        process = subprocess.Popen(
            effect.argv,
            env={**environment, EVENT_FILE: papers.event},
            cwd=effect.cwd,
            stdin=lent[0],
            stdout=lent[1],
            stderr=lent[2],
            start_new_session=True,
        )
        _close(lent)
        ours.append(_watch(process))
    except BaseException:
        _close(lent)
        _close(ours)
        raise
    return Started(process=process, stdout=ours[0], stderr=ours[1], pidfd=ours[2])


def _close(descriptors: list[int]) -> None:
    while descriptors:
        os.close(descriptors.pop())


def _watch(process: subprocess.Popen[bytes]) -> int:
    """Return a descriptor that tells of the end of a program."""
    try:
        return os.pidfd_open(process.pid)
    except OSError as error:
        # It runs already, so this must not look like one that may be started again.
        signal_group(process.pid, signal.SIGKILL)
        process.wait()
        raise OSError(errno.ECHILD, "it was started, and no descriptor was left to watch it with") from error


def signal_group(leader: int, number: signal.Signals) -> None:
    """Send a signal to a group whose leader has not been waited for, so that its number means no other group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


class Child:
    """A started program on the event loop."""

    def __init__(self, started: Started, *, capture: int) -> None:
        """Start to read its output and to watch for its end.

        Args:
            started: The program. It belongs to the child from now on.
            capture: How many bytes of each output to keep.
        """
        self._started = started
        self._loop = asyncio.get_running_loop()
        self._exited: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(started.pidfd, self._on_exit)
        self._out = PipeReader(started.stdout, Capture(capture, "start"))
        self._err = PipeReader(started.stderr, Capture(capture, "end"))
        self._alarm = self._loop.call_later(MOMENT, self._watch)

    @property
    def pid(self) -> int:
        """The number of the process, and of its group and session."""
        return self._started.process.pid

    @property
    def stdout(self) -> Capture:
        """What it wrote to standard output."""
        return self._out.capture

    @property
    def stderr(self) -> Capture:
        """What it wrote to standard error."""
        return self._err.capture

    @property
    def status(self) -> int | None:
        """The exit status, or minus the number of the signal that ended it; None while it runs."""
        return self._started.process.poll() if self._exited.done() else None

    def _watch(self) -> None:
        """Read what it writes as it comes, so that a full pipe holds it up no longer."""
        self._out.watch()
        self._err.watch()

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._started.pidfd)
        os.close(self._started.pidfd)
        self._alarm.cancel()
        self._out.finish()
        self._err.finish()
        self._exited.set_result(None)

    def has_exited(self, within: float) -> Coroutine[Any, Any, bool]:
        """Await it to wait at most some seconds for its end, and to know whether it came."""
        return is_done(self._exited, within)

    async def outputs_end(self, within: float) -> None:
        """Wait at most some seconds until nobody holds its outputs any more."""
        until = self._loop.time() + within
        for reader in (self._out, self._err):
            if not reader.ended.done():
                await is_done(reader.ended, until - self._loop.time())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of its group; none when `status` has told its end, as the number may be another's."""
        if self._started.process.returncode is None:
            signal_group(self.pid, number)

    def close(self, then: Callable[[], None]) -> None:
        """Kill what is left of its group and let go of everything.

        Args:
            then: Called once it has been waited for: on the next turn of the loop, or later if it is not dead yet.
        """
        self.signal(signal.SIGKILL)
        self._alarm.cancel()
        self._out.close()
        self._err.close()

        def wait(_: object) -> None:
            self._started.process.wait()
            then()

        self._exited.add_done_callback(wait)
