from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hooksd.errors import JournalError
from hooksd.journal.disk import FileDisk


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "log"


@pytest.fixture
def synced(directory: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is synced, each as it is called at that moment below the directory; half saved files without their names."""
    said: list[str] = []

    def noting(sync: Callable[[int], None]) -> Callable[[int], None]:
        def note(descriptor: int) -> None:
            sync(descriptor)
            place = Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(directory)
            said.append("half saved" if place.parent.name == "tmp" else str(place))

        return note

    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, noting(getattr(os, name)))
    return said


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_directory_is_made_for_its_owner_only(directory: Path) -> None:
    FileDisk(directory).lock()

    assert mode(directory) == 0o700


def test_segments_may_be_read_by_the_group_and_whole_files_by_the_owner_only(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    umask = os.umask(0o022)
    try:
        disk.open("log", new=True).close()
        disk.save("blobs/ab/cd", b"secret")
    finally:
        os.umask(umask)

    assert mode(directory / "log") == 0o640
    assert mode(directory / "blobs/ab/cd") == 0o600
    assert mode(directory / "blobs") == 0o700


def test_a_second_opener_is_refused_and_told_who_has_it(directory: Path) -> None:
    FileDisk(directory).lock()

    with pytest.raises(JournalError, match=rf"process {os.getpid()} is writing this log; stop it, or give"):
        FileDisk(directory).lock()


def test_another_process_is_refused_too(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    program = (
        "import sys; from pathlib import Path; from hooksd.journal.disk import FileDisk; "
        "FileDisk(Path(sys.argv[1])).lock()"
    )

    refused = subprocess.run([sys.executable, "-c", program, str(directory)], capture_output=True, check=False)
    disk.unlock()
    taken = subprocess.run([sys.executable, "-c", program, str(directory)], capture_output=True, check=False)

    assert refused.returncode != 0
    assert f"process {os.getpid()}".encode() in refused.stderr
    assert taken.returncode == 0


def test_unlocking_twice_is_unlocking_once(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    disk.unlock()
    disk.unlock()

    FileDisk(directory).lock()


def test_what_a_crash_left_half_saved_is_cleared_away(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    (directory / "tmp" / "left").write_bytes(b"half")
    disk.unlock()

    FileDisk(directory).lock()

    assert list((directory / "tmp").iterdir()) == []


def test_a_saved_file_replaces_the_one_before_whole(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    disk.save("checkpoint", b"a long first text")
    disk.save("checkpoint", b"second")

    assert disk.read("checkpoint") == b"second"
    assert list((directory / "tmp").iterdir()) == []


def test_a_file_that_cannot_be_saved_leaves_nothing_behind(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    (directory / "taken").mkdir()

    with pytest.raises(OSError, match="directory"):
        disk.save("taken", b"x")

    assert list((directory / "tmp").iterdir()) == []


def test_a_new_file_must_be_new(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    disk.open("log", new=True).close()

    with pytest.raises(FileExistsError):
        disk.open("log", new=True)


def test_a_file_is_written_at_its_end_and_cut(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    handle = disk.open("log", new=True)
    assert handle.write(memoryview(b"onetwo")) == 6
    handle.truncate(3)
    handle.write(memoryview(b"!"))
    handle.sync()
    handle.close()
    again = disk.open("log", new=False)
    again.write(memoryview(b"?"))
    again.close()

    assert disk.read("log", medium=True) == b"one!?"


def test_names_are_those_of_files_in_order(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    for name in ("b", "a"):
        disk.open(name, new=True).close()

    assert disk.names() == ("a", "b", "lock")


def test_a_size_is_known_of_files_that_exist(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    disk.save("x", b"123")

    assert disk.size("x") == 3
    assert disk.size("y") is None


def test_a_removed_file_is_gone(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    disk.save("x", b"123")

    disk.remove("x")

    assert disk.size("x") is None


def test_the_free_room_is_that_of_the_file_system(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()

    assert 0 < disk.free() < 1 << 60


def test_what_a_file_begins_with_can_be_read_alone(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    disk.save("x", b"12345")

    assert disk.head("x", 3) == b"123"
    assert disk.head("x", 30) == b"12345"


def test_files_below_a_folder_are_named_from_the_directory_on(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    assert list(disk.tree("blobs")) == []

    disk.save("blobs/ab/x", b"1")
    disk.save("blobs/cd/y", b"1")

    assert sorted(disk.tree("blobs")) == ["blobs/ab/x", "blobs/cd/y"]
    disk.remove("blobs/ab/x", sync=False)
    assert list(disk.tree("blobs")) == ["blobs/cd/y"]


def test_a_file_that_was_removed_moved_replaced_or_cut_is_not_in_its_place(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()

    def after(change: Callable[[Path], object]) -> bool:
        path = directory / "x"
        path.unlink(missing_ok=True)
        handle = disk.open("x", new=True)
        handle.write(memoryview(b"12345"))
        path.with_name("other").write_bytes(b"12345")
        change(path)
        try:
            return handle.is_in_place(5)
        finally:
            handle.close()

    assert after(lambda path: path.chmod(0o400))
    assert not after(lambda path: path.unlink())
    assert not after(lambda path: path.rename(path.with_name("z")))
    assert not after(lambda path: path.with_name("other").replace(path))
    assert not after(lambda path: path.write_bytes(b""))


def test_a_file_that_is_written_piece_by_piece_has_no_name_before_it_is_kept(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    scratch = disk.scratch()
    scratch.write(b"ab")
    scratch.write(b"cd")
    assert list(disk.tree("blobs")) == []

    scratch.keep("blobs/ab/cd")
    scratch.discard()

    assert disk.read("blobs/ab/cd") == b"abcd"
    assert mode(directory / "blobs/ab/cd") == 0o600
    with pytest.raises(OSError, match="kept or thrown away"):
        scratch.keep("blobs/ab/ef")


def test_a_file_that_is_thrown_away_leaves_nothing(directory: Path) -> None:
    disk = FileDisk(directory)
    disk.lock()
    scratch = disk.scratch()
    scratch.write(b"ab")

    scratch.discard()

    assert list((directory / "tmp").iterdir()) == []


def test_what_was_written_is_on_the_medium_when_it_was_synced_and_the_name_of_a_new_file_before(
    directory: Path, synced: list[str]
) -> None:
    disk = FileDisk(directory)
    disk.lock()
    synced.clear()
    handle = disk.open("log", new=True)
    assert synced == ["."]
    handle.write(memoryview(b"abc"))
    handle.sync()
    handle.close()

    assert synced == [".", "log"]


def test_a_saved_file_is_on_the_medium_before_it_has_its_name_and_then_every_directory_above_it(
    directory: Path, synced: list[str]
) -> None:
    disk = FileDisk(directory)
    disk.lock()
    synced.clear()
    disk.save("blobs/ab/cd", b"secret")

    assert synced == ["half saved", "blobs/ab", "blobs", "."]


def test_a_removed_file_stays_removed_after_a_crash_where_that_matters(directory: Path, synced: list[str]) -> None:
    disk = FileDisk(directory)
    disk.lock()
    for name in ("one", "two"):
        disk.save(name, b"x")
    synced.clear()
    disk.remove("one", sync=False)
    assert synced == []
    disk.remove("two")

    assert synced == ["."]


def test_what_a_dead_process_left_in_memory_is_written_out_before_the_medium_is_read(
    directory: Path, synced: list[str]
) -> None:
    disk = FileDisk(directory)
    disk.lock()
    disk.save("log", b"abc")
    synced.clear()

    assert disk.read("log") == b"abc"
    assert synced == []
    assert disk.read("log", medium=True) == b"abc"
    assert synced == ["log"]
