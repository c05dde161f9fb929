from __future__ import annotations

import pytest

from hooksd.journal import blobs, naming
from tests.durability.hand_clock import HandClock
from tests.durability.simulated_disk import SimulatedDisk

SEGMENT = "log-0000000001.jsonl"


def digest(number: int) -> str:
    return blobs.digest_of(b"%d" % number)


def written(*lines: bytes, stored: int = 10) -> SimulatedDisk:
    disk = SimulatedDisk()
    for number in range(stored):
        blobs.put(disk, b"%d" % number)
    disk.save(SEGMENT, b"\n".join(lines))
    return disk


@pytest.mark.parametrize("gap", range(naming._SLICE - 120, naming._SLICE + 10, 13))
def test_a_digest_is_found_wherever_it_stands(gap: int) -> None:
    disk = written(b"x" * gap, b'{"definition":"%b"}' % digest(3).encode(), b'"body":"%b"' % digest(4).encode())

    named = naming.of(disk, 1)

    assert named.blobs == {digest(3): 1, digest(4): 1}
    assert named.definitions == {digest(3)}


def test_a_digest_of_nothing_that_is_stored_is_no_body() -> None:
    assert naming.of(written(digest(77).encode()), 1).blobs == {}


def test_what_a_closed_segment_names_is_noted_and_not_looked_for_again() -> None:
    disk = written(digest(3).encode())
    first = naming.of_closed(disk, 1)
    disk.file(SEGMENT).live = b""

    assert naming.of_closed(disk, 1) == first


@pytest.mark.parametrize("note", [b"", b"damaged", b'{"blobs":{},"definitions":[]}'])
def test_a_note_that_is_damaged_is_made_again(note: bytes) -> None:
    disk = written(digest(3).encode())
    disk.save(SEGMENT + naming.NAMES, note)

    assert naming.of_closed(disk, 1).blobs == {digest(3): 1}


def test_a_note_that_cannot_be_kept_is_made_each_time() -> None:
    disk = written(digest(3).encode())
    disk.fail("save", 28)

    assert naming.of_closed(disk, 1).blobs == {digest(3): 1}
    assert disk.size(SEGMENT + naming.NAMES) is None


def test_what_is_fresh_is_forgotten_after_a_while() -> None:
    clock = HandClock()
    fresh = naming.Fresh(clock)
    fresh.mark("old")
    clock.move(naming.FRESH - 1)
    fresh.mark("new")
    fresh.forget()
    assert "old" in fresh

    clock.move(2)
    fresh.forget()

    assert "old" not in fresh
    assert "new" in fresh


def test_what_had_to_wait_is_as_fresh_as_if_it_were_just_stored() -> None:
    clock = HandClock()
    fresh = naming.Fresh(clock)
    fresh.mark("waiting")
    clock.move(naming.FRESH - 1)
    fresh.renew()
    clock.move(naming.FRESH - 1)

    fresh.forget()

    assert "waiting" in fresh
