from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hooksd.journal.keeper import Keeper
from hooksd.journal.retention import Keep, Swept
from tests.durability.simulated_disk import SimulatedDisk
from tests.durability.synchronous_log import SynchronousLog
from tests.journal import samples


class Told:
    def __init__(self) -> None:
        self.all: list[tuple[Swept, OSError | None]] = []
        self.once = threading.Event()

    def __call__(self, swept: Swept, error: OSError | None) -> None:
        self.all.append((swept, error))
        self.once.set()


def test_a_new_segment_wakes_the_sweep() -> None:
    log = SynchronousLog(SimulatedDisk(), keep=Keep(size=1))
    told = Told()
    keeper = Keeper(log.retention, log.tail, told)
    log.append([samples.refused(1)])
    log.rotate()
    log.append([samples.refused(2)])

    assert told.once.wait(10)
    keeper.close()
    assert told.all[0][0].segments == ("log-0000000001.jsonl",)


def test_what_goes_wrong_is_told_and_the_thread_lives_on() -> None:
    disk = SimulatedDisk()
    log = SynchronousLog(disk, keep=Keep(size=1))
    log.append([samples.refused(1)])
    log.rotate()
    log.append([samples.refused(2)])
    disk.fail("remove", 5)
    told = Told()
    keeper = Keeper(log.retention, log.tail, told)
    assert told.once.wait(10)
    told.once.clear()

    log.tail.on_segment()

    assert told.once.wait(10)
    keeper.close()
    assert [error is None for _, error in told.all] == [False, True]


def test_nothing_is_removed_before_recovery_knows_what_is_unfinished() -> None:
    log = SynchronousLog(SimulatedDisk(), keep=Keep(size=1))
    log.append([samples.refused(1)])
    log.rotate()
    log.append([samples.refused(2)])
    log.tail.needed = None
    told = Told()

    Keeper(log.retention, log.tail, told).close()

    assert told.all == []


def test_a_closed_segment_is_noted_without_anything_being_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[tuple[Path, int]] = []
    once = threading.Event()

    def write(directory: Path, *, current: int, is_over: Callable[[], bool], done: set[int]) -> None:
        noted.append((directory, current))
        once.set()

    monkeypatch.setattr("hooksd.journal.index.write_notes", write)
    log = SynchronousLog(SimulatedDisk())
    told = Told()
    keeper = Keeper(None, log.tail, told, notes=tmp_path)
    assert once.wait(10)
    once.clear()
    log.append([samples.refused(1)])
    log.rotate()
    log.append([samples.refused(2)])
    assert once.wait(10)
    keeper.close()
    assert noted[0] == (tmp_path, 1)
    assert noted[-1] == (tmp_path, 2)
    assert told.all == []
