from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from hooksd.clock import SystemClock
from hooksd.errors import JournalBroken, JournalFull
from hooksd.journal import codec, writer
from hooksd.journal.lines import begun
from hooksd.journal.receipt import Receipt
from hooksd.journal.recovery import mend
from hooksd.journal.tail import FLOOR, Tail
from hooksd.journal.writer import Limits, Writer
from hooksd.model.record import Record
from hooksd.telemetry.observer import Observer
from tests.journal import samples
from tests.journal.bad_disk import BadDisk


class Writing:
    """A writer, and what it said when it broke."""

    def __init__(self, disk: BadDisk, limits: Limits) -> None:
        clock = SystemClock()
        tail = Tail(disk, mend(disk, samples.AT), clock=clock, segment_size=1 << 20, sync=True)
        self.broken: list[JournalBroken] = []
        self.observer = Observer()
        self.writer = Writer(tail, clock=clock, limits=limits, observer=self.observer, on_broken=self.broken.append)

    def put(self, *records: Record) -> Receipt:
        return self.writer.put(records, *begun(map(codec.dump, records)))


Start = Callable[[Limits], Writing]


@pytest.fixture
async def start(disk: BadDisk, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Starts writers, which look for room every few milliseconds and are closed at the end."""
    monkeypatch.setattr(writer, "PROBE_INTERVAL", 0.005)
    begun: list[Writing] = []

    def one(limits: Limits) -> Writing:
        begun.append(Writing(disk, limits))
        return begun[-1]

    yield one
    disk.gate.set()
    for writing in begun:
        await writing.writer.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


async def test_what_waits_while_the_disk_is_busy_is_one_batch(start: Start, disk: BadDisk) -> None:
    writing = start(Limits())
    disk.gate.clear()
    first = writing.put(samples.refused(1))
    await until(lambda: writing.writer.behind > 0)
    later = [writing.put(samples.refused(number)) for number in range(2, 50)]
    disk.calls.clear()
    disk.gate.set()
    await first
    for receipt in later:
        await receipt

    assert len(set(map(id, later))) == 1
    assert disk.calls.count("sync") == 2


async def test_what_is_said_in_one_turn_of_the_loop_is_one_batch(start: Start, disk: BadDisk) -> None:
    writing = start(Limits())
    disk.calls.clear()
    receipts = [writing.put(samples.refused(number)) for number in range(20)]
    for receipt in receipts:
        await receipt

    assert len(set(map(id, receipts))) == 1
    assert disk.calls.count("sync") == 1


async def test_what_is_said_in_the_next_turn_joins_a_batch_that_has_not_begun(start: Start, disk: BadDisk) -> None:
    writing = start(Limits())
    disk.calls.clear()
    first = writing.put(samples.refused(1))
    await asyncio.sleep(0)
    second = writing.put(samples.refused(2))
    await second

    assert first is second
    assert disk.calls.count("sync") == 1


@pytest.mark.parametrize("unbounded", ["TURNS", "ENOUGH"])
async def test_a_batch_begins_although_each_turn_brings_more(
    start: Start, disk: BadDisk, monkeypatch: pytest.MonkeyPatch, unbounded: str
) -> None:
    monkeypatch.setattr(writer, unbounded, 10**9)
    writing = start(Limits(records=10**9, size=10**12))
    disk.gate.clear()
    async with asyncio.timeout(30):
        while not writing.writer.behind:
            _ = writing.put(samples.refused(1))
            await asyncio.sleep(0)
    disk.gate.set()


async def test_closing_writes_what_the_thread_was_not_called_for_yet(start: Start, disk: BadDisk) -> None:
    writing = start(Limits())
    disk.calls.clear()
    receipt = writing.put(samples.refused(1))
    await writing.writer.close()

    await receipt
    assert disk.calls.count("sync") == 1


async def test_a_receipt_is_settled_after_the_sync_and_not_before(start: Start, disk: BadDisk) -> None:
    writing = start(Limits())
    disk.calls.clear()
    await writing.put(samples.refused(1))

    assert disk.calls[-1] == "sync"


async def test_more_records_than_may_wait_are_refused_at_once(start: Start, disk: BadDisk) -> None:
    writing = start(Limits(records=3))
    disk.gate.clear()
    busy = writing.put(samples.refused(0))
    await until(lambda: writing.writer.behind > 0)
    waiting = writing.put(samples.refused(1), samples.refused(2), samples.refused(3))

    with pytest.raises(JournalFull, match="3 records wait for the disk"):
        await writing.put(samples.refused(4))
    disk.gate.set()
    await busy
    await waiting
    await writing.put(samples.refused(5))


async def test_more_bytes_than_may_wait_are_refused_but_one_large_record_is_not(start: Start, disk: BadDisk) -> None:
    writing = start(Limits(size=1000))
    disk.gate.clear()
    busy = writing.put(samples.refused(0))
    await until(lambda: writing.writer.behind > 0)
    large = writing.put(samples.refused(1, 5000))

    with pytest.raises(JournalFull):
        await writing.put(samples.refused(2))
    disk.gate.set()
    await busy
    await large


async def test_a_full_disk_refuses_until_there_is_room_and_then_takes_records_by_itself(
    start: Start, disk: BadDisk
) -> None:
    writing = start(Limits())
    disk.room = 0
    disk.free_bytes = 0
    with pytest.raises(JournalFull):
        await writing.put(samples.refused(1))
    assert writing.writer.state == "full"
    with pytest.raises(JournalFull):
        await writing.put(samples.refused(2))

    disk.room = None
    disk.free_bytes = FLOOR
    await until(lambda: writing.writer.state == "ok")
    await writing.put(samples.refused(3))

    assert writing.broken == []


async def test_what_waits_behind_a_refused_batch_is_refused_too_because_it_may_build_on_it(
    start: Start, disk: BadDisk
) -> None:
    writing = start(Limits())
    disk.gate.clear()
    first = writing.put(samples.refused(1))
    await until(lambda: writing.writer.behind > 0)
    second = writing.put(samples.refused(2))
    disk.fail("write", errno.ENOSPC)
    disk.free_bytes = 0
    disk.gate.set()

    for receipt in (first, second):
        with pytest.raises(JournalFull):
            await receipt


@pytest.mark.parametrize("operation", ["write", "sync"])
async def test_a_failing_disk_is_the_end_and_is_told_once(start: Start, disk: BadDisk, operation: str) -> None:
    writing = start(Limits())
    disk.fail(operation, errno.EIO)

    for _ in range(3):
        with pytest.raises(JournalBroken):
            await writing.put(samples.refused(1))
        assert len(writing.broken) == 1

    assert writing.writer.state == "broken"
    assert disk.calls.count("sync") == (2 if operation == "sync" else 1)


async def test_a_bug_below_is_an_outcome_and_not_the_death_of_the_thread(start: Start, disk: BadDisk) -> None:
    writing = start(Limits())
    unsealable: Any = ("{", 0)

    with pytest.raises(JournalBroken, match="TypeError"):
        await writing.writer.put([samples.refused(1)], [unsealable], 1)

    assert writing.writer.state == "broken"


async def test_whoever_finds_the_disk_broken_elsewhere_can_say_so(start: Start) -> None:
    writing = start(Limits())
    writing.writer.refused_body(JournalBroken("a body cannot be written"))

    with pytest.raises(JournalBroken, match="a body cannot be written"):
        await writing.put(samples.refused(1))
    await until(lambda: bool(writing.broken))


async def test_a_body_that_finds_no_room_tells_that_the_disk_is_full_and_nobody_has_to_ask_until_there_is_room(
    start: Start, disk: BadDisk
) -> None:
    writing = start(Limits())
    disk.free_bytes = FLOOR - 1
    writing.writer.refused_body(JournalFull("no room for a body"))
    assert writing.writer.state == "full"
    with pytest.raises(JournalFull, match="no room for a body"):
        await writing.put(samples.refused(1))

    disk.free_bytes = FLOOR
    await until(lambda: writing.writer.state == "ok")
    await writing.put(samples.refused(2))


async def test_a_disk_without_room_for_any_body_stays_full_although_bytes_are_free(start: Start, disk: BadDisk) -> None:
    writing = start(Limits())
    disk.fail("scratch", errno.EDQUOT, times=3)
    writing.writer.refused_body(JournalFull("no room for a body"))

    assert writing.writer.state == "full"
    await until(lambda: writing.writer.state == "ok")
    assert disk.calls.count("scratch") == 4


async def test_a_body_that_is_larger_than_the_room_refuses_nobody_else(start: Start, disk: BadDisk) -> None:
    writing = start(Limits())
    writing.writer.refused_body(JournalFull("no room for a body"))

    assert writing.writer.state == "ok"
    await writing.put(samples.refused(1))


async def test_a_body_that_finds_no_room_hides_no_breakdown(start: Start, disk: BadDisk) -> None:
    writing = start(Limits())
    writing.writer.refused_body(JournalBroken("a body cannot be written"))
    disk.free_bytes = 0
    writing.writer.refused_body(JournalFull("no room for a body"))

    assert writing.writer.state == "broken"


async def test_it_is_known_for_how_long_the_disk_has_not_answered(start: Start, disk: BadDisk) -> None:
    writing = start(Limits())
    assert writing.writer.behind == 0
    disk.gate.clear()
    receipt = writing.put(samples.refused(1))
    await until(lambda: writing.writer.behind > 0.02)
    disk.gate.set()
    await receipt
    await until(lambda: writing.writer.behind == 0)


async def test_the_loop_is_not_held_up_by_the_disk(start: Start, disk: BadDisk) -> None:
    writing = start(Limits())
    disk.gate.clear()
    loop = asyncio.get_running_loop()
    began = loop.time()
    receipts = [writing.put(samples.refused(number)) for number in range(1000)]
    assert loop.time() - began < 1
    disk.gate.set()
    await receipts[-1]


async def test_closing_writes_what_waits(start: Start, disk: BadDisk, tmp_path: Path) -> None:
    writing = start(Limits())
    for number in range(10):
        _ = writing.put(samples.refused(number))

    await writing.writer.close()

    assert (tmp_path / "log" / "log-0000000001.jsonl").read_bytes().count(b"\n") == 11
    with pytest.raises(JournalBroken, match="closed"):
        await writing.put(samples.refused(11))


async def test_every_batch_is_measured(start: Start) -> None:
    writing = start(Limits())
    await writing.put(samples.refused(1), samples.refused(2))
    await writing.writer.close()

    assert b"hooksd_journal_records_total 2.0" in writing.observer.metrics.render()


def test_a_loop_that_is_gone_does_not_keep_the_thread_from_writing(disk: BadDisk, tmp_path: Path) -> None:
    async def leave() -> Writing:
        writing = Writing(disk, Limits())
        disk.gate.clear()
        _ = writing.put(samples.refused(1))
        return writing

    writing = asyncio.run(leave())
    disk.gate.set()
    path = tmp_path / "log" / "log-0000000001.jsonl"
    asyncio.run(until(lambda: path.read_bytes().count(b"\n") == 2))

    assert writing.writer.state == "ok"
