from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hooksd.journal.replay import Unfinished, UnfinishedDelivery, unfinished
from hooksd.model.holding import EndpointHeld, EndpointReleased
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import DaemonStarted, Record
from hooksd.model.stored import StoredCause
from tests.journal import samples

NOTHING = Unfinished(events={}, runs=(), deliveries=(), finished_deliveries=())


def test_an_empty_log_has_no_unfinished_work() -> None:
    assert unfinished([]) == NOTHING


def test_an_event_that_started_nothing_is_finished() -> None:
    assert unfinished([samples.accepted(runs=())]) == NOTHING


def test_a_run_without_an_end_is_unfinished_with_everything_known_about_it_in_order() -> None:
    records: list[Record] = [samples.accepted(), samples.run_started(), samples.step_started(), samples.step_ended()]

    left = unfinished(records)

    (run,) = left.runs
    assert run.plan.id == "run_1"
    assert run.accepted == samples.accepted()
    assert run.records == tuple(records[1:])
    assert left.events == {"evt_1": samples.accepted()}


def test_a_run_with_an_end_is_forgotten_and_its_event_too() -> None:
    assert unfinished([samples.accepted(), samples.run_started(), samples.run_ended()]) == NOTHING


def test_one_of_two_runs_of_an_event_can_be_unfinished() -> None:
    left = unfinished([samples.accepted(runs=("run_1", "run_2")), samples.run_ended("run_1")])

    assert [run.plan.id for run in left.runs] == ["run_2"]
    assert "evt_1" in left.events


def test_unfinished_runs_are_in_the_order_of_their_acceptance() -> None:
    left = unfinished([samples.accepted("evt_2", ("run_9",)), samples.accepted("evt_3", ("run_3", "run_1"))])

    assert [run.plan.id for run in left.runs] == ["run_9", "run_3", "run_1"]


def test_an_event_that_a_run_emitted_is_known_to_the_run() -> None:
    emitted = samples.accepted("evt_2", (), cause=StoredCause(event="evt_1", run="run_1", step="publish"))

    left = unfinished([samples.accepted(), emitted])

    assert left.runs[0].records == (emitted,)


def test_an_event_that_a_run_emitted_starts_runs_of_its_own() -> None:
    emitted = samples.accepted("evt_2", ("run_2",), cause=StoredCause(event="evt_1", run="run_1", step="publish"))

    left = unfinished([samples.accepted(), emitted, samples.run_ended("run_1")])

    assert [run.plan.id for run in left.runs] == ["run_2"]
    assert set(left.events) == {"evt_2"}


def test_a_delivery_without_an_end_is_unfinished_with_its_attempts() -> None:
    attempts = (samples.attempt_started(), samples.attempt_ended())

    left = unfinished([samples.accepted(), samples.delivery_created(), *attempts])

    assert left.deliveries == (UnfinishedDelivery(created=samples.delivery_created(), records=attempts),)
    assert left.runs[0].records == (samples.delivery_created(),)


def test_a_delivery_goes_on_after_its_run_has_ended() -> None:
    left = unfinished([samples.accepted(), samples.delivery_created(), samples.run_ended()])

    assert [delivery.created.delivery for delivery in left.deliveries] == ["dlv_1"]
    assert left.runs == ()


def test_a_delivery_that_ended_is_kept_while_its_step_may_ask_for_its_end() -> None:
    left = unfinished([samples.accepted(), samples.delivery_created(), samples.delivery_ended()])

    assert left.deliveries == ()
    assert left.finished_deliveries == (
        UnfinishedDelivery(created=samples.delivery_created(), records=(samples.delivery_ended(),)),
    )
    assert left.runs[0].records == (samples.delivery_created(), samples.delivery_ended())


def test_a_delivery_is_forgotten_when_it_and_its_run_have_ended_in_either_order() -> None:
    begun: list[Record] = [samples.accepted(), samples.delivery_created()]

    assert unfinished([*begun, samples.delivery_ended(), samples.run_ended()]) == NOTHING
    assert unfinished([*begun, samples.run_ended(), samples.delivery_ended()]) == NOTHING


def test_records_about_work_from_before_the_log_begins_are_passed_over() -> None:
    ends: list[Record] = [samples.step_ended(), samples.run_ended(), samples.attempt_ended(), samples.delivery_ended()]

    assert unfinished(ends) == NOTHING


def test_records_about_the_daemon_are_no_work() -> None:
    started = DaemonStarted(at=samples.AT, version="1", pid=1, unfinished_runs=0, unfinished_deliveries=0)

    assert unfinished([started, samples.refused()]) == NOTHING


@given(st.lists(samples.records(), max_size=30))
def test_any_log_at_all_can_be_read(records: list[Record]) -> None:
    left = unfinished(records)

    assert {run.accepted.event.id for run in left.runs} == set(left.events)


def test_memory_is_bounded_by_the_work_that_is_not_finished() -> None:
    def history(length: int) -> Iterator[Record]:
        for number in range(length):
            run, delivery = f"run_{number}", f"dlv_{number}"
            yield samples.accepted(f"evt_{number}", (run,))
            yield samples.delivery_created(delivery, run)
            yield samples.delivery_ended(delivery)
            yield samples.run_ended(run)

    def peak(length: int) -> int:
        tracemalloc.start()
        try:
            unfinished(history(length))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    assert peak(5_000) < peak(50) + 100_000


def test_what_holds_an_endpoint_over_a_restart_is_known_until_it_is_released() -> None:
    suspended = EndpointHeld(at=samples.AT, endpoint="shop", reason="suspended")
    patience = EndpointHeld(at=samples.AT, endpoint="bank", reason="receiver", until=samples.AT)
    records: list[Record] = [suspended, patience, EndpointHeld(at=samples.AT, endpoint="bank", reason="rate")]
    assert unfinished(records).held == (suspended, patience)

    records.append(EndpointReleased(at=samples.AT, endpoint="shop", reason="suspended"))
    assert unfinished(records).held == (patience,)


def test_what_was_pinged_is_known() -> None:
    plan = DeliveryPlan(id="dlv_1", endpoint="shop", fingerprint="ab")

    assert unfinished([replace(samples.accepted(runs=()), deliveries=(plan,))]).pinged == {"shop": "ab"}
