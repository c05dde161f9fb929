from __future__ import annotations

import pytest

from hooksd.journal.retention import EVERYTHING, Closed, Keep, surplus
from tests.durability.hand_clock import HandClock
from tests.durability.simulated_disk import SimulatedDisk
from tests.durability.synchronous_log import SynchronousLog
from tests.journal import samples

DAY = 86400.0


def closed(*sizes: int, ended: float | None = 0.0) -> list[Closed]:
    return [Closed(number=index + 1, size=size, ended=ended) for index, size in enumerate(sizes)]


def segments(log: SynchronousLog) -> list[str]:
    return [name for name in log.disk.names() if name.endswith(".jsonl")]


def full(log: SynchronousLog, number: int) -> None:
    """Fill one more segment with a run that has ended."""
    run, event = f"run_{number}", f"evt_{number}"
    log.append([samples.accepted(event, (run,)), samples.run_ended(run, event)])
    log.rotate()


def test_without_a_limit_everything_is_kept() -> None:
    assert EVERYTHING.everything
    assert surplus(closed(9, 9, 9), current=9, needed=99, now=1e12, keep=EVERYTHING) == 0


@pytest.mark.parametrize(("size", "count"), [(40, 0), (39, 1), (29, 2), (1, 3)])
def test_the_oldest_go_until_the_rest_is_small_enough(size: int, count: int) -> None:
    assert surplus(closed(10, 10, 10), current=10, needed=99, now=0, keep=Keep(size=size)) == count


def test_a_segment_goes_when_its_last_record_is_too_old() -> None:
    young = [Closed(number=3, size=1, ended=5 * DAY)]

    assert surplus([*closed(1, 1), *young], current=1, needed=99, now=6 * DAY, keep=Keep(age=2 * DAY)) == 2


def test_a_segment_of_unknown_age_is_not_too_old() -> None:
    assert surplus(closed(1, ended=None), current=1, needed=99, now=1e12, keep=Keep(age=1)) == 0


def test_unfinished_work_stays_with_everything_behind_it() -> None:
    assert surplus(closed(10, 10, 10), current=10, needed=2, now=1e12, keep=Keep(age=1, size=1)) == 1


def test_a_sweep_removes_the_oldest_segments_and_the_bodies_that_they_alone_named() -> None:
    log = SynchronousLog(SimulatedDisk(), keep=Keep(size=3000))
    shared, own = log.put_blob(b"shared"), log.put_blob(b"o" * 500)
    for number, digest in enumerate((own, shared, shared, shared)):
        body = samples.stored_blob(digest, 500)
        log.append([samples.accepted(f"evt_{number}", (), body=body)])
        log.rotate()
    again = SynchronousLog(log.disk, keep=Keep(size=1500))
    again.sweep()

    assert "log-0000000001.jsonl" not in segments(again)
    assert [name.rpartition("/")[2] for name in again.disk.tree("blobs")] == [shared.removeprefix("sha256:")]


def test_a_body_that_was_stored_a_moment_ago_stays_although_no_record_names_it_yet() -> None:
    log = SynchronousLog(SimulatedDisk(), keep=Keep(size=1))
    log.put_blob(b"its record comes later")

    log.sweep()

    assert len(list(log.disk.tree("blobs"))) == 1


def test_a_body_whose_record_never_came_is_removed_by_the_next_process() -> None:
    log = SynchronousLog(SimulatedDisk(), keep=Keep(size=1 << 30))
    log.put_blob(b"the process was killed before its record was written")

    SynchronousLog(log.disk, keep=Keep(size=1 << 30)).sweep()

    assert list(log.disk.tree("blobs")) == []


def test_a_definition_stays_as_long_as_the_process_that_stored_it_may_name_it_again() -> None:
    clock = HandClock()
    log = SynchronousLog(SimulatedDisk(), keep=Keep(size=1), clock=clock)
    definition = log.put_blob(b"a workflow")
    log.append([samples.accepted("evt_1", definition=definition), samples.run_ended("run_1", "evt_1")])
    log.rotate()
    clock.move(2 * DAY)
    full(log, 2)

    log.sweep()

    assert segments(log) == ["log-0000000002.jsonl"]
    assert len(list(log.disk.tree("blobs"))) == 1
    SynchronousLog(log.disk, keep=Keep(size=1)).sweep()
    assert list(log.disk.tree("blobs")) == []


def test_what_belongs_to_a_segment_goes_with_it() -> None:
    log = SynchronousLog(SimulatedDisk(), keep=Keep(size=1))
    log.disk.save("log-0000000001.jsonl.torn", b"cut off")
    full(log, 1)
    full(log, 2)

    log.sweep()

    assert [name for name in log.disk.names() if "0001" in name] == []


def test_nothing_is_looked_at_twice_for_nothing() -> None:
    disk = SimulatedDisk()
    log = SynchronousLog(disk, keep=Keep(size=1 << 30))
    full(log, 1)
    full(log, 2)
    log.sweep()
    touched: list[str] = []
    disk.on_step = touched.append

    log.sweep()

    assert touched == []


def test_a_segment_that_became_too_old_is_removed_without_a_new_one() -> None:
    clock = HandClock()
    log = SynchronousLog(SimulatedDisk(), keep=Keep(age=DAY), clock=clock)
    full(log, 1)
    full(log, 2)
    log.sweep()
    before = len(segments(log))

    clock.move(2 * DAY)
    log.sweep()

    assert (before, segments(log)) == (2, ["log-0000000002.jsonl"])
