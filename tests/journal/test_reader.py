from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.clock import rfc3339
from hooksd.journal import codec, index, lines
from hooksd.journal.reader import Entry, LogReader
from hooksd.journal.scan import START, Link
from hooksd.journal.segment import segment_name
from hooksd.model.base import Json
from hooksd.model.holding import LogCarried
from hooksd.model.record import Record, RequestRefused, SegmentStarted
from tests.journal import samples


class Log:
    """Writes a log as a daemon would, one segment a call."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.number = 0
        self.link = START
        directory.mkdir(exist_ok=True)

    def segment(self, *records: Record, at: str = samples.AT) -> None:
        self.number += 1
        self.add(SegmentStarted(at=at, number=self.number, previous_sha256=None), *records)

    def add(self, *records: Record) -> None:
        for record in records:
            line, crc = codec.encode(record, self.link.seq, self.link.seq, self.link.prev)
            self.link = Link(self.link.seq + 1, crc)
            self.write(line)

    def write(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)

    @property
    def path(self) -> Path:
        return self.directory / segment_name(self.number)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log")


@pytest.fixture
def reader(log: Log) -> LogReader:
    return LogReader(log.directory)


def counts(entries: Sequence[Entry]) -> list[int]:
    return [entry.tree["count"] for entry in entries]


def some(*numbers: int, size: int = 0) -> list[RequestRefused]:
    return [samples.refused(number, size) for number in numbers]


def test_a_directory_that_is_not_there_is_an_empty_log(tmp_path: Path) -> None:
    reader = LogReader(tmp_path / "nowhere")

    assert list(reader.forward()) == []
    assert list(reader.backward()) == []
    assert reader.find(samples.identifier("evt", 1)) == []
    assert list(reader.follow(lambda: False)) == []


def test_what_a_segment_begins_with_is_not_shown(log: Log, reader: LogReader) -> None:
    log.segment(LogCarried(at=samples.AT, pinged={"shop": "ab"}), *some(1))

    assert counts(list(reader.forward())) == counts(list(reader.backward())) == [1]


def test_records_come_oldest_first_over_all_segments(log: Log, reader: LogReader) -> None:
    log.segment(*some(1, 2))
    log.segment(*some(3))

    assert counts(list(reader.forward())) == [1, 2, 3]


def test_records_come_newest_first_too(log: Log, reader: LogReader) -> None:
    log.segment(*some(1, 2))
    log.segment()
    log.segment(*some(3))

    assert counts(list(reader.backward())) == [3, 2, 1]


def test_an_entry_says_where_its_line_stands_and_has_no_seal(log: Log, reader: LogReader) -> None:
    log.segment(*some(1, 2))

    for entry in (*reader.forward(), *reader.backward()):
        line = log.path.read_bytes()[entry.offset :].splitlines()[0]
        assert entry.segment == log.path.name
        assert "_" not in entry.tree
        assert codec.unseal(line) is not None
        assert codec.record_of(entry.tree) == samples.refused(entry.tree["count"])


@given(sizes=st.lists(st.integers(0, 150_000), max_size=6))
def test_backward_is_forward_reversed_whatever_the_length_of_lines(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    log = Log(tmp_path_factory.mktemp("log"))
    log.segment(*(samples.refused(number, size) for number, size in enumerate(sizes)))
    reader = LogReader(log.directory)

    assert list(reader.backward()) == list(reader.forward())[::-1]


def test_the_newest_records_are_found_without_reading_the_rest(log: Log, reader: LogReader) -> None:
    log.segment(*some(1))
    log.path.chmod(0o000)
    log.path.rename(log.path.with_suffix(".gone"))
    log.segment(*some(2, 3))

    newest = reader.backward()

    assert [next(newest).tree["count"], next(newest).tree["count"]] == [3, 2]


def test_a_segment_that_is_moved_away_meanwhile_is_stepped_over(log: Log, reader: LogReader) -> None:
    for number in (1, 2, 3):
        log.segment(*some(number))
    forward, backward = reader.forward(), reader.backward()
    assert [next(forward).tree["count"], next(backward).tree["count"]] == [1, 3]
    (log.directory / segment_name(2)).unlink()

    assert counts(list(forward)) == [3]
    assert counts(list(backward)) == [1]


def test_a_segment_that_goes_away_at_any_moment_is_stepped_over(log: Log, reader: LogReader) -> None:
    for number in (1, 2, 3):
        log.segment(*some(number))
    comes_and_goes, elsewhere = log.directory / segment_name(2), log.directory / "elsewhere"
    is_over = threading.Event()

    def hand() -> None:
        while not is_over.is_set():
            comes_and_goes.rename(elsewhere)
            elsewhere.rename(comes_and_goes)

    thread = threading.Thread(target=hand)
    thread.start()
    try:
        for _ in range(1000):
            assert counts(list(reader.forward())) in ([1, 2, 3], [1, 3])
            assert counts(list(reader.backward())) in ([3, 2, 1], [3, 1])
            assert list(reader.follow(lambda: False)) == []
    finally:
        is_over.set()
        thread.join()


def test_a_line_that_is_being_written_is_not_a_record_yet(log: Log, reader: LogReader) -> None:
    log.segment(*some(1))
    log.write(b'{"type":"request.refused","at":"20')

    assert counts(list(reader.forward())) == [1]
    assert counts(list(reader.backward())) == [1]


def test_damage_is_stepped_over(log: Log, reader: LogReader) -> None:
    log.segment(*some(1))
    log.write(b"noise\n\n\x00\n")
    log.add(*some(2))

    assert counts(list(reader.forward())) == [1, 2]
    assert counts(list(reader.backward())) == [2, 1]


def test_records_of_a_newer_version_are_shown(log: Log, reader: LogReader) -> None:
    log.segment()
    line, crc = codec.seal(b'{"type":"run.paused","at":"x"}', log.link.seq, log.link.seq, log.link.prev)
    log.link = Link(log.link.seq + 1, crc)
    log.write(line)

    assert [entry.tree for entry in reader.forward()] == [{"type": "run.paused", "at": "x"}]


class Waiting:
    """What happens while somebody follows: one thing each time that there is nothing new."""

    def __init__(self, *happenings: object) -> None:
        self._happenings = list(happenings)

    def __call__(self) -> bool:
        if not self._happenings:
            return False
        happening = self._happenings.pop(0)
        assert callable(happening)
        happening()
        return True


def test_following_yields_what_is_written_later_and_not_what_is_there(log: Log, reader: LogReader) -> None:
    log.segment(*some(1))

    followed = list(reader.follow(Waiting(lambda: log.add(*some(2)), lambda: log.add(*some(3, 4)))))

    assert counts(followed) == [2, 3, 4]


def test_following_can_begin_with_the_last_records(log: Log, reader: LogReader) -> None:
    log.segment(*some(1, 2))
    log.segment(*some(3))

    assert counts(list(reader.follow(Waiting(lambda: log.add(*some(4))), last=2))) == [2, 3, 4]


def test_nothing_is_missed_between_asking_and_looking(log: Log, reader: LogReader) -> None:
    log.segment(*some(1))
    followed = reader.follow(Waiting())
    log.add(*some(2))

    assert counts(list(followed)) == [2]


def test_following_goes_on_into_new_segments(log: Log, reader: LogReader) -> None:
    log.segment(*some(1))

    def restart() -> None:
        log.add(*some(2))
        log.segment(*some(3))
        log.segment(*some(4))

    assert counts(list(reader.follow(Waiting(restart)))) == [2, 3, 4]


def test_following_waits_for_a_log_that_is_not_there_yet(tmp_path: Path) -> None:
    log = tmp_path / "log"

    followed = list(LogReader(log).follow(Waiting(lambda: Log(log).segment(*some(1)))))

    assert counts(followed) == [1]


def test_following_waits_for_the_end_of_a_line(log: Log, reader: LogReader) -> None:
    log.segment(*some(1))
    line, _ = codec.encode(samples.refused(2), log.link.seq, log.link.seq, log.link.prev)

    followed = list(reader.follow(Waiting(lambda: log.write(line[:30]), lambda: log.write(line[30:]))))

    assert counts(followed) == [2]


def test_an_event_is_found_with_its_runs(log: Log, reader: LogReader) -> None:
    event, run, other = (samples.identifier(kind, 1) for kind in ("evt", "run", "xxx"))
    log.segment(*some(1), samples.accepted(event, (run,)), samples.run_started(other))
    log.segment(samples.run_started(run), samples.run_ended(run))

    found = reader.find(event)

    assert [entry.tree["type"] for entry in found] == ["event.accepted", "run.started", "run.ended"]
    assert [entry.segment for entry in found] == [segment_name(1), segment_name(2), segment_name(2)]


def test_finding_begins_with_the_segment_of_its_time(log: Log, reader: LogReader) -> None:
    later = samples.UNIX + 3600
    event = samples.identifier("evt", 1, later)
    log.segment(samples.accepted(event, (), at=rfc3339(later)))
    log.segment(at=rfc3339(samples.UNIX + 1800))
    log.segment(samples.accepted(event, (), at=rfc3339(later)), at=rfc3339(later + 10))

    assert [entry.segment for entry in reader.find(event)] == [segment_name(3)]


def test_what_stands_long_after_its_end_is_not_looked_for(log: Log, reader: LogReader) -> None:
    event = samples.identifier("evt", 1)
    stray = samples.accepted(event, (), at=rfc3339(samples.UNIX + 500))
    log.segment(samples.accepted(event, ()), stray)

    assert len(reader.find(event)) == 1


def test_what_an_id_says_of_its_time_is_not_trusted_where_it_proves_wrong(log: Log, reader: LogReader) -> None:
    event = samples.identifier("evt", 1, samples.UNIX + 7200)
    log.segment(samples.accepted(event, ()))
    log.segment(at=rfc3339(samples.UNIX + 3600))

    assert [entry.segment for entry in reader.find(event)] == [segment_name(1)]


def test_records_with_a_time_that_nobody_can_read_do_not_hinder_finding(log: Log, reader: LogReader) -> None:
    event = samples.identifier("evt", 1)
    log.segment(samples.accepted(event, ()))
    for text in (b'{"type":"run.paused","at":"x"}', b'{"type":"run.paused","at":null}', b'{"type":"run.paused"}'):
        line, crc = codec.seal(text, log.link.seq, log.link.seq, log.link.prev)
        log.link = Link(log.link.seq + 1, crc)
        log.write(line)

    assert len(reader.find(event)) == 1


def bytes_read() -> int:
    """Return how much this process has read from files so far."""
    return int(Path("/proc/self/io").read_text().split()[1])


def test_an_event_in_a_large_log_is_found_by_reading_little_of_it(log: Log, reader: LogReader) -> None:
    event = samples.identifier("evt", 1, samples.UNIX + 450)
    noise = [
        RequestRefused(at=rfc3339(samples.UNIX + time), webhook=None, reason="x" * 20_000, status=401, peer="", count=1)
        for time in range(900)
    ]
    log.segment(*noise[:300])
    log.segment(*noise[300:450], samples.accepted(event, (), at=noise[450].at), *noise[450:600], at=noise[300].at)
    log.segment(*noise[600:], at=noise[600].at)
    before = bytes_read()

    assert [entry.tree["event"]["id"] for entry in reader.find(event)] == [event]
    assert log.path.stat().st_size > 6_000_000
    assert bytes_read() - before < 1_000_000


def test_only_records_with_a_mark_are_parsed_on_the_way_back(
    log: Log, reader: LogReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.segment(*some(*range(1000)))
    parsed: list[lines.Line] = []
    real = lines.tree_of

    def tree_of(whole: lines.Line) -> dict[str, Json]:
        parsed.append(whole)
        return real(whole)

    monkeypatch.setattr(lines, "tree_of", tree_of)

    assert counts(list(reader.backward([b'"count":7}', b'"count":7,']))) == [7]
    assert len(parsed) == 1


@pytest.mark.parametrize("identifier", ["", "evt_", "deploy", "evt_12"])
def test_what_is_no_identifier_is_refused(reader: LogReader, identifier: str) -> None:
    with pytest.raises(ValueError, match="UUID"):
        reader.find(identifier)


def test_a_body_beside_the_log_is_read(log: Log, reader: LogReader) -> None:
    digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    path = log.directory / "blobs/2c" / digest.removeprefix("sha256:")
    with pytest.raises(KeyError, match="no blob"):
        reader.blob(digest)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"hello")
    assert reader.blob(digest) == b"hello"

    path.write_bytes(b"hallo")
    with pytest.raises(KeyError, match="damaged"):
        reader.blob(digest)


def again(delivery: str, at: float) -> list[Record]:
    created = samples.delivery_created(delivery)
    moment = rfc3339(at)
    return [
        replace(created, at=moment, attempts=2, again=delivery),
        replace(samples.attempt_ended(delivery, 3), at=moment),
        replace(samples.delivery_ended(delivery), at=moment),
    ]


@pytest.mark.parametrize("is_noted", [True, False], ids=["with notes", "without"])
def test_a_delivery_that_began_anew_long_after_its_end_is_found_whole(
    log: Log, reader: LogReader, *, is_noted: bool
) -> None:
    event, run = samples.identifier("evt", 1), samples.identifier("run", 1)
    delivery, other = samples.identifier("dlv", 1), samples.identifier("dlv", 2)
    later = samples.UNIX + 7200
    first: list[Record] = [
        samples.delivery_created(delivery, run),
        samples.delivery_ended(delivery),
        samples.run_ended(run),
    ]
    log.segment(samples.accepted(event, (run,)), *first, samples.refused(1, 2**20))
    log.segment(*again(other, later), samples.refused(2, 2**20), at=rfc3339(later))
    log.segment(*again(delivery, later), samples.refused(3, 2**20), at=rfc3339(later))
    log.segment(*again(delivery, later + 60), at=rfc3339(later + 60))
    if is_noted:
        index.write_notes(log.directory, current=4, is_over=lambda: False, rest=0)

    found = reader.find(delivery)

    assert [(entry.tree["type"], entry.segment) for entry in found if entry.tree.get("delivery") == delivery] == [
        ("delivery.created", segment_name(1)),
        ("delivery.ended", segment_name(1)),
        *((kind, segment_name(3)) for kind in ("delivery.created", "attempt.ended", "delivery.ended")),
        *((kind, segment_name(4)) for kind in ("delivery.created", "attempt.ended", "delivery.ended")),
    ]
    assert {entry.tree.get("delivery") for entry in reader.find(event)} == {None, delivery}


def test_what_created_a_delivery_is_found_without_the_rest(log: Log, reader: LogReader) -> None:
    delivery, other = samples.identifier("dlv", 1), samples.identifier("dlv", 2)
    created = samples.delivery_created(delivery)
    log.segment(created, samples.delivery_ended(delivery))
    log.segment(*again(delivery, samples.UNIX + 7200), at=rfc3339(samples.UNIX + 7200))

    found = reader.created(delivery)

    assert found is not None
    assert codec.record_of(found) == created
    assert reader.created(other) is None
    with pytest.raises(ValueError, match="badly formed"):
        reader.created("dlv_1")
