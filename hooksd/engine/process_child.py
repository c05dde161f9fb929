"""One started program: the leader of its own session and process group, watched through a pidfd.

`start` blocks and runs in a thread; a `Child` lives on the event loop. No SIGCHLD handler is needed, so it works on any
loop and beside any other code that starts processes. `engine.process` decides what to do with a child.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hooksd.engine.process_pipe import Capture, PipeReader
from hooksd.model.effect import StartProcess

EVENT_FILE = "HOOKSD_EVENT_FILE"
"""The variable that names the file with the event."""

_TRIES = 200
_PAUSE = 0.05
"""Seconds between two tries to watch a program that runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A program that runs, and what must be let go of when it has ended."""

    process: subprocess.Popen[bytes]
    pidfd: int
    stdout: int
    stderr: int
    workspace: Path
    """The private directory with the event."""

    def abandon(self) -> None:
        """End a program that nobody wants any more, and let go of everything. Blocks until the program is dead."""
        signal_group(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for descriptor in (self.pidfd, self.stdout, self.stderr):
            os.close(descriptor)
        self.tidy()

    def tidy(self) -> None:
        """Remove the private directory. Blocks: the file system may be busy with the log's syncs."""
        shutil.rmtree(self.workspace, ignore_errors=True)


def start(effect: StartProcess, environment: Mapping[str, str], directory: Path) -> Started:
    """Start a program with the event on standard input and in a file.

    Standard input is a file too, so that a program which does not read it holds up nobody, however long the event is.

    Args:
        effect: What to run.
        environment: All of its environment, but for the name of the event file.
        directory: Where to make the private directory of this program.

    Raises:
        OSError: It cannot be started.
        ValueError: An argument or a variable holds what the kernel does not take.
    """
    with contextlib.ExitStack() as undo, contextlib.ExitStack() as lent:
        workspace = Path(tempfile.mkdtemp(prefix="hooksd-", dir=directory))
        event = workspace / "event.json"
        undo.callback(_clear, workspace, event, workspace / "stdin")
        _write_private(event, effect.stdin if effect.event is None else effect.event)
        given = event
        if effect.event is not None:
            given = workspace / "stdin"
            _write_private(given, effect.stdin)
        stdout, stdout_writer = _pipe(undo, lent)
        stderr, stderr_writer = _pipe(undo, lent)
        process = subprocess.Popen(
            effect.argv,
            env={**environment, EVENT_FILE: str(event)},
            cwd=effect.cwd,
            stdin=lent.enter_context(given.open("rb")),
            stdout=stdout_writer,
            stderr=stderr_writer,
            start_new_session=True,
        )
        lent.close()
        pidfd = _watch(process)
        undo.pop_all()
    return Started(process=process, pidfd=pidfd, stdout=stdout, stderr=stderr, workspace=workspace)


def _write_private(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:  # noqa: PTH123 - the mode must hold from the first moment
        file.write(data)


def _clear(workspace: Path, *files: Path) -> None:
    """Remove the private directory of a program that did not start. It takes no descriptor: there may be none."""
    for file in files:
        file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        workspace.rmdir()


def _watch(process: subprocess.Popen[bytes]) -> int:
    """Return a descriptor that tells of the end of a program; wait while all descriptors are taken."""
    for _ in range(_TRIES):
        try:
            return os.pidfd_open(process.pid)
        except OSError:
            time.sleep(_PAUSE)  # noqa: TID251 - in a thread
    # It runs already, so this must not look like one that may be started again.
    signal_group(process.pid, signal.SIGKILL)
    process.wait()
    raise OSError(errno.ECHILD, "it was started, and no descriptor was left to watch it with")


def _pipe(undo: contextlib.ExitStack, lent: contextlib.ExitStack) -> tuple[int, int]:
    """Return both ends of a pipe; `undo` closes the reading one, `lent` the writing one, which is the program's."""
    reader, writer = os.pipe()
    undo.callback(os.close, reader)
    lent.callback(os.close, writer)
    return reader, writer


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

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._started.pidfd)
        os.close(self._started.pidfd)
        self._exited.set_result(None)

    async def has_exited(self, within: float) -> bool:
        """Wait at most some seconds for its end, and tell whether it came."""
        return bool((await asyncio.wait({self._exited}, timeout=within))[0])

    async def outputs_end(self, within: float) -> None:
        """Wait at most some seconds until nobody holds its outputs any more."""
        waiting = {reader.ended for reader in (self._out, self._err) if not reader.ended.done()}
        if waiting:
            await asyncio.wait(waiting, timeout=within)

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
        self._out.close()
        self._err.close()

        def wait(_: object) -> None:
            self._started.process.wait()
            then()

        self._exited.add_done_callback(wait)
