from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from hooksd.engine.process_files import PREFIX, SHORT, Files
from hooksd.model.effect import StartProcess

MARK = "0123456789abcdef" * 2


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    return made(tmp_path / "disk")


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return made(tmp_path / "memory")


@pytest.fixture
def files(disk: Path, memory: Path) -> Files:
    return Files(disk, memory)


def made(path: Path) -> Path:
    path.mkdir()
    return path


def effect(stdin: bytes, event: bytes | None = None) -> StartProcess:
    return StartProcess(argv=("true",), env={}, stdin=stdin, cwd="/", timeout=5, event=event)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_an_event_is_a_private_file_in_a_private_directory_and_standard_input_too(
    files: Files, memory: Path
) -> None:
    papers = await files.lend(MARK, effect(b"event"))

    event = Path(papers.event)
    assert papers.stdin == papers.event
    assert event.read_bytes() == b"event"
    assert event.suffix == ".json"
    assert (mode(event), mode(event.parent), event.parent.parent) == (0o600, 0o700, memory)


async def test_another_standard_input_is_a_second_file(files: Files) -> None:
    papers = await files.lend(MARK, effect(b"in", event=b"event"))

    assert (Path(papers.event).read_bytes(), Path(papers.stdin).read_bytes()) == (b"event", b"in")

    await files.take_back(papers)
    assert list(Path(papers.event).parent.iterdir()) == []


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        (effect(b"x" * SHORT), "memory"),
        (effect(b"x" * (SHORT + 1)), "disk"),
        (effect(b"x" * SHORT, event=b"x"), "disk"),
    ],
    ids=["short", "long", "long together"],
)
async def test_what_is_long_is_kept_on_disk_and_the_rest_in_memory(
    files: Files, tmp_path: Path, asked: StartProcess, kept: str
) -> None:
    papers = await files.lend(MARK, asked)

    assert Path(papers.event).parent.parent == tmp_path / kept
    assert Path(papers.stdin).read_bytes() == asked.stdin

    await files.take_back(papers)
    assert not Path(papers.event).exists()


async def test_without_memory_everything_is_kept_on_disk(disk: Path, tmp_path: Path) -> None:
    papers = await Files(disk, tmp_path / "none").lend(MARK, effect(b"event"))

    assert Path(papers.event).parent.parent == disk


async def test_without_any_place_it_fails_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        await Files(tmp_path / "none", tmp_path / "nothing").lend(MARK, effect(b"event"))

    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_cannot_be_made_takes_the_others_with_it(files: Files, memory: Path, disk: Path) -> None:
    for directory in (memory, disk):
        await files.lend(MARK, effect(b"in" if directory == memory else b"x" * (SHORT + 1)))
        room = next(directory.iterdir())
        (room / f"{MARK}.json").unlink()
        (room / f"{MARK}.stdin").write_bytes(b"in the way")

    with pytest.raises(FileExistsError):
        await files.lend(MARK, effect(b"in", event=b"event"))

    assert [path.name for path in memory.glob("*/*")] == [f"{MARK}.stdin"]


@pytest.mark.parametrize("size", [1, SHORT + 1])
async def test_a_directory_that_somebody_removed_is_made_again(files: Files, size: int) -> None:
    first = Path((await files.lend(MARK, effect(b"x" * size))).event).parent
    shutil.rmtree(first)

    again = Path((await files.lend(MARK, effect(b"x" * size))).event)

    assert again.read_bytes() == b"x" * size


async def test_closing_removes_the_directories(files: Files, memory: Path, disk: Path) -> None:
    await files.lend(MARK, effect(b"short"))
    await files.lend("1" * 32, effect(b"x" * (SHORT + 1)))

    files.close()
    files.close()

    assert [*memory.iterdir(), *disk.iterdir()] == []


async def test_what_a_killed_daemon_left_is_removed_and_what_another_uses_is_not(memory: Path, disk: Path) -> None:
    other = Files(disk, memory)
    used = Path((await other.lend(MARK, effect(b"event"))).event)
    left = made(memory / f"{PREFIX}left")
    (left / f"{MARK}.json").write_bytes(b"event")

    await Files(disk, memory).lend(MARK, effect(b"event"))

    assert used.exists()
    assert not left.exists()


async def test_a_directory_of_somebody_else_is_left_alone(
    memory: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = made(memory / f"{PREFIX}mine")
    (mine / "notes.txt").write_text("not ours")
    foreign = made(memory / f"{PREFIX}foreign")
    (memory / f"{PREFIX}link").symlink_to(mine)
    me = os.geteuid()

    await Files(disk, memory).lend(MARK, effect(b"event"))

    assert (mine / "notes.txt").exists()
    assert not foreign.exists()

    foreign.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    await Files(disk, memory).lend(MARK, effect(b"event"))

    assert foreign.exists()
