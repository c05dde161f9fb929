from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hooksd.errors import JournalBroken, JournalFull
from hooksd.journal import blobs
from tests.journal.bad_disk import BadDisk, flip

DIGEST = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def test_bytes_are_kept_in_a_file_of_their_digest(disk: BadDisk, tmp_path: Path) -> None:
    assert blobs.put(disk, b"hello") == DIGEST

    assert (tmp_path / "log/blobs/2c" / DIGEST.removeprefix("sha256:")).read_bytes() == b"hello"
    assert blobs.get(disk, DIGEST) == b"hello"


def test_the_same_bytes_are_one_file(disk: BadDisk, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        digests = set(threads.map(lambda _: blobs.put(disk, b"hello"), range(8)))

    assert digests == {DIGEST}
    assert len(list((tmp_path / "log/blobs/2c").iterdir())) == 1


@pytest.mark.parametrize("digest", ["", "sha256:../../etc/passwd", "sha256:ABC", "md5:0", DIGEST + "\n"])
def test_only_a_digest_becomes_a_path(disk: BadDisk, digest: str) -> None:
    with pytest.raises(KeyError):
        blobs.get(disk, digest)


def test_bytes_that_are_not_there_are_a_key_error(disk: BadDisk) -> None:
    with pytest.raises(KeyError, match="no blob"):
        blobs.get(disk, DIGEST)


def test_damaged_bytes_are_not_handed_out(disk: BadDisk, tmp_path: Path) -> None:
    blobs.put(disk, b"hello")
    flip(tmp_path / "log" / blobs.path_of(DIGEST), 0)

    with pytest.raises(KeyError, match="damaged"):
        blobs.get(disk, DIGEST)


def test_damaged_bytes_are_mended_when_they_come_again(disk: BadDisk, tmp_path: Path) -> None:
    blobs.put(disk, b"hello")
    flip(tmp_path / "log" / blobs.path_of(DIGEST), 0)
    blobs.put(disk, b"hello")

    assert blobs.get(disk, DIGEST) == b"hello"


def test_a_full_disk_can_pass_and_another_error_cannot(disk: BadDisk) -> None:
    disk.fail("save", errno.ENOSPC)
    disk.fail("save", errno.EIO)

    with pytest.raises(JournalFull, match="no room for a body of 5 bytes"):
        blobs.put(disk, b"hello")
    with pytest.raises(JournalBroken, match="cannot be written"):
        blobs.put(disk, b"hello")


def test_whether_there_is_room_is_found_out_by_trying_and_leaves_nothing(disk: BadDisk, tmp_path: Path) -> None:
    assert blobs.is_room(disk)
    disk.fail("write", errno.ENOSPC)
    assert not blobs.is_room(disk)
    disk.fail("scratch", errno.EDQUOT)
    assert not blobs.is_room(disk)

    assert list((tmp_path / "log" / "tmp").iterdir()) == []


def test_another_error_says_nothing_of_the_room(disk: BadDisk) -> None:
    disk.fail("scratch", errno.EIO)

    assert blobs.is_room(disk)
