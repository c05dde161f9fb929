from __future__ import annotations

import errno
import os
import resource
import signal
import stat
from pathlib import Path

import pytest

from hooksd.engine.process_child import EVENT_FILE, Child, start
from hooksd.model.effect import StartProcess


def effect(*argv: str, stdin: bytes = b"", event: bytes | None = None) -> StartProcess:
    return StartProcess(argv=argv, env={}, stdin=stdin, cwd="/", timeout=5, event=event)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_an_abandoned_program_is_dead_and_leaves_nothing(tmp_path: Path) -> None:
    before = open_files()
    started = start(effect("sleep", "300"), {"PATH": "/bin"}, tmp_path)

    started.abandon()

    assert started.process.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []
    assert open_files() == before


@pytest.mark.parametrize("free", range(12))
def test_a_program_for_which_no_descriptor_is_left_leaves_nothing_or_runs(tmp_path: Path, free: int) -> None:
    before = open_files()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open("/dev/null", os.O_RDONLY)]
    started = number = None
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(taken) + 1 + free, hard))
        started = start(effect("true"), {"PATH": "/bin"}, tmp_path)
    except OSError as error:
        number = error.errno
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(taken[0])
    if started is not None:
        started.abandon()

    assert (started is None) == (number == errno.EMFILE)
    assert open_files() == before
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_cannot_be_started_leaves_nothing(tmp_path: Path) -> None:
    before = open_files()

    with pytest.raises(FileNotFoundError):
        start(effect("/no/such"), {}, tmp_path)

    assert list(tmp_path.iterdir()) == []
    assert open_files() == before


def test_the_event_and_another_standard_input_are_two_private_files(tmp_path: Path) -> None:
    started = start(effect("sleep", "300", stdin=b"in", event=b"event"), {"PATH": "/bin"}, tmp_path)

    files = {path.name: path.read_bytes() for path in started.workspace.iterdir()}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in started.workspace.iterdir()}
    started.abandon()

    assert files == {"event.json": b"event", "stdin": b"in"}
    assert modes == {0o600}


async def test_a_child_has_no_status_until_it_ended(tmp_path: Path) -> None:
    child = Child(start(effect("sleep", "300"), {"PATH": "/bin"}, tmp_path), capture=10)

    assert not await child.has_exited(0.05)
    assert child.status is None

    child.signal(signal.SIGTERM)
    assert await child.has_exited(5)
    assert child.status == -signal.SIGTERM
    child.close(lambda: None)


async def test_no_signal_is_sent_to_the_number_of_a_child_that_was_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = Child(start(effect("true"), {"PATH": "/bin"}, tmp_path), capture=10)
    await child.has_exited(5)
    assert child.status == 0
    sent: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda group, _: sent.append(group))

    child.signal(signal.SIGKILL)
    child.close(lambda: None)

    assert sent == []


async def test_the_outputs_end_with_those_who_hold_them(tmp_path: Path) -> None:
    script = f'echo "${EVENT_FILE}"; echo err >&2'
    child = Child(start(effect("/bin/sh", "-c", script), {"PATH": "/bin"}, tmp_path), capture=1000)

    await child.outputs_end(5)
    await child.outputs_end(5)
    await child.has_exited(5)

    assert child.stdout.text().startswith(str(tmp_path))
    assert child.stderr.text() == "err"
    assert child.status == 0
    child.close(lambda: None)
