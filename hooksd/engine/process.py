"""Programs: started without a shell, in a clean environment, bounded in time and output, ended with all they started.

`daemon.wiring` hands a `ProcessRunner` to the engine as the performer of `StartProcess`. What a program gets and what
becomes of its output is described in `docs/running-programs.md`.
"""

from __future__ import annotations

import asyncio
import errno
import os
import pwd
import signal
import tempfile
from pathlib import Path
from typing import Literal

from hooksd.engine.process_child import Child, Started, start
from hooksd.engine.process_files import MEMORY, Files, Papers
from hooksd.engine.process_orphans import MARK, Family, adopt
from hooksd.engine.turnstile import InTurns
from hooksd.model.effect import Performed, StartProcess
from hooksd.model.units import format_duration

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs without a slash in their name are looked for."""

DRAIN = 0.5
"""Seconds to wait for the end of the output once the program is dead: somebody else may hold it open for ever."""

KILL_WAIT = 5.0
"""Seconds to wait for the end of a program that was killed; one that runs as another user may not be ours to kill."""

LAST_LINE = 300
"""The most characters of standard error in a one-line error."""

AT_ONCE = 4
"""Programs that are started in one turn of the event loop, which each holds up for some tenths of a millisecond. One by
one, a third more of the processor's time goes into changing between what is done for them and all else."""

PAUSE = 0.1
"""Seconds until a program is tried to be started again when there was no descriptor left for it."""

_TAKEN = frozenset({errno.EMFILE, errno.ENFILE})
_NOT_FOUND = frozenset({errno.ENOENT, errno.EACCES, errno.ENOTDIR, errno.ENOEXEC, errno.ELOOP})


def clean_environment(directory: Path) -> dict[str, str]:
    """Return what every program is given: nothing of hooksd's own environment, so that no secret leaks."""
    try:
        home = pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        home = "/"
    return {"PATH": PATH, "LANG": "C.UTF-8", "HOME": home, "TMPDIR": str(directory)}


class ProcessRunner:
    """Runs programs to their end."""

    def __init__(
        self,
        *,
        grace: float = 5.0,
        capture: int = 64 * 1024,
        directory: Path | None = None,
        memory: Path = MEMORY,
    ) -> None:
        """Set the bounds. It also makes this process the parent of orphans among its descendants.

        Args:
            grace: Seconds between SIGTERM and SIGKILL when a program takes too long.
            capture: Bytes that are kept of each of its two outputs. Of standard output the start, which is the result;
                of standard error the end, which tells why. The rest is read, counted and dropped.
            directory: Where temporary files go, long ones of hooksd's own and by default the programs'. Default: the
                system's.
            memory: Where short files of hooksd's own go.
        """
        self._grace = grace
        self._capture = capture
        self._directory = directory or Path(tempfile.gettempdir())
        self._environment = clean_environment(self._directory)
        self._files = Files(self._directory, memory)
        self._family = Family()
        self._starts = InTurns(AT_ONCE)
        adopt()

    async def perform(self, effect: StartProcess) -> Performed:
        """Run a program and say what came of it. Cancelling kills it with all that it started."""
        if not _is_fit(effect) and (refusal := _refusal(effect)):
            return Performed(ok=False, error=refusal)
        mark = os.urandom(16).hex()
        try:
            papers, started = await self._start_when_possible(effect, mark)
        except OSError as error:
            return _not_started(effect, error)
        try:
            return await self._see_through(started, effect.timeout, mark)
        finally:
            await self._files.take_back(papers)

    def close(self) -> None:
        """Remove the directories for files of programs. No program may run any more."""
        self._files.close()
        self._family.close()

    async def _start_when_possible(self, effect: StartProcess, mark: str) -> tuple[Papers, Started]:
        """Start the program; wait for descriptors while all are taken, at most as long as it might run."""
        now = asyncio.get_running_loop().time
        until = now() + effect.timeout
        while True:
            try:
                papers = await self._files.lend(mark, effect)
                try:
                    await self._starts.turn()
                    return papers, start(effect, {**self._environment, **effect.env, MARK: mark}, papers)
                except BaseException:
                    await self._files.take_back(papers)
                    raise
            except OSError as error:
                if error.errno not in _TAKEN or now() >= until:
                    raise
            await asyncio.sleep(PAUSE)

    async def _see_through(self, started: Started, timeout: float, mark: str) -> Performed:  # noqa: ASYNC109 - a rule of the step
        child = Child(started, capture=self._capture)
        self._family.has_started(child.pid)
        try:
            return await self._follow(child, timeout, mark)
        finally:
            is_over = child.status is not None
            child.close(lambda: self._family.is_over(child.pid))
            if not is_over:
                # Its children become ours when it is dead, not before.
                await child.has_exited(KILL_WAIT)
                await self._family.end_marked(mark)

    async def _follow(self, child: Child, timeout: float, mark: str) -> Performed:  # noqa: ASYNC109 - a rule of the step
        in_time = await child.has_exited(timeout)
        if not in_time:
            child.signal(signal.SIGTERM)
            await child.has_exited(self._grace)
        child.signal(signal.SIGKILL)
        if await child.has_exited(KILL_WAIT):
            await self._family.end_marked(mark)
        await child.outputs_end(DRAIN)
        return _performed(child, None if in_time else timeout)


def _refusal(effect: StartProcess) -> str | None:
    """Return what is wrong with a program before anything is started."""
    if not effect.argv or not effect.argv[0]:
        return "there is no program to run: the first argument is empty"
    for place, argument in enumerate(effect.argv):
        if problem := _unfit(argument):
            return f"argument {place} {problem}"
    if problem := _unfit(effect.cwd):
        return f"the working directory {problem}"
    for name, value in effect.env.items():
        if problem := _unfit(value):
            return f"the variable {name} {problem}"
        if not name or "=" in name or _unfit(name):
            return f"{name!r} cannot be the name of a variable"
    return None


def _is_fit(effect: StartProcess) -> bool:
    """Tell whether `_refusal` finds nothing, by all texts at once: only where something is wrong it matters what."""
    argv, env = effect.argv, effect.env
    if not argv or not argv[0] or "" in env or "=" in (names := "".join(env)):
        return False
    return _unfit("".join((*argv, effect.cwd, names, *env.values()))) is None


def _unfit(text: str) -> str | None:
    if "\0" in text:
        return "holds a NUL character, which no program can be given"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half a surrogate pair, which is not text"
    return None


def _not_started(effect: StartProcess, error: OSError) -> Performed:
    program = effect.argv[0]
    if error.filename == effect.cwd and program != effect.cwd:
        return Performed(ok=False, kind="not_found", error=f"cannot run {program} in {effect.cwd}: {error.strerror}")
    kind: Literal["not_found", ""] = "not_found" if error.errno in _NOT_FOUND else ""
    hint = f" (looked in {PATH})" if error.errno == errno.ENOENT and "/" not in program else ""
    return Performed(ok=False, kind=kind, error=f"cannot run {program}: {error.strerror or error}{hint}")


def _performed(child: Child, timeout: float | None) -> Performed:
    """Return what came of a program; `timeout` when it did not end by itself in that time."""
    status = child.status
    number = -status if status is not None and status < 0 else None
    code = status if number is None else None
    detail = {
        "stderr": child.stderr.text(),
        "stdout_bytes": child.stdout.size,
        "stderr_bytes": child.stderr.size,
        "truncated": child.stdout.is_truncated or child.stderr.is_truncated,
        "signal": None if number is None else _signal_name(number),
    }
    output = child.stdout.text()
    if timeout is not None:
        error = f"did not end within {format_duration(timeout)}" + _why(child)
        return Performed(ok=False, code=code, output=output, kind="timeout", error=error, detail=detail)
    if number is not None:
        error = f"killed by {_signal_name(number)}" + _why(child)
        return Performed(ok=False, output=output, kind="signal", error=error, detail=detail)
    if code == 0:
        return Performed(ok=True, code=code, output=output, detail=detail)
    error = f"exit status {code}" + _why(child)
    return Performed(ok=False, code=code, output=output, error=error, detail=detail)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _why(child: Child) -> str:
    """Return the last line of standard error, for the end of a one-line error."""
    lines = child.stderr.text().rstrip().splitlines()
    return f": {lines[-1][:LAST_LINE]}" if lines else ""
