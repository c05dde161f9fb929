from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hooksd.journal import codec
from hooksd.journal.recovery import Mended, Replay, mend
from hooksd.journal.scan import START, Link
from hooksd.journal.segment import segment_name
from hooksd.model.record import LogDamaged, Record
from tests.journal import samples
from tests.journal.bad_disk import BadDisk, flip

NAME = segment_name(1)


class Log:
    """Writes segments as a process left them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.link = START

    def batch(self, number: int, *records: Record) -> int:
        """Add a batch to a segment and return its size before."""
        path = self.directory / segment_name(number)
        before = path.stat().st_size if path.exists() else 0
        seq, prev = self.link
        first = seq
        with path.open("ab") as file:
            for record in records:
                line, prev = codec.encode(record, seq, first, prev)
                file.write(line)
                seq += 1
        self.link = Link(seq, prev)
        return before

    def write(self, number: int, data: bytes) -> None:
        with (self.directory / segment_name(number)).open("ab") as file:
            file.write(data)

    def read(self, number: int) -> bytes:
        return (self.directory / segment_name(number)).read_bytes()


@pytest.fixture
def log(disk: BadDisk, tmp_path: Path) -> Log:
    return Log(tmp_path / "log")


def replay(disk: BadDisk) -> tuple[list[tuple[int, Record]], tuple[LogDamaged, ...]]:
    one = Replay(disk, mend(disk, samples.AT).segments, samples.AT)
    records = list(one.records())
    return records, one.damages


def damaged(offset: int, size: int, number: int = 1) -> LogDamaged:
    return LogDamaged(at=samples.AT, segment=segment_name(number), offset=offset, size=size, kind="damaged")


def test_an_empty_directory_is_an_empty_log(disk: BadDisk) -> None:
    mended = mend(disk, samples.AT)

    assert mended == Mended(segments=(), link=START, sha256=None, torn=None)
    assert mended.next_segment == 1


def test_a_whole_log_goes_on_behind_its_last_record(disk: BadDisk, log: Log) -> None:
    log.batch(1, samples.refused(1))
    log.batch(2, samples.refused(2), samples.refused(3))

    mended = mend(disk, samples.AT)

    assert mended.link == log.link
    assert mended.next_segment == 3
    assert mended.sha256 == hashlib.sha256(log.read(2)).hexdigest()
    assert mended.torn is None


def test_a_torn_end_is_cut_off_and_kept_beside(disk: BadDisk, log: Log) -> None:
    log.batch(1, samples.refused(1))
    whole = log.read(1)
    log.write(1, b'{"type":"request.ref')

    mended = mend(disk, samples.AT)

    assert log.read(1) == whole
    assert (log.directory / (NAME + ".torn")).read_bytes() == b'{"type":"request.ref'
    assert mended.torn == LogDamaged(at=samples.AT, segment=NAME, offset=len(whole), size=20, kind="torn")
    assert mended.sha256 == hashlib.sha256(whole).hexdigest()
    assert mend(disk, samples.AT).torn is None


def test_what_is_cut_off_is_kept_before_it_is_cut(disk: BadDisk, log: Log) -> None:
    log.batch(1, samples.refused(1))
    log.write(1, b"torn")
    before = log.read(1)
    disk.fail("save")

    with pytest.raises(OSError, match="Input/output"):
        mend(disk, samples.AT)

    assert log.read(1) == before


def test_a_crash_while_a_segment_began_leaves_the_chain_where_it_was(disk: BadDisk, log: Log) -> None:
    log.batch(1, samples.refused(1))
    log.write(2, b'{"at":"2026')
    log.write(3, b"")

    mended = mend(disk, samples.AT)

    assert mended.link == log.link
    assert mended.next_segment == 4


def test_a_log_of_noise_alone_begins_again(disk: BadDisk, log: Log) -> None:
    log.write(1, b"\x00" * 50)

    assert mend(disk, samples.AT).link == START
    assert log.read(1) == b""


def test_replay_yields_every_record_with_its_segment(disk: BadDisk, log: Log) -> None:
    log.batch(1, samples.refused(1))
    log.batch(2, samples.refused(2))

    assert replay(disk) == ([(1, samples.refused(1)), (2, samples.refused(2))], ())


def test_damage_is_reported_and_stepped_over_and_stays_where_it_is(disk: BadDisk, log: Log) -> None:
    log.batch(1, samples.refused(1))
    log.write(1, b"noise\n")
    log.batch(1, samples.refused(2))
    before = log.read(1)

    records, damages = replay(disk)

    assert [record for _, record in records] == [samples.refused(1), samples.refused(2)]
    assert damages == (damaged(before.index(b"noise"), 6),)
    assert log.read(1) == before


def test_damage_that_the_log_speaks_of_already_is_not_reported_again(disk: BadDisk, log: Log) -> None:
    log.write(1, b"noise\n")
    log.batch(1, samples.refused(1))
    log.batch(2, damaged(0, 6))

    assert replay(disk)[1] == ()


def test_a_missing_segment_is_reported(disk: BadDisk, log: Log) -> None:
    for number in (1, 2, 3):
        log.batch(number, samples.refused(number))
    (log.directory / segment_name(2)).unlink()

    records, damages = replay(disk)

    assert [number for number, _ in records] == [1, 3]
    assert damages == (damaged(0, 0, number=3),)


def test_a_type_that_a_newer_version_wrote_is_passed_over_without_a_word(disk: BadDisk, log: Log) -> None:
    line, crc = codec.seal(b'{"type":"run.paused"}', 0, 0, 0)
    log.write(1, line)
    log.link = Link(1, crc)
    log.batch(1, samples.refused(1))

    assert replay(disk) == ([(1, samples.refused(1))], ())


def test_a_sealed_line_that_is_no_record_is_damage(disk: BadDisk, log: Log) -> None:
    line, crc = codec.seal(b'{"type":"run.started"}', 0, 0, 0)
    log.write(1, line)
    log.link = Link(1, crc)
    log.batch(1, samples.refused(1))

    assert replay(disk) == ([(1, samples.refused(1))], (damaged(0, len(line)),))


def test_recovery_reads_the_medium_and_not_the_cache(disk: BadDisk, log: Log) -> None:
    log.batch(1, samples.refused(1))
    disk.fail("read")

    with pytest.raises(OSError, match="Input/output"):
        mend(disk, samples.AT)


def test_a_flipped_bit_is_reported_and_turned_back_even_in_the_last_line(disk: BadDisk, log: Log) -> None:
    log.batch(1, samples.refused(1))
    offset = log.batch(1, samples.refused(2))
    flip(log.directory / NAME, offset + 30)
    before = log.read(1)

    records, damages = replay(disk)

    assert [record for _, record in records] == [samples.refused(1), samples.refused(2)]
    assert damages == (damaged(offset, len(before) - offset),)
    assert log.read(1) == before
