from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import orjson
import pytest

from hooksd.clock import rfc3339
from hooksd.errors import JournalBroken, JournalFull
from hooksd.journal import checkpoint, codec
from hooksd.journal.checkpoint import OpenWork
from hooksd.journal.lines import begun
from hooksd.journal.recovery import mend
from hooksd.journal.scan import START, Found, walk
from hooksd.journal.segment import segment_name
from hooksd.journal.tail import FLOOR, Tail
from hooksd.model.record import LogDamaged, Record
from hooksd.testing import FakeClock
from tests.journal import samples
from tests.journal.bad_disk import BadDisk


def commit(tail: Tail, *records: Record) -> None:
    tail.commit(records, begun(map(codec.dump, records))[0])


class Open:
    def __init__(self, disk: BadDisk, directory: Path, segment_size: int = 1 << 20) -> None:
        self.clock = FakeClock()
        self.directory = directory
        self.tail = Tail(disk, mend(disk, samples.AT), clock=self.clock, segment_size=segment_size, sync=True)

    def lines(self, number: int) -> list[Found]:
        items = walk((self.directory / segment_name(number)).read_bytes(), None)
        return [item for item in items if isinstance(item, Found)]

    def trees(self, number: int) -> list[dict[str, object]]:
        return [orjson.loads(found.line.text) for found in self.lines(number)]


@pytest.fixture
def log(disk: BadDisk, tmp_path: Path) -> Open:
    return Open(disk, tmp_path / "log")


def test_a_segment_begins_with_its_number_and_its_time(log: Open) -> None:
    assert log.trees(1) == [
        {"at": rfc3339(log.clock.now()), "number": 1, "previous_sha256": None, "format": 1, "type": "segment"}
    ]


def test_each_start_begins_a_new_segment_that_names_the_one_before(disk: BadDisk, log: Open, tmp_path: Path) -> None:
    commit(log.tail, samples.refused(1))
    first = (tmp_path / "log" / segment_name(1)).read_bytes()

    again = Open(disk, tmp_path / "log")

    assert again.trees(2)[0]["previous_sha256"] == hashlib.sha256(first).hexdigest()
    assert again.lines(2)[0].line.prev == log.lines(1)[-1].line.crc
    assert (tmp_path / "log" / segment_name(1)).read_bytes() == first


def test_records_of_a_batch_are_chained_and_carry_its_number(log: Open) -> None:
    commit(log.tail, samples.refused(1))
    commit(log.tail, samples.refused(2), samples.refused(3))

    assert [(found.line.seq, found.line.batch) for found in log.lines(1)] == [(0, 0), (1, 1), (2, 2), (3, 2)]
    assert not [
        item for item in walk((log.directory / segment_name(1)).read_bytes(), START) if item not in log.lines(1)
    ]


def test_a_batch_is_one_write_and_one_sync(log: Open, disk: BadDisk) -> None:
    disk.calls.clear()

    commit(log.tail, *(samples.refused(number) for number in range(100)))

    assert [call for call in disk.calls if call != "free"] == ["write", "sync"]


def test_a_segment_that_is_large_enough_is_followed_by_the_next(disk: BadDisk, tmp_path: Path) -> None:
    log = Open(disk, tmp_path / "log", segment_size=500)
    for number in range(10):
        commit(log.tail, samples.refused(number, 100))

    assert log.tail.segment > 2
    for number in range(1, log.tail.segment):
        data = (tmp_path / "log" / segment_name(number)).read_bytes()
        assert log.trees(number + 1)[0]["previous_sha256"] == hashlib.sha256(data).hexdigest()
    seqs = [found.line.seq for number in range(1, log.tail.segment + 1) for found in log.lines(number)]
    assert seqs == list(range(len(seqs)))


def test_a_batch_that_did_not_fit_leaves_no_trace_in_the_chain(log: Open, disk: BadDisk) -> None:
    disk.room = 10
    with pytest.raises(JournalFull):
        commit(log.tail, samples.refused(1))
    disk.room = None

    commit(log.tail, samples.refused(2))

    assert [tree.get("count") for tree in log.trees(1)] == [None, 2]
    assert [found.line.seq for found in log.lines(1)] == [0, 1]


def test_without_room_for_the_next_segment_the_old_one_goes_on(disk: BadDisk, tmp_path: Path) -> None:
    log = Open(disk, tmp_path / "log", segment_size=1)
    disk.fail("open", errno.ENOSPC)

    commit(log.tail, samples.refused(1))
    assert log.tail.segment == 1
    commit(log.tail, samples.refused(2))

    assert log.tail.segment == 2
    assert [tree.get("count") for tree in log.trees(1)] == [None, 1]


def test_a_segment_that_has_no_room_for_its_first_record_is_taken_away_again(disk: BadDisk, tmp_path: Path) -> None:
    log = Open(disk, tmp_path / "log", segment_size=1)
    disk.fail("write", errno.ENOSPC)

    commit(log.tail, samples.refused(1))

    assert log.tail.segment == 1
    assert not (tmp_path / "log" / segment_name(2)).exists()
    assert [found.line.seq for found in log.lines(1)] == [0, 1]


def test_a_segment_that_cannot_be_taken_away_is_the_end(disk: BadDisk, tmp_path: Path) -> None:
    log = Open(disk, tmp_path / "log", segment_size=1)
    disk.fail("write", errno.ENOSPC)
    disk.fail("remove")

    with pytest.raises(JournalBroken, match="cannot be removed"):
        commit(log.tail, samples.refused(1))


async def test_below_the_floor_nothing_is_written(log: Open, disk: BadDisk) -> None:
    disk.free_bytes = FLOOR - 1
    await log.clock.advance(2)

    with pytest.raises(JournalFull, match="less than 16 MiB are free"):
        commit(log.tail, samples.refused(1))
    assert not log.tail.has_room()
    assert len(log.lines(1)) == 1


async def test_the_free_room_is_looked_at_once_a_second_at_most(log: Open, disk: BadDisk) -> None:
    for number in range(5):
        commit(log.tail, samples.refused(number))
    assert disk.calls.count("free") == 1

    await log.clock.advance(1.5)
    commit(log.tail, samples.refused(9))
    assert disk.calls.count("free") == 2


def test_a_file_system_that_does_not_tell_its_room_is_written_to(log: Open, disk: BadDisk) -> None:
    disk.fail("free")

    commit(log.tail, samples.refused(1))

    assert len(log.lines(1)) == 2


def test_a_new_segment_moves_the_checkpoint_to_the_oldest_unfinished_work(disk: BadDisk, tmp_path: Path) -> None:
    log = Open(disk, tmp_path / "log", segment_size=1)
    log.tail.work = OpenWork()

    commit(log.tail, samples.accepted("evt_1", ("run_1",)))
    commit(log.tail, samples.accepted("evt_2", ("run_2",)))
    commit(log.tail, samples.run_ended("run_1"))
    assert checkpoint.read(disk) == 2

    commit(log.tail, samples.refused(1))
    assert checkpoint.read(disk) == 3


def test_before_recovery_has_read_the_log_there_is_no_checkpoint(disk: BadDisk, tmp_path: Path) -> None:
    log = Open(disk, tmp_path / "log", segment_size=1)

    commit(log.tail, samples.refused(1))
    log.tail.save_checkpoint()

    assert disk.size(checkpoint.CHECKPOINT) is None


def test_large_bodies_beside_a_segment_count_towards_its_size(log: Open) -> None:
    commit(log.tail, samples.refused(1))
    log.tail.beside = 1 << 20
    commit(log.tail, samples.refused(2))

    assert (log.tail.segment, log.tail.beside) == (2, 0)


async def test_a_segment_that_is_old_enough_is_followed_by_the_next(disk: BadDisk, tmp_path: Path) -> None:
    clock = FakeClock()
    tail = Tail(disk, mend(disk, samples.AT), clock=clock, segment_size=1 << 20, sync=True, segment_age=60.0)
    await clock.advance(59)
    commit(tail, samples.refused(1))
    before = tail.segment
    await clock.advance(1)
    commit(tail, samples.refused(2))

    assert (before, tail.segment) == (1, 2)


def test_who_waits_for_new_segments_is_told_of_each(log: Open) -> None:
    told: list[int] = []
    log.tail.on_segment = lambda: told.append(log.tail.segment)
    log.tail.beside = 1 << 20
    commit(log.tail, samples.refused(1))

    assert told == [2]


def test_what_is_needed_is_known_once_recovery_has_read_the_log(log: Open) -> None:
    before = log.tail.needed
    log.tail.work = OpenWork()
    log.tail.save_checkpoint()

    assert (before, log.tail.needed) == (None, 1)


def test_a_segment_that_somebody_took_away_is_followed_by_one_that_says_so(log: Open) -> None:
    told: list[LogDamaged] = []
    log.tail.on_missing = told.append
    commit(log.tail, samples.refused(1))
    (log.directory / segment_name(1)).unlink()

    commit(log.tail, samples.refused(2))

    assert [tree["type"] for tree in log.trees(2)] == ["segment", "request.refused"]
    assert [(damage.segment, damage.offset, damage.size) for damage in told] == [(segment_name(2), 0, 0)]


def test_a_segment_that_cannot_be_looked_at_is_the_end(log: Open, tmp_path: Path) -> None:
    log.directory.rename(tmp_path / "elsewhere")
    log.directory.write_bytes(b"no directory")

    with pytest.raises(JournalBroken, match="cannot be looked at"):
        commit(log.tail, samples.refused(1))


def test_it_is_full_from_a_refusal_until_a_batch_is_taken(log: Open, disk: BadDisk) -> None:
    told: list[bool] = []
    log.tail.on_room = lambda: told.append(log.tail.is_full)
    disk.room = 10
    with pytest.raises(JournalFull):
        commit(log.tail, samples.refused(1))
    was_full = log.tail.is_full
    disk.room = None

    commit(log.tail, samples.refused(1))

    assert (was_full, told) == (True, [False])
