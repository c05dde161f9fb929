"""The log on real file systems: full ones, ones whose sync fails, and ones that lose power.

`HOOKSD_POWER_CUTS=100` cuts the power that often instead of three times.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hooksd.errors import JournalFull
from hooksd.journal import codec, tail
from hooksd.journal.file import FileJournal
from hooksd.journal.scan import Found, walk
from hooksd.model.record import LogDamaged, Record, RequestRefused
from tests.battery import size, tell
from tests.durability import mounts
from tests.journal import samples, writing

CUTS = size("POWER_CUTS", quick=3, long=100)
PATIENCE = 30.0
"""Seconds after which a log must have noticed that there is room again: two, and some for a busy machine."""


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


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A directory on a file system of 4 MiB."""
    with mounts.memory(tmp_path / "small", "4m") as directory:
        yield directory


async def test_a_disk_that_is_really_full_refuses_loses_nothing_and_takes_records_when_there_is_room(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "FLOOR", 0)
    ballast = small / "ballast"
    ballast.write_bytes(bytes(3 << 20))
    journal = FileJournal(small / "log", segment_size=1 << 17)
    journal.open()
    list(journal.read())
    told: list[int] = []
    refused: list[int] = []
    number = 0
    while len(refused) < 50:
        number += 1
        assert number < 20_000, "the disk never became full"
        try:
            await journal.append([samples.refused(number, number % 3000)])
            told.append(number)
        except JournalFull:
            refused.append(number)
    assert len(told) > 100

    ballast.unlink()
    async with asyncio.timeout(PATIENCE):
        while journal.state == "full":
            await asyncio.sleep(0.01)
    await journal.append([samples.refused(0)])
    await journal.close()

    records = await read(small / "log")
    assert counts(records) == [*told, 0]
    assert not [record for record in records if isinstance(record, LogDamaged)]


async def test_below_the_floor_it_refuses_before_the_disk_is_full_and_goes_on_by_itself(tmp_path: Path) -> None:
    with mounts.memory(tmp_path / "small", f"{tail.FLOOR + (4 << 20)}") as small:
        journal = FileJournal(small / "log")
        journal.open()
        await journal.append([samples.refused(1)])
        ballast = small / "ballast"
        ballast.write_bytes(bytes(6 << 20))
        async with asyncio.timeout(PATIENCE):
            while journal.state == "ok":
                await asyncio.sleep(0.05)
                try:
                    await journal.append([samples.refused(2)])
                except JournalFull as error:
                    assert "are free for the log" in str(error)  # noqa: PT017 - the loop goes on until it happens
        ballast.unlink()
        async with asyncio.timeout(PATIENCE):
            while journal.state == "full":
                await asyncio.sleep(0.01)
        await journal.append([samples.refused(3)])
        await journal.close()
        found = counts(await read(small / "log"))
        assert found[0] == 1
        assert found[-1] == 3


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
async def test_a_sync_that_fails_is_the_last_and_nothing_of_its_batch_is_acknowledged(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = subprocess.run(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=30+",
         sys.executable, writing.__file__, str(log), "8", "0", "2000000"],
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    acknowledged = [int(line) for line in done.stdout.splitlines()]
    batches: dict[int, list[int]] = {}
    for item in walk((log / "log-0000000001.jsonl").read_bytes(), None):
        if isinstance(item, Found):
            record = codec.record_of(codec.tree_of(item.line))
            batches.setdefault(item.line.batch, []).extend(counts([record]))

    assert done.returncode != 0
    assert b"cannot be synced" in done.stderr
    assert len(batches) == 1 + 30, "the first is written by another thread, and strace counts for each"
    last = batches.popitem()[1]
    assert sorted(acknowledged) == sorted(count for batch in batches.values() for count in batch)
    assert not set(last) & set(acknowledged)
    assert set(acknowledged) <= set(counts(await read(log)))


@pytest.mark.slow
@pytest.mark.timeout(300 + 20 * CUTS)
@pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="mkfs.ext4 is not installed")
async def test_what_was_acknowledged_survives_a_power_cut(tmp_path: Path) -> None:
    chance = random.Random(5)  # noqa: S311 - a test, not a secret
    total = 0
    for cut in range(CUTS):
        total += await power_cut(tmp_path, f"{cut}", chance.uniform(0.02, 0.3))
    assert total > CUTS
    tell(f"{CUTS} power cuts, {total} records acknowledged before them, 0 lost")


async def power_cut(tmp_path: Path, name: str, seconds: float) -> int:
    """Let a process write on a file system of its own, copy the medium in the middle of it, and recover the copy.

    Returns:
        How many records had been acknowledged.
    """
    medium, copy, acknowledged = (tmp_path / f"{name}.{kind}" for kind in ("ext4", "copy", "told"))
    with medium.open("wb") as file:
        file.truncate(48 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(medium)], check=True, timeout=60)
    with mounts.image(tmp_path / "running", medium) as running, acknowledged.open("wb") as told:
        command = [sys.executable, writing.__file__, str(running / "log"), "8", "0", "60000"]
        with subprocess.Popen(command, stdout=told) as process:
            deadline = time.monotonic() + 30
            while not acknowledged.stat().st_size:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)
            await asyncio.sleep(seconds)
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(0.01)
            numbers = [int(line) for line in acknowledged.read_bytes().splitlines(keepends=True) if line[-1:] == b"\n"]
            subprocess.run(["cp", "--sparse=always", str(medium), str(copy)], check=True, timeout=60)
            process.kill()
    with mounts.image(tmp_path / "after", copy) as after:
        records = await read(after / "log")
        found = counts(records)
        assert set(numbers) <= set(found)
        assert len(found) == len(set(found))
        assert not [record for record in records if isinstance(record, LogDamaged) and record.kind == "damaged"]
        second = counts(await read(after / "log"))
        assert second == found
    medium.unlink()
    copy.unlink()
    return len(numbers)
