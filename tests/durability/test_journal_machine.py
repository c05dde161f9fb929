"""A log that is written, filled, broken, cut off from power, restarted and swept in any order that can be thought of.

`HOOKSD_LOG_SEQUENCES=20000` tries so many instead of 300.
"""

from __future__ import annotations

import contextlib
import errno
import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from hooksd.errors import JournalBroken, JournalError, JournalFull
from hooksd.journal import blobs
from hooksd.journal.replay import unfinished
from hooksd.journal.retention import Keep
from hooksd.model.record import EventAccepted, Record, RunEnded
from tests.battery import size
from tests.durability.hand_clock import HandClock
from tests.durability.simulated_disk import SimulatedDisk, after_power_cut
from tests.durability.synchronous_log import SynchronousLog
from tests.journal import samples

SEQUENCES = size("LOG_SEQUENCES", quick=300, long=20_000)
HOUR = 3600.0
STRIDE = 41
PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FOR_GOOD = (errno.EIO, errno.EROFS)


class LogMachine(RuleBasedStateMachine):
    """What callers were told is compared with what the log holds."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.disk = SimulatedDisk()
        self.next = 0
        self.told: list[str] = []
        """What is durable, in order: `evt_1`, `run_1` (its end)."""
        self.unknown: set[str] = set()
        """What nobody was told about, or was refused because the log broke: it may be there, or not."""
        self.ended: set[str] = set()
        self.bodies: dict[str, bytes] = {}
        self.keep = Keep()
        self.alive = False
        self.log: SynchronousLog
        self.restart(Keep())

    def restart(self, keep: Keep) -> None:
        self.keep = keep
        self.disk.heal()
        self.log = SynchronousLog(self.disk, segment_size=900, keep=keep, clock=self.clock)
        self.alive = True
        self.judge(self.log)

    # --- what is written

    def event(self, size: int, *, large: bool) -> list[Record]:
        self.next += 1
        name, body = f"evt_{self.next}", None
        if large:
            data = b"%d" % self.next * size
            body = samples.stored_blob(self.log.put_blob(data), len(data))
            self.bodies[name] = data
        accepted = samples.accepted(name, (f"run_{self.next}",), body=body, at="x" * size)
        return [accepted]

    def write(self, records: list[Record]) -> None:
        names = [name_of(record) for record in records]
        try:
            self.log.append(records)
        except JournalFull:
            return
        except JournalBroken:
            self.unknown.update(names)
            self.alive = False
            return
        self.told += names
        self.ended.update(record.run for record in records if isinstance(record, RunEnded))

    @precondition(lambda self: self.alive)
    @rule(size=st.integers(0, 700), large=st.booleans())
    def accept(self, size: int, large: bool) -> None:  # noqa: FBT001 - Hypothesis calls by name
        with contextlib.suppress(JournalError):
            self.write(self.event(size, large=large))

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def end_runs(self, data: st.DataObject) -> None:
        open_ = sorted({f"run_{name[4:]}" for name in self.told if name.startswith("evt_")} - self.ended)
        runs = data.draw(st.lists(st.sampled_from(open_), unique=True, min_size=1)) if open_ else []
        self.write([samples.run_ended(run, f"evt_{run[4:]}") for run in runs])

    @precondition(lambda self: self.alive)
    @rule(
        size=st.integers(0, 700),
        large=st.booleans(),
        operation=st.sampled_from(("write", "sync", "open", "truncate", "save", "sync names", "remove")),
        errors=st.lists(st.sampled_from(PASSING + FOR_GOOD), min_size=1, max_size=3),
        rotating=st.booleans(),
    )
    def accept_on_a_bad_disk(
        self,
        size: int,
        large: bool,  # noqa: FBT001 - Hypothesis calls by name
        operation: str,
        errors: list[int],
        rotating: bool,  # noqa: FBT001
    ) -> None:
        if rotating:
            self.log.rotate()
        self.disk.fail(operation, *errors)
        if operation == "truncate":
            self.disk.room = size // 2
        try:
            self.write(self.event(size, large=large))
        except JournalBroken:
            self.alive = False
        except JournalFull:
            pass
        self.disk.heal()

    @precondition(lambda self: self.alive)
    @rule(room=st.integers(0, 1500), sizes=st.lists(st.integers(0, 700), min_size=1, max_size=4))
    def accept_on_a_full_disk(self, room: int, sizes: list[int]) -> None:
        self.disk.room = room
        for length in sizes:
            if self.alive:
                self.write(self.event(length, large=False))
        self.disk.heal()

    @precondition(lambda self: self.alive)
    @rule()
    def rotate(self) -> None:
        self.log.rotate()

    @precondition(lambda self: self.alive)
    @rule(errors=st.lists(st.sampled_from(FOR_GOOD), max_size=1))
    def sweep(self, errors: list[int]) -> None:
        self.disk.fail("remove", *errors)
        with contextlib.suppress(OSError):
            self.log.sweep()
        self.disk.heal()

    # --- what happens to it

    @rule(seconds=st.sampled_from((1.0, HOUR, 30 * HOUR)))
    def time_passes(self, seconds: float) -> None:
        self.clock.move(seconds)

    @rule(seconds=st.sampled_from((-HOUR, 48 * HOUR)))
    def the_clock_is_set(self, seconds: float) -> None:
        self.clock.set_by(seconds)

    @rule(keep=st.sampled_from((Keep(), Keep(size=3000), Keep(age=24 * HOUR), Keep(age=HOUR, size=9000))))
    def process_ends(self, keep: Keep) -> None:
        self.restart(keep)

    @rule(seed=st.integers(0, 2**32), keep=st.sampled_from((Keep(), Keep(size=3000))))
    def power_fails(self, seed: int, keep: Keep) -> None:
        chance = random.Random(seed)  # noqa: S311 - a test, not a secret
        self.disk = chance.choice(list(after_power_cut(self.disk.state, chance, STRIDE)))
        self.restart(keep)

    # --- what must hold

    def judge(self, log: SynchronousLog) -> None:
        assert log.damages == (), "a crash was taken for damage"
        read = [name_of(record) for record in log.records]
        self.settle(read)
        assert len(set(read)) == len(read), "something happened twice"
        kept = [name for name in self.told if name in set(read)]
        assert read == kept, "invented, refused or out of order"
        self.check_what_is_gone([name for name in self.told if name not in set(read)])
        self.check_bodies(log)
        short = SynchronousLog(self.disk, segment_size=900, keep=self.keep, clock=self.clock, whole=False)
        assert unfinished(short.records).runs == unfinished(log.records).runs, "the checkpoint hides work"
        self.log = short

    def settle(self, read: list[str]) -> None:
        """From now on it is certain what became of what nobody was told about."""
        there = set(read)
        for place, name in enumerate(read):
            if name in self.unknown and name not in self.told:
                before = [self.told.index(other) for other in read[:place] if other in self.told]
                self.told.insert(max(before, default=-1) + 1, name)
        self.ended.update(name for name in there & self.unknown if name.startswith("run_"))
        self.unknown.clear()

    def check_what_is_gone(self, gone: list[str]) -> None:
        assert gone == self.told[: len(gone)], "not the oldest"
        for name in gone:
            number = name[4:]
            assert f"run_{number}" in self.ended, f"{name} is unfinished and gone"
        # Gone for good: later lives are not asked for it.
        self.told = [name for name in self.told if name not in set(gone)]

    def check_bodies(self, log: SynchronousLog) -> None:
        for record in log.records:
            if isinstance(record, EventAccepted) and record.event.body.encoding == "blob":
                assert blobs.get(self.disk, str(record.event.body.content)) == self.bodies[record.event.id]


def name_of(record: Record) -> str:
    match record:
        case EventAccepted():
            return record.event.id
        case RunEnded():
            return record.run
        case _:
            raise AssertionError(record)


TestLog = LogMachine.TestCase
TestLog.settings = settings(max_examples=SEQUENCES, stateful_step_count=30, deadline=None)
TestLog = pytest.mark.timeout(300 + SEQUENCES // 5)(TestLog)
