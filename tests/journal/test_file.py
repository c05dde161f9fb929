from __future__ import annotations

import asyncio
import errno
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hooksd.errors import JournalBroken, JournalError, JournalFull
from hooksd.journal import checkpoint
from hooksd.journal.disk import FileDisk
from hooksd.journal.file import FileJournal
from hooksd.journal.replay import unfinished
from hooksd.journal.retention import Keep
from hooksd.journal.segment import segment_name, segment_number
from hooksd.journal.writer import Limits
from hooksd.model.holding import EndpointHeld
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import LogDamaged, Record, RequestRefused
from hooksd.telemetry.observer import Observer
from tests.journal import conformance, samples, writing
from tests.journal.bad_disk import BadDisk, flip

KILLS = int(os.environ.get("HOOKSD_JOURNAL_KILLS", "30"))


class Files:
    """Opens one directory again and again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def open(self) -> FileJournal:
        journal = FileJournal(self._directory)
        journal.open()
        return journal


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "log"


Opened = Callable[..., FileJournal]


@pytest.fixture
async def opened(directory: Path) -> AsyncIterator[Opened]:
    """Opens journals over `directory`, which are closed at the end."""
    journals: list[FileJournal] = []

    def one(
        disk: BadDisk | None = None, **options: int | Limits | Observer | Callable[[JournalBroken], None]
    ) -> FileJournal:
        journal = FileJournal(directory, disk=disk, **options)  # type: ignore[arg-type] # as the caller says
        journal.open()
        journals.append(journal)
        return journal

    yield one
    for journal in journals:
        await journal.close()


async def written(directory: Path, *records: Record, segment_size: int = 1 << 20) -> None:
    """Let one process after another write each record."""
    journal = FileJournal(directory, segment_size=segment_size)
    journal.open()
    list(journal.read())
    for record in records:
        await journal.append([record])
    await journal.close()


async def read(directory: Path) -> list[Record]:
    journal = FileJournal(directory)
    journal.open()
    try:
        return list(journal.read())
    finally:
        await journal.close()


def state(journal: FileJournal) -> str:
    return journal.state


def counts(records: list[Record]) -> list[int]:
    return [record.count for record in records if isinstance(record, RequestRefused)]


def whole(directory: Path) -> None:
    """Forget the checkpoint, so that everything is read."""
    (directory / checkpoint.CHECKPOINT).unlink(missing_ok=True)


@pytest.mark.parametrize("promise", conformance.PROMISES, ids=lambda promise: promise.__name__)
async def test_a_journal_in_files_keeps_what_journals_promise(
    promise: conformance.Promise, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "read", lambda _: 0)
    await promise(Files(directory))


async def test_a_second_process_is_refused_by_name(opened: Opened, directory: Path) -> None:
    opened()

    with pytest.raises(JournalError, match=f"process {os.getpid()} is writing this log"):
        FileJournal(directory).open()


async def test_a_directory_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(JournalError, match=r"file/log: the log cannot be opened"):
        FileJournal(tmp_path / "file" / "log").open()


async def test_a_medium_that_cannot_be_read_is_an_error_and_the_directory_is_free_again(directory: Path) -> None:
    await written(directory, samples.refused(1))
    disk = BadDisk(directory)
    disk.fail("read")

    with pytest.raises(JournalError, match="the log cannot be recovered"):
        FileJournal(directory, disk=disk).open()
    await written(directory, samples.refused(2))


async def test_without_room_for_a_new_segment_it_does_not_open(directory: Path) -> None:
    disk = BadDisk(directory)
    disk.room = 0

    with pytest.raises(JournalError, match="no room"):
        FileJournal(directory, disk=disk).open()


async def test_before_it_is_open_it_does_nothing(directory: Path) -> None:
    journal = FileJournal(directory)

    assert state(journal) == "broken"
    assert journal.behind == 0
    with pytest.raises(JournalBroken, match="not open"):
        await journal.append([samples.refused(1)])
    with pytest.raises(JournalError, match="not open"):
        list(journal.read())
    await journal.close()


async def test_recovery_begins_with_the_oldest_unfinished_work(directory: Path) -> None:
    await written(directory, samples.accepted("evt_1", ("run_1",)), samples.run_ended("run_1"))
    await written(directory, samples.accepted("evt_2", ("run_2",)))
    await written(directory, samples.refused(3))

    records = await read(directory)

    assert samples.accepted("evt_1", ("run_1",)) not in records
    assert samples.accepted("evt_2", ("run_2",)) in records
    assert counts(records) == [3]


async def test_without_a_checkpoint_the_whole_log_is_read(directory: Path) -> None:
    await written(directory, samples.refused(1))
    await written(directory, samples.refused(2))
    whole(directory)

    assert counts(await read(directory)) == [1, 2]


async def test_what_stands_is_known_in_every_life_and_pins_no_segment(directory: Path) -> None:
    plan = DeliveryPlan(id="dlv_1", endpoint="shop", fingerprint="ab")
    pinged = replace(samples.accepted(runs=()), deliveries=(plan,))
    suspended = EndpointHeld(at=samples.AT, endpoint="shop", reason="suspended")
    await written(directory, suspended, pinged, samples.delivery_ended("dlv_1"))
    for _ in range(3):
        await written(directory, *(samples.refused(number, 100) for number in range(20)), segment_size=500)

    first = checkpoint.read(FileDisk(directory))
    assert first == segments(directory)[-1]
    for number in segments(directory)[:-1]:
        (directory / segment_name(number)).unlink()
    left = unfinished(await read(directory))
    assert (left.held, left.pinged) == ((suspended,), {"shop": "ab"})


async def test_what_stands_is_known_after_a_crash_right_after_a_start(directory: Path) -> None:
    suspended = EndpointHeld(at=samples.AT, endpoint="shop", reason="suspended")
    await written(directory, suspended)
    for _ in range(3):
        journal = FileJournal(directory)
        journal.open()
        assert unfinished(journal.read()).held == (suspended,)
        # What a crash leaves before anything but the beginning of the segment was written.
        place = (directory / checkpoint.CHECKPOINT).read_bytes()
        await journal.close()
        (directory / checkpoint.CHECKPOINT).write_bytes(place)
        newest = directory / segment_name(segments(directory)[-1])
        newest.write_bytes(newest.read_bytes().partition(b"\n")[0] + b"\n")


def segments(directory: Path) -> list[int]:
    return sorted(number for path in directory.iterdir() if (number := segment_number(path.name)) is not None)


async def test_a_torn_end_is_set_aside_and_a_record_says_so(directory: Path) -> None:
    await written(directory, samples.refused(1), samples.refused(2))
    segment = directory / "log-0000000001.jsonl"
    data = segment.read_bytes()
    segment.write_bytes(data[:-10])

    whole(directory)
    assert counts(await read(directory)) == [1]
    whole(directory)
    damaged = [record for record in await read(directory) if isinstance(record, LogDamaged)]

    assert [(record.kind, record.segment) for record in damaged] == [("torn", segment.name)]
    assert (directory / (segment.name + ".torn")).read_bytes() == data[damaged[0].offset : -10]


async def test_damage_is_reported_once_and_nothing_else_is_lost(directory: Path) -> None:
    await written(directory, samples.refused(1), samples.refused(2), samples.refused(3))
    segment = directory / "log-0000000001.jsonl"
    await written(directory, samples.refused(4))
    flip(segment, segment.read_bytes().index(b'"count":2'), bits=(0, 1, 2))
    before = segment.read_bytes()
    observer = Observer()

    journal = FileJournal(directory, observer=observer)
    whole(directory)
    journal.open()
    first = list(journal.read())
    await journal.close()
    whole(directory)
    second = await read(directory)
    whole(directory)
    third = await read(directory)

    assert counts(first) == counts(second) == counts(third) == [1, 3, 4]
    assert [isinstance(record, LogDamaged) for record in second].count(True) == 1
    assert [isinstance(record, LogDamaged) for record in third].count(True) == 1
    assert segment.read_bytes() == before
    assert b'hooksd_journal_damaged_total{kind="damaged"} 1.0' in observer.metrics.render()


async def test_a_log_cut_at_any_byte_keeps_every_record_that_is_whole(tmp_path: Path) -> None:
    source = tmp_path / "source"
    await written(source, *(samples.refused(number, 20) for number in range(4)))
    data = (source / "log-0000000001.jsonl").read_bytes()
    lines = data.splitlines(keepends=True)
    ends = [sum(map(len, lines[: index + 1])) for index in range(len(lines))]
    for size in range(0, len(data) + 1, 7):
        copy = tmp_path / f"cut{size}"
        copy.mkdir()
        (copy / "log-0000000001.jsonl").write_bytes(data[:size])

        assert len(counts(await read(copy))) == max(0, sum(end <= size for end in ends) - 1)
        shutil.rmtree(copy)


async def test_records_go_on_in_new_segments_when_one_is_large_enough(directory: Path) -> None:
    await written(directory, *(samples.refused(number, 200) for number in range(30)), segment_size=2000)

    assert len(list(directory.glob("log-*.jsonl"))) > 3
    whole(directory)
    assert counts(await read(directory)) == list(range(30))


async def test_a_full_disk_is_a_refusal_that_passes(directory: Path, opened: Opened) -> None:
    disk = BadDisk(directory)
    journal = opened(disk)
    disk.room = 100

    with pytest.raises(JournalFull):
        await journal.append([samples.refused(1, 500)])
    assert state(journal) == "full"
    with pytest.raises(JournalFull):
        await journal.put_blob(b"x")
    disk.room = None
    async with asyncio.timeout(10):
        while state(journal) != "ok":
            await asyncio.sleep(0.05)
    await journal.append([samples.refused(2)])

    await journal.close()
    assert counts(await read(directory)) == [2]


async def test_a_broken_disk_is_told_once_and_every_caller_is_refused(directory: Path, opened: Opened) -> None:
    disk = BadDisk(directory)
    told: list[JournalBroken] = []
    journal = opened(disk, on_broken=told.append)
    await journal.append([samples.refused(1)])
    disk.fail("sync")

    for number in (2, 3):
        with pytest.raises(JournalBroken):
            await journal.append([samples.refused(number)])
        assert len(told) == 1

    assert state(journal) == "broken"


async def test_a_body_that_the_disk_does_not_take_breaks_the_log_and_one_without_room_does_not(
    directory: Path, opened: Opened
) -> None:
    disk = BadDisk(directory)
    journal = opened(disk)
    disk.fail("save", errno.ENOSPC)
    with pytest.raises(JournalFull):
        await journal.put_blob(b"x")
    assert state(journal) == "ok"

    disk.fail("save", errno.EIO)
    with pytest.raises(JournalBroken):
        await journal.put_blob(b"x")
    assert state(journal) == "broken"


async def test_a_body_that_finds_the_disk_full_is_enough_to_know(directory: Path, opened: Opened) -> None:
    disk = BadDisk(directory)
    journal = opened(disk)
    disk.free_bytes = 0
    disk.fail("save", errno.ENOSPC)

    with pytest.raises(JournalFull):
        await journal.put_blob(b"x")

    assert state(journal) == "full"


async def test_too_many_records_at_once_are_refused_at_once(directory: Path, opened: Opened) -> None:
    disk = BadDisk(directory)
    journal = opened(disk, limits=Limits(records=2))
    disk.gate.clear()
    busy = journal.append([samples.refused(1)])
    while journal.behind == 0:
        await asyncio.sleep(0.001)
    waiting = journal.append([samples.refused(2), samples.refused(3)])

    with pytest.raises(JournalFull, match="wait for the disk"):
        await journal.append([samples.refused(4)])
    disk.gate.set()
    await busy
    await waiting


async def test_a_medium_that_fails_while_it_is_replayed_is_an_error(directory: Path, opened: Opened) -> None:
    await written(directory, samples.refused(1))
    disk = BadDisk(directory)
    journal = opened(disk)
    disk.fail("read", times=2)

    with pytest.raises(JournalError, match="the log cannot be read"):
        list(journal.read())


async def test_without_sync_everything_is_there_after_a_close(directory: Path) -> None:
    journal = FileJournal(directory, sync=False)
    journal.open()
    await journal.append([samples.refused(1)])
    await journal.close()

    assert counts(await read(directory)) == [1]


@pytest.mark.slow
async def test_what_was_acknowledged_survives_kill_9_at_any_moment(directory: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - a test, not a secret
    acknowledged: list[int] = []
    for cycle in range(KILLS):
        acknowledged += killed_while_writing(directory, 1_000_000 * cycle, chance.uniform(0.0, 0.05))
    whole(directory)
    records = await read(directory)
    found = counts(records)

    assert len(found) == len(set(found))
    assert set(acknowledged) <= set(found)
    assert not [record for record in records if isinstance(record, LogDamaged) and record.kind == "damaged"]
    assert len(acknowledged) > KILLS


def killed_while_writing(directory: Path, first: int, seconds: float) -> list[int]:
    """Let a process write, kill it some moments after its first record, and return what it called durable."""
    command = [sys.executable, writing.__file__, str(directory), "8", str(first), "20000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        begun = process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        rest = process.stdout.read()
    return [int(line) for line in (begun + rest).splitlines(keepends=True) if line.endswith(b"\n")]


async def test_what_is_not_kept_is_removed_beside_the_writing_and_said(directory: Path) -> None:
    observer = Observer()
    journal = FileJournal(directory, segment_size=2000, keep=Keep(size=6000), observer=observer)
    journal.open()
    list(journal.read())
    for number in range(60):
        await journal.append([samples.refused(number, 300)])
    async with asyncio.timeout(10):
        while b"hooksd_journal_trimmed_bytes_total 0.0" in observer.metrics.render():
            await asyncio.sleep(0.01)
    await journal.close()

    segments = sorted(path.name for path in directory.glob("log-*.jsonl"))
    assert segments[0] > "log-0000000001.jsonl"
    assert counts(await read(directory))[-1] == 59


async def test_what_cannot_be_removed_is_said_and_disturbs_nobody(directory: Path) -> None:
    disk = BadDisk(directory)
    disk.fail("remove", errno.EROFS, times=100)
    observer = Observer()
    journal = FileJournal(directory, disk=disk, segment_size=2000, keep=Keep(size=3000), observer=observer)
    journal.open()
    list(journal.read())
    for number in range(30):
        await journal.append([samples.refused(number, 300)])
    async with asyncio.timeout(10):
        while "remove" not in disk.calls:
            await asyncio.sleep(0.01)
    await journal.close()

    whole(directory)
    assert counts(await read(directory)) == list(range(30))


async def test_a_body_that_comes_piece_by_piece_is_a_blob_that_retention_leaves_alone(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "log")
    journal.open()
    incoming = journal.receive()
    await incoming.write(b"ab")
    await incoming.write(b"cd")

    digest = await incoming.keep()

    assert journal.blob(digest) == b"abcd"
    assert Path(journal.folder, "blobs", digest[7:9], digest[7:]).read_bytes() == b"abcd"
    await journal.close()


async def test_a_log_that_takes_nothing_takes_no_file_either(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "log")
    journal.open()
    await journal.close()

    with pytest.raises(JournalError):
        journal.receive()
