from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import pytest

from hooksd.errors import JournalBroken, JournalFull
from hooksd.journal.segment import Segment, segment_name, segment_number
from tests.journal.bad_disk import BadDisk


@pytest.fixture
def segment(disk: BadDisk) -> Segment:
    return Segment(disk, 1, sync=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log" / "log-0000000001.jsonl"


def test_names_sort_like_numbers() -> None:
    assert sorted([segment_name(10), segment_name(9)]) == [segment_name(9), segment_name(10)]


@pytest.mark.parametrize("number", [1, 42, 10**9, 10**10])
def test_a_number_is_found_in_its_name(number: int) -> None:
    assert segment_number(segment_name(number)) == number


@pytest.mark.parametrize("name", ["lock", "log-1.jsonl", "log-0000000001.jsonl.torn", "log-000000000x.jsonl", ""])
def test_other_files_are_no_segments(name: str) -> None:
    assert segment_number(name) is None


def test_what_is_appended_is_written_and_synced_before_it_returns(segment: Segment, disk: BadDisk, path: Path) -> None:
    segment.append(b"one\n")

    assert path.read_bytes() == b"one\n"
    assert disk.calls[-2:] == ["write", "sync"]
    assert segment.size == 4


def test_the_digest_is_that_of_the_file(segment: Segment, path: Path) -> None:
    segment.append(b"one\n")
    segment.append(b"two\n")

    assert segment.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_disk_that_writes_in_pieces_gets_all_of_them(segment: Segment, disk: BadDisk, path: Path) -> None:
    disk.piece = 3

    segment.append(b"0123456789")

    assert path.read_bytes() == b"0123456789"


def test_a_full_disk_leaves_the_file_as_it_was_and_takes_more_when_there_is_room(
    segment: Segment, disk: BadDisk, path: Path
) -> None:
    segment.append(b"one\n")
    disk.room = 2

    with pytest.raises(JournalFull, match="No space left"):
        segment.append(b"two\n")
    assert path.read_bytes() == b"one\n"
    disk.room = None
    segment.append(b"three\n")

    assert path.read_bytes() == b"one\nthree\n"
    assert segment.sha256 == hashlib.sha256(b"one\nthree\n").hexdigest()


def test_what_was_cut_back_is_synced_so_that_no_crash_brings_it_back(segment: Segment, disk: BadDisk) -> None:
    disk.room = 2

    with pytest.raises(JournalFull):
        segment.append(b"two\n")

    assert disk.calls[-2:] == ["truncate", "sync"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_what_room_can_cure_is_no_end_of_the_log(segment: Segment, disk: BadDisk, code: int) -> None:
    disk.fail("write", code)

    with pytest.raises(JournalFull):
        segment.append(b"one\n")


def test_a_failed_write_is_the_end(segment: Segment, disk: BadDisk) -> None:
    disk.fail("write", errno.EIO)

    with pytest.raises(JournalBroken, match="cannot be written"):
        segment.append(b"one\n")


def test_a_write_that_takes_nothing_is_the_end_and_no_endless_loop(segment: Segment, disk: BadDisk) -> None:
    disk.piece = 0

    with pytest.raises(JournalBroken, match="nothing was written"):
        segment.append(b"one\n")


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_failed_sync_is_the_end_and_is_not_tried_again(segment: Segment, disk: BadDisk, code: int) -> None:
    disk.fail("sync", code)

    with pytest.raises(JournalBroken, match="cannot be synced"):
        segment.append(b"one\n")
    assert disk.calls.count("sync") == 1


@pytest.mark.parametrize("operation", ["truncate", "sync"])
def test_a_file_that_cannot_be_cut_back_is_the_end(segment: Segment, disk: BadDisk, operation: str) -> None:
    disk.room = 0
    disk.fail(operation)

    with pytest.raises(JournalBroken, match="cannot be cut back to 0 bytes"):
        segment.append(b"one\n")


def test_without_sync_the_page_cache_is_enough(disk: BadDisk, path: Path) -> None:
    segment = Segment(disk, 1, sync=False)

    segment.append(b"one\n")

    assert path.read_bytes() == b"one\n"
    assert "sync" not in disk.calls


def test_a_segment_is_never_opened_a_second_time(segment: Segment, disk: BadDisk) -> None:
    with pytest.raises(JournalBroken, match="cannot be created"):
        Segment(disk, 1, sync=True)


def test_no_room_for_a_new_segment_can_pass(disk: BadDisk) -> None:
    disk.fail("open", errno.ENOSPC)

    with pytest.raises(JournalFull, match="no room for log-0000000001"):
        Segment(disk, 1, sync=True)
