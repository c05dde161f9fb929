from __future__ import annotations

import errno
import os
import resource
import signal
from pathlib import Path

import pytest

from hooksd.engine.process_child import EVENT_FILE, Child, Started, start
from hooksd.engine.process_files import Papers
from hooksd.model.effect import StartProcess


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def started(directory: Path, *argv: str) -> Started:
    papers = Papers(event=str(directory / "event"), stdin=str(directory / "stdin"), are_short=True)
    Path(papers.event).write_bytes(b"event")
    Path(papers.stdin).write_bytes(b"in")
    effect = StartProcess(argv=argv, env={}, stdin=b"", cwd="/", timeout=5)
    return start(effect, {"PATH": "/bin"}, papers)


def end(program: Started) -> None:
    program.process.kill()
    program.process.wait()
    for descriptor in (program.pidfd, program.stdout, program.stderr):
        os.close(descriptor)


@pytest.mark.parametrize("free", range(12))
def test_a_program_for_which_no_descriptor_is_left_leaves_nothing_or_runs(tmp_path: Path, free: int) -> None:
    before = open_files()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open("/dev/null", os.O_RDONLY)]
    program = number = None
    papers = Papers(event="/dev/null", stdin="/dev/null", are_short=True)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(taken) + 1 + free, hard))
        program = start(StartProcess(argv=("true",), env={}, stdin=b"", cwd="/", timeout=5), {"PATH": "/bin"}, papers)
    except OSError as error:
        number = error.errno
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(taken[0])
    if program is not None:
        end(program)

    assert (program is None) == (number == errno.EMFILE)
    assert open_files() == before


def test_a_program_that_cannot_be_watched_is_ended_and_not_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_files()
    seen: list[int] = []

    def refuse(process: int) -> int:
        seen.append(process)
        raise OSError(errno.EMFILE, "none left")

    monkeypatch.setattr(os, "pidfd_open", refuse)

    with pytest.raises(OSError, match="no descriptor was left") as caught:
        started(tmp_path, "sleep", "300")

    assert caught.value.errno not in (errno.EMFILE, errno.ENFILE)
    assert not Path(f"/proc/{seen[0]}").exists()
    assert open_files() == before


def test_a_program_that_cannot_be_started_leaves_nothing(tmp_path: Path) -> None:
    before = open_files()

    with pytest.raises(FileNotFoundError):
        started(tmp_path, "/no/such")

    assert open_files() == before


async def test_a_child_has_no_status_until_it_ended(tmp_path: Path) -> None:
    child = Child(started(tmp_path, "sleep", "300"), capture=10)

    assert not await child.has_exited(0.05)
    assert child.status is None

    child.signal(signal.SIGTERM)
    assert await child.has_exited(5)
    assert child.status == -signal.SIGTERM
    child.close(lambda: None)


async def test_no_signal_is_sent_to_the_number_of_a_child_that_was_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = Child(started(tmp_path, "true"), capture=10)
    await child.has_exited(5)
    assert child.status == 0
    sent: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda group, _: sent.append(group))

    child.signal(signal.SIGKILL)
    child.close(lambda: None)

    assert sent == []


async def test_the_outputs_end_with_those_who_hold_them(tmp_path: Path) -> None:
    script = f'cat; cat "${EVENT_FILE}"; echo err >&2'
    child = Child(started(tmp_path, "/bin/sh", "-c", script), capture=1000)

    await child.outputs_end(5)
    await child.outputs_end(5)
    await child.has_exited(5)

    assert child.stdout.text() == "inevent"
    assert child.stderr.text() == "err"
    assert child.status == 0
    child.close(lambda: None)


async def test_a_program_that_writes_more_than_a_pipe_holds_goes_on_after_a_moment(tmp_path: Path) -> None:
    size = 2**20
    child = Child(started(tmp_path, "head", "-c", str(size), "/dev/zero"), capture=10)

    assert await child.has_exited(30)
    await child.outputs_end(30)

    assert (child.stdout.size, child.status) == (size, 0)
    child.close(lambda: None)


async def test_what_a_program_wrote_is_there_when_its_end_is_told(tmp_path: Path) -> None:
    for number in range(20):
        child = Child(started(tmp_path, "echo", str(number)), capture=10)

        assert await child.has_exited(30)

        assert child.stdout.text() == str(number)
        child.close(lambda: None)
