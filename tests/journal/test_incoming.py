from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hooksd.errors import JournalBroken, JournalError, JournalFull
from hooksd.journal import blobs
from hooksd.journal.incoming import GATHERED, Incoming
from tests.journal.bad_disk import BadDisk


class Shelf:
    """A directory, and what it was told."""

    def __init__(self, directory: Path) -> None:
        self.disk = BadDisk(directory)
        self.disk.lock()
        self.directory = directory
        self.told: list[str] = []
        self.stored = 0

    def incoming(self) -> Incoming:
        def add(size: int) -> None:
            self.stored += size

        def refused(error: JournalError) -> None:
            self.told.append(str(error))

        return Incoming(self.disk, mark=self.told.append, stored=add, refused=refused)

    @property
    def scratch(self) -> list[Path]:
        return list((self.directory / "tmp").iterdir())


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "log")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.lists(st.binary(max_size=50), max_size=8), st.sampled_from([1, GATHERED]))
async def test_pieces_become_one_blob_under_their_hash(shelf: Shelf, pieces: list[bytes], factor: int) -> None:
    incoming = shelf.incoming()
    data = b"".join(piece * (factor // 40 + 1) for piece in pieces)
    for piece in pieces:
        await incoming.write(piece * (factor // 40 + 1))

    digest = await incoming.keep()

    assert digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert blobs.get(shelf.disk, digest) == data
    assert incoming.size == len(data)
    assert shelf.told[-1] == digest
    assert shelf.scratch == []


async def test_a_large_body_is_on_the_disk_before_it_is_whole(shelf: Shelf) -> None:
    incoming = shelf.incoming()

    await incoming.write(b"x" * GATHERED)

    assert len(shelf.scratch) == 1
    incoming.discard()


async def test_what_is_thrown_away_leaves_nothing(shelf: Shelf) -> None:
    incoming = shelf.incoming()
    await incoming.write(b"x" * GATHERED)

    incoming.discard()
    incoming.discard()

    assert shelf.scratch == []
    assert not (shelf.directory / "blobs").exists()


async def test_throwing_away_a_blob_does_nothing(shelf: Shelf) -> None:
    incoming = shelf.incoming()
    await incoming.write(b"abc")
    digest = await incoming.keep()

    incoming.discard()

    assert blobs.get(shelf.disk, digest) == b"abc"
    assert shelf.stored == 3


@pytest.mark.parametrize(
    ("operation", "act"),
    [
        ("scratch", lambda incoming: incoming.write(b"x" * GATHERED)),
        ("write", lambda incoming: incoming.write(b"x" * GATHERED)),
        ("keep", lambda incoming: incoming.keep()),
    ],
)
async def test_without_room_it_is_refused_and_can_be_thrown_away(
    shelf: Shelf, operation: str, act: Callable[[Incoming], object]
) -> None:
    incoming = shelf.incoming()
    shelf.disk.fail(operation, errno.ENOSPC)

    with pytest.raises(JournalFull, match="no room"):
        await act(incoming)  # type: ignore[misc] # both are coroutines

    assert "no room" in shelf.told[-1]
    incoming.discard()
    assert shelf.scratch == []
    assert shelf.stored == 0


async def test_a_medium_that_fails_breaks_the_log(shelf: Shelf) -> None:
    incoming = shelf.incoming()
    shelf.disk.fail("keep", errno.EIO)

    with pytest.raises(JournalBroken):
        await incoming.keep()

    assert "a body cannot be written" in shelf.told[-1]
    incoming.discard()
