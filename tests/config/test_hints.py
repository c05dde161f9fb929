from __future__ import annotations

import asyncio
import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hooksd.clock import SystemClock
from hooksd.config import hints as module
from hooksd.config.hints import Blind, Hints
from hooksd.testing import FakeClock

LONG = 30.0


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    return tmp_path.resolve()


@pytest.fixture
def hints(directory: Path) -> Iterator[Hints]:
    with closing(Hints([str(directory), str(directory / "sub")], clock=SystemClock())) as found:
        yield found


def test_what_happens_is_told_by_path_and_once(directory: Path, hints: Hints) -> None:
    assert hints.read() == set()
    (directory / "a.toml").write_text("a = 1")
    (directory / "sub" / "b.toml").write_text("b = 1")
    (directory / "a.toml").rename(directory / "c.toml")
    assert hints.read() == {str(directory / name) for name in ("a.toml", "sub/b.toml", "c.toml")}
    assert hints.read() == set()


@pytest.mark.parametrize("what", ["write", "chmod", "touch", "delete", "link"])
def test_all_that_can_change_a_definition_is_told(directory: Path, what: str) -> None:
    file = directory / "a.toml"
    file.write_text("a = 1")
    with closing(Hints([str(directory)], clock=SystemClock())) as hints:
        match what:
            case "write":
                file.write_text("a = 2")
            case "chmod":
                file.chmod(0o600)
            case "touch":
                file.touch()
            case "delete":
                file.unlink()
            case _:
                (directory / "b.toml").symlink_to(file)
        told = hints.read()
    assert told == {str(directory / "b.toml" if what == "link" else file)}


def test_reading_a_file_is_not_told(directory: Path) -> None:
    (directory / "a.toml").write_text("a = 1")
    with closing(Hints([str(directory)], clock=SystemClock())) as hints:
        (directory / "a.toml").read_text()
        list(directory.iterdir())
        assert hints.read() == set()


def test_what_happens_to_a_directory_itself_is_told_by_its_own_path(directory: Path) -> None:
    with closing(Hints([str(directory / "sub")], clock=SystemClock())) as hints:
        (directory / "sub").rmdir()
        assert hints.read() == {str(directory / "sub")}


def test_a_name_that_is_not_utf_8_comes_as_the_system_spells_it(directory: Path, hints: Hints) -> None:
    path = os.fsdecode(os.fsencode(directory) + b"/caf\xe9.toml")
    Path(path).write_text("")
    assert hints.read() == {path}


def test_a_directory_of_several_paths_does_not_tell_by_which_one_something_happened(directory: Path) -> None:
    (directory / "link").symlink_to("sub")
    with closing(Hints([str(directory / "sub"), str(directory / "link")], clock=SystemClock())) as hints:
        (directory / "sub" / "a.toml").write_text("a = 1")
        assert hints.read() is None


def test_more_than_the_system_keeps_is_told_as_anything(directory: Path, hints: Hints) -> None:
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    one, two = directory / "a.toml", directory / "b.toml"
    one.touch()
    for _ in range(most // 4 + 1):
        one.rename(two)
        two.rename(one)
    assert hints.read() is None


def test_more_than_can_be_read_at_once_is_told_as_anything(
    directory: Path, hints: Hints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST", 1)
    (directory / "a.toml").write_text("")
    assert hints.read() is None


async def test_who_waits_is_woken_by_what_happens(directory: Path, hints: Hints) -> None:
    async with asyncio.timeout(LONG), asyncio.TaskGroup() as group:
        waiting = group.create_task(hints.wait(2 * LONG))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        (directory / "a.toml").write_text("a = 1")
    assert hints.read() == {str(directory / "a.toml")}


async def test_who_waits_for_what_has_happened_already_does_not_wait(directory: Path, hints: Hints) -> None:
    (directory / "a.toml").write_text("a = 1")
    async with asyncio.timeout(LONG):
        await hints.wait(2 * LONG)


async def test_without_an_event_waiting_ends_when_the_time_is_over(directory: Path) -> None:
    clock = FakeClock()
    with closing(Hints([str(directory)], clock=clock)) as hints:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(hints.wait(2.0))
            await clock.advance(1.9)
            assert not waiting.done()
            await clock.advance(0.2)


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_a_directory_that_is_gone_cannot_be_watched_and_leaves_no_descriptor(directory: Path) -> None:
    before = _descriptors()
    with pytest.raises(FileNotFoundError):
        Hints([str(directory), str(directory / "gone")], clock=SystemClock())
    assert _descriptors() == before


def test_a_file_is_not_watched(directory: Path) -> None:
    (directory / "a.toml").write_text("")
    with pytest.raises(NotADirectoryError):
        Hints([str(directory / "a.toml")], clock=SystemClock())


def test_an_exhausted_system_is_named_with_what_to_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.get_errno", lambda: errno.ENOSPC)
    with pytest.raises(OSError, match=r"fs\.inotify\.max_user_watches"):
        module._checked(-1)


@pytest.mark.parametrize(
    ("kind", "tells"), [(0xEF53, True), (0x01021994, True), (0x6969, False), (0x65735546, False), (0x1021997, False)]
)
def test_only_file_systems_that_others_cannot_write_to_are_said_to_tell_of_every_change(
    directory: Path, monkeypatch: pytest.MonkeyPatch, kind: int, *, tells: bool
) -> None:
    monkeypatch.setattr(module, "_file_system", lambda *_: kind)  # ext4, tmpfs; NFS, FUSE, 9p
    with closing(Hints([str(directory)], clock=SystemClock())) as hints:
        assert hints.tells_all is tells


def test_one_directory_on_a_network_is_enough_not_to_be_told_of_everything(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_file_system", lambda _, path: 0x6969 if path.endswith("/sub") else 0xEF53)
    with closing(Hints([str(directory), str(directory / "sub")], clock=SystemClock())) as hints:
        assert not hints.tells_all


def test_the_kind_of_a_file_system_is_what_the_system_says() -> None:
    library = ctypes.CDLL(None)
    assert module._file_system(library, "/proc") == 0x9FA0
    assert module._file_system(library, "/sys") == 0x62656572
    assert module._file_system(library, "/nonexistent") is None


async def test_where_nothing_can_be_watched_waiting_takes_a_while_and_anything_may_have_happened() -> None:
    clock = FakeClock()
    blind = Blind(2.0, clock=clock)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(blind.wait(0.0))
        await clock.advance(1.9)
        assert not waiting.done()
        await clock.advance(0.2)
    assert blind.read() is None
    assert not blind.tells_all
    blind.close()
