from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.journal import checkpoint
from hooksd.journal.checkpoint import OpenWork
from hooksd.journal.replay import unfinished
from hooksd.model.holding import EndpointHeld, EndpointReleased
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import Record
from tests.journal import samples
from tests.journal.bad_disk import BadDisk, flip


def test_what_was_written_is_read(disk: BadDisk) -> None:
    disk.open("log-0000000003.jsonl", new=True).close()

    checkpoint.write(disk, 3)

    assert checkpoint.read(disk) == 3


def test_without_a_checkpoint_everything_is_read(disk: BadDisk) -> None:
    assert checkpoint.read(disk) == 0


def test_a_checkpoint_of_another_log_is_not_believed(disk: BadDisk) -> None:
    checkpoint.write(disk, 3)

    assert checkpoint.read(disk) == 0


def test_a_damaged_checkpoint_is_not_believed(disk: BadDisk, tmp_path: Path) -> None:
    disk.open("log-0000000003.jsonl", new=True).close()
    checkpoint.write(disk, 3)
    path = tmp_path / "log" / checkpoint.CHECKPOINT
    for offset in range(path.stat().st_size - 1):
        flip(path, offset)
        assert checkpoint.read(disk) == 0
        flip(path, offset)


@pytest.mark.parametrize("text", [b"", b"\n", b"{}", b'{"first_segment": 1}\n', b"\xff" * 100])
def test_a_checkpoint_that_somebody_wrote_by_hand_is_not_believed(disk: BadDisk, text: bytes) -> None:
    disk.open("log-0000000001.jsonl", new=True).close()
    disk.save(checkpoint.CHECKPOINT, text)

    assert checkpoint.read(disk) == 0


def test_a_disk_that_cannot_keep_it_costs_nothing_but_time(disk: BadDisk) -> None:
    disk.fail("save")

    checkpoint.write(disk, 3)

    assert checkpoint.read(disk) == 0


def test_recovery_begins_with_the_oldest_unfinished_run() -> None:
    work = OpenWork()
    work.note([samples.accepted(runs=("run_1",))], 1)
    work.note([samples.accepted(runs=("run_2", "run_3"))], 2)
    work.note([samples.accepted(runs=("run_4",))], 3)
    assert work.oldest(9) == 1

    work.note([samples.run_ended("run_1")], 4)
    work.note([samples.run_ended("run_3")], 4)
    assert work.oldest(9) == 2


def test_a_delivery_without_an_end_is_unfinished_too() -> None:
    work = OpenWork()
    work.note([samples.accepted()], 1)
    work.note([samples.delivery_created()], 2)
    work.note([samples.run_ended()], 3)
    assert work.oldest(9) == 2

    work.note([samples.delivery_ended()], 4)
    assert work.oldest(9) == 9


def happened(steps: list[tuple[str, int]]) -> list[Record]:
    """Return the records of what could happen in this order: nothing before its cause, nothing twice."""
    log: list[Record] = []
    done: set[tuple[str, int]] = set()
    needs = {"accepted": None, "created": "accepted", "delivered": "created", "step": "accepted", "ended": "accepted"}
    for kind, number in steps:
        cause = needs[kind]
        over = ("ended", number) in done and kind != "delivered"
        if (kind, number) in done or over or (cause is not None and (cause, number) not in done):
            continue
        done.add((kind, number))
        run, delivery = f"run_{number}", f"dlv_{number}"
        records: dict[str, Record] = {
            "accepted": samples.accepted(f"evt_{number}", (run,)),
            "created": samples.delivery_created(delivery, run),
            "delivered": samples.delivery_ended(delivery),
            "step": samples.step_started(run),
            "ended": samples.run_ended(run),
        }
        log.append(records[kind])
    return log


@given(
    st.lists(st.tuples(st.sampled_from(["accepted", "created", "delivered", "step", "ended"]), st.integers(0, 3))).map(
        happened
    )
)
def test_what_recovery_finds_from_the_checkpoint_on_is_what_it_finds_in_the_whole_log(log: list[Record]) -> None:
    work = OpenWork()
    for segment, record in enumerate(log):
        work.note([record], segment)

    assert unfinished(log[work.oldest(len(log)) :]) == unfinished(log)


def test_an_endpoint_that_is_held_stays_known_until_it_is_released() -> None:
    work = OpenWork()
    work.note([EndpointHeld(at=samples.AT, endpoint="shop", reason="rate")], 1)
    work.note([EndpointHeld(at=samples.AT, endpoint="shop", reason="suspended")], 2)
    work.note([EndpointHeld(at=samples.AT, endpoint="bank", reason="breaker")], 3)
    assert work.oldest(9) == 2

    work.note([EndpointReleased(at=samples.AT, endpoint="shop", reason="suspended")], 4)
    work.note([EndpointReleased(at=samples.AT, endpoint="bank", reason="breaker")], 5)
    assert work.oldest(9) == 9


def test_what_stands_is_known_from_the_segment_on_that_took_it_over() -> None:
    work = OpenWork()
    assert work.carried(samples.AT) is None
    work.note([EndpointHeld(at=samples.AT, endpoint="shop", reason="suspended")], 2)
    carried = work.carried(samples.AT)
    assert carried is not None

    work.note([carried], 7)
    work.note([EndpointHeld(at=samples.AT, endpoint="bank", reason="breaker")], 8)

    assert work.oldest(9) == 7


def test_a_delivery_that_an_event_goes_out_by_is_open_from_the_event_on() -> None:
    work = OpenWork()
    plan = DeliveryPlan(id="dlv_2", endpoint="shop")

    work.note([replace(samples.accepted("evt_9", ()), deliveries=(plan,))], 3)
    assert work.oldest(9) == 3
    work.note([samples.delivery_ended("dlv_2")], 5)
    assert work.oldest(9) == 9
