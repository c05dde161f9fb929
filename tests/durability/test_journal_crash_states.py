"""Every state in which a power cut can leave a log: what was acknowledged is there, and nothing that never was.

The quick part enumerates at least 20,000 states. `HOOKSD_CRASH_SEEDS=60` takes that many workloads instead of twelve.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import pytest

from hooksd.errors import JournalFull
from hooksd.journal.retention import Keep
from hooksd.model.record import RequestRefused
from tests.battery import size, tell
from tests.durability.simulated_disk import SimulatedDisk, State, after_power_cut, snapshot
from tests.durability.synchronous_log import SynchronousLog
from tests.journal import samples

SEEDS = size("CRASH_SEEDS", quick=12, long=60)
ENOUGH = 20_000
"""Of twelve workloads."""
SEGMENT_SIZE = 1500
STRIDE = 23
AGAIN = 50
"""Every so many states one is recovered twice, with a power cut at each step of the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The disk just before something reaches it, and what callers had been told until then."""

    state: State
    told: tuple[int, ...]
    """Records that are durable."""
    under_way: tuple[int, ...]
    """Records that nobody had been told anything about."""


class Workload:
    """Writes batches of numbered records and remembers every moment."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - a test, not a secret
        self.disk = SimulatedDisk()
        self.moments: list[Moment] = []
        self.told: list[int] = []
        self.under_way: list[int] = []
        self.disk.on_step = self.remember

    def remember(self, _: str) -> None:
        self.moments.append(Moment(state=snapshot(self.disk), told=tuple(self.told), under_way=tuple(self.under_way)))

    def run(self) -> None:
        numbers = iter(range(1000))
        for _ in range(2):
            log = SynchronousLog(self.disk, segment_size=SEGMENT_SIZE)
            for _ in range(4):
                self.disk.room = self.chance.choice((None, None, None, self.chance.randrange(900)))
                self.under_way = [next(numbers) for _ in range(self.chance.randrange(1, 4))]
                try:
                    log.append([samples.refused(number, self.chance.randrange(300)) for number in self.under_way])
                    self.told += self.under_way
                except JournalFull:
                    pass
                self.under_way = []
            self.disk.heal()
        self.remember("end")


def numbers_of(log: SynchronousLog) -> list[int]:
    return [record.count for record in log.records if isinstance(record, RequestRefused)]


def check(disk: SimulatedDisk, moment: Moment) -> list[int]:
    """Recover what a power cut left, and judge it. Return what was read."""
    log = SynchronousLog(disk, segment_size=SEGMENT_SIZE)
    read = numbers_of(log)
    told, under_way = list(moment.told), list(moment.under_way)
    assert read[: len(told)] == told, "lost or out of order"
    assert read[len(told) :] == under_way[: len(read) - len(told)], "invented, refused or out of order"
    assert log.damages == (), "a crash was taken for damage"
    return read


def check_that_it_goes_on(disk: SimulatedDisk, read: list[int]) -> None:
    SynchronousLog(disk).append([samples.refused(999_999)])
    after = SynchronousLog(disk)
    assert numbers_of(after) == [*read, 999_999]
    assert after.damages == ()


@pytest.mark.timeout(300 + 20 * SEEDS)
def test_no_state_after_a_power_cut_loses_invents_or_reorders_a_record() -> None:
    began = time.process_time()
    states = 0
    for seed in range(SEEDS):
        workload = Workload(seed)
        workload.run()
        for moment in workload.moments:
            for disk in after_power_cut(moment.state, workload.chance, STRIDE):
                states += 1
                twice = states % AGAIN == 0
                cuts: list[State] = []
                if twice:
                    disk.on_step = lambda _, disk=disk, cuts=cuts: cuts.append(snapshot(disk))  # type: ignore[misc]
                read = check(disk, moment)
                if twice:
                    disk.on_step = lambda _: None
                    check_that_it_goes_on(disk, read)
                for state in cuts:
                    for again in after_power_cut(state, workload.chance, 200):
                        states += 1
                        # Recovery has synced what it read: what it saw once stays.
                        assert set(moment.told) <= set(check(again, moment)) <= set(read)
    assert states >= ENOUGH * SEEDS // 12
    tell(f"{states} states after a power cut, 0 violations, {time.process_time() - began:.1f} s of processor time")


def test_a_power_cut_during_a_sweep_costs_nothing_that_is_kept() -> None:
    states = 0
    for seed in range(2):
        chance = random.Random(seed)  # noqa: S311 - a test, not a secret
        disk = SimulatedDisk()
        log = SynchronousLog(disk, segment_size=600, keep=Keep(size=2000))
        log.sweep()
        bodies = [chance.randbytes(100) for _ in range(8)]
        for number, body in enumerate(bodies):
            digest = log.put_blob(body)
            run = f"run_{number}"
            stored = samples.stored_blob(digest, len(body))
            log.append([samples.accepted(f"evt_{number}", (run,), body=stored)])
            if number != 5:
                log.append([samples.run_ended(run, f"evt_{number}")])
            log.rotate()
        moments: list[State] = []
        disk.on_step = lambda _, disk=disk, moments=moments: moments.append(snapshot(disk))  # type: ignore[misc]
        log = SynchronousLog(disk, keep=Keep(size=2000))
        log.sweep()
        disk.on_step = lambda _: None
        kept = [number for number, body in enumerate(bodies) if has_blob(disk, body)]
        assert kept == list(range(kept[0], 8))
        assert 0 < kept[0] <= 5
        for state in [*moments, snapshot(disk)]:
            for cut in after_power_cut(state, chance, 200):
                states += 1
                after = SynchronousLog(cut, keep=Keep(size=2000))
                after.sweep()
                assert after.damages == ()
                assert [number for number, body in enumerate(bodies) if has_blob(cut, body)] == kept
    assert states > 10


def has_blob(disk: SimulatedDisk, body: bytes) -> bool:
    return any(disk.file(name).live == body for name in disk.tree("blobs"))
