"""Somebody removes, moves, cuts or locks the files of a log while it is written, sets the clock, or leaves old files.

What was acknowledged after that is in the log; what the hand took is reported as missing; nothing else is harmed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hooksd.errors import JournalBroken, JournalError
from hooksd.journal import codec
from hooksd.journal.file import FileJournal
from hooksd.journal.retention import Keep
from hooksd.journal.scan import START
from hooksd.model.record import LogDamaged, Record, RequestRefused
from tests.durability.hand_clock import HandClock
from tests.journal import samples

SEGMENT = "log-0000000001.jsonl"


async def opened(directory: Path, *, keep: Keep | None = None, clock: HandClock | None = None) -> FileJournal:
    journal = FileJournal(directory, keep=keep or Keep(), clock=clock)
    journal.open()
    for _ in journal.read():
        pass
    return journal


async def read(directory: Path) -> list[Record]:
    (directory / "checkpoint.json").unlink(missing_ok=True)
    journal = FileJournal(directory)
    journal.open()
    try:
        return list(journal.read())
    finally:
        await journal.close()


def counts(records: list[Record]) -> list[int]:
    return [record.count for record in records if isinstance(record, RequestRefused)]


def damages(records: list[Record]) -> list[LogDamaged]:
    return [record for record in records if isinstance(record, LogDamaged)]


HANDS: dict[str, Callable[[Path], object]] = {
    "removed": lambda path: path.unlink(),
    "moved": lambda path: path.rename(path.with_name("elsewhere")),
    "cut": lambda path: os.truncate(path, 100),
    "emptied": lambda path: path.write_bytes(b""),
    "replaced": lambda path: path.with_name("new").replace(path),
    "lengthened": lambda path: path.write_bytes(path.read_bytes() + b"noise\n"),
}


@pytest.mark.parametrize("hand", HANDS)
async def test_what_is_acknowledged_after_a_segment_was_taken_away_is_in_the_log(tmp_path: Path, hand: str) -> None:
    journal = await opened(tmp_path)
    await journal.append([samples.refused(1)])
    (tmp_path / "new").write_bytes(b"not a log\n")
    HANDS[hand](tmp_path / SEGMENT)

    for number in (2, 3):
        await journal.append([samples.refused(number)])
    await journal.close()

    await read(tmp_path)
    records = await read(tmp_path)
    assert counts(records)[-2:] == [2, 3]
    assert damages(records), "nobody was told"
    assert damages(await read(tmp_path)) == damages(records), "it was told twice"


async def test_a_segment_that_is_moved_away_and_back_is_read_in_its_place(tmp_path: Path) -> None:
    journal = await opened(tmp_path)
    await journal.append([samples.refused(1)])
    (tmp_path / SEGMENT).rename(tmp_path / "elsewhere")
    await journal.append([samples.refused(2)])
    (tmp_path / "elsewhere").rename(tmp_path / SEGMENT)
    await journal.append([samples.refused(3)])
    await journal.close()

    assert counts(await read(tmp_path)) == [1, 2, 3]


async def test_a_segment_made_read_only_is_written_on_because_it_is_open(tmp_path: Path) -> None:
    journal = await opened(tmp_path)
    (tmp_path / SEGMENT).chmod(0o400)
    await journal.append([samples.refused(1)])
    await journal.close()

    assert counts(await read(tmp_path)) == [1]


async def test_a_directory_that_is_gone_stops_the_log_before_anything_is_acknowledged(tmp_path: Path) -> None:
    directory = tmp_path / "log"
    told: list[JournalBroken] = []
    journal = FileJournal(directory, on_broken=told.append)
    journal.open()
    directory.rename(tmp_path / "gone")

    with pytest.raises(JournalBroken, match="cannot be created"):
        await journal.append([samples.refused(1)])
    await journal.close()
    assert len(told) == 1


async def test_a_second_process_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    journal = await opened(tmp_path)
    second = FileJournal(tmp_path)

    with pytest.raises(JournalError, match=f"process {os.getpid()} is writing this log"):
        second.open()
    await journal.append([samples.refused(1)])
    await journal.close()
    assert counts(await read(tmp_path)) == [1]


@pytest.mark.parametrize("seconds", [-3600.0, 2 * 86400.0])
async def test_a_clock_that_is_set_loses_and_reorders_nothing(tmp_path: Path, seconds: float) -> None:
    clock = HandClock()
    journal = await opened(tmp_path, clock=clock)
    await journal.append([samples.refused(1)])
    clock.set_by(seconds)
    await journal.append([samples.refused(2)])
    await journal.close()
    journal = await opened(tmp_path, clock=clock)
    clock.set_by(-seconds)
    await journal.append([samples.refused(3)])
    await journal.close()

    records = await read(tmp_path)
    assert counts(records) == [1, 2, 3]
    assert damages(records) == []


async def test_a_clock_that_is_set_forward_never_costs_unfinished_work(tmp_path: Path) -> None:
    clock = HandClock()
    journal = await opened(tmp_path, keep=Keep(age=86400.0), clock=clock)
    await journal.append([samples.accepted()])
    await journal.close()
    clock.set_by(2 * 86400.0)
    journal = await opened(tmp_path, keep=Keep(age=86400.0), clock=clock)
    await asyncio.sleep(0.1)
    await journal.append([samples.refused(1)])
    await journal.close()

    assert any(record.type == "event.accepted" for record in await read(tmp_path))


async def test_what_a_newer_version_wrote_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    seq, prev = START
    lines = b""
    known = codec.dump(samples.refused(1))
    for text in (
        b'{"at":"2026-11-22T03:28:00.123Z","number":1,"previous_sha256":null,"format":1,"colour":"red","type":"segment"}',
        b'{"at":"2026-11-22T03:28:00.123Z","type":"run.paused","run":"run_1","because":{"of":["that"]}}',
        known[:-1] + b',"severity":7,"tags":["a"]}',
    ):
        line, prev = codec.seal(text, seq, seq, prev)
        lines += line
        seq += 1
    tmp_path.joinpath(SEGMENT).write_bytes(lines)

    records = await read(tmp_path)
    assert counts(records) == [1]
    assert damages(records) == []


async def test_files_that_are_not_ours_are_left_alone(tmp_path: Path) -> None:
    strangers = {"log-1.jsonl": b"x", "notes.txt": b"y", "log-0000000001.jsonl.gz": b"z", "checkpoint.json.old": b""}
    for name, data in strangers.items():
        (tmp_path / name).write_bytes(data)
    journal = await opened(tmp_path, keep=Keep(size=1))
    await journal.append([samples.refused(1)])
    await journal.close()

    assert counts(await read(tmp_path)) == [1]
    assert {name: (tmp_path / name).read_bytes() for name in strangers} == strangers
