from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from hooksd.clock import unix
from hooksd.journal import codec
from hooksd.journal.related import Related
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import Record
from hooksd.model.stored import StoredCause
from tests.journal import samples

LOG: list[Record] = [
    samples.accepted("evt_1", ("run_1", "run_2")),
    samples.accepted("evt_2", ("run_3",)),
    samples.run_started("run_1"),
    samples.run_started("run_3"),
    samples.delivery_created("dlv_1", "run_1"),
    samples.accepted("evt_3", ("run_4",), cause=StoredCause(event="evt_1", run="run_1", step="tell")),
    samples.attempt_ended("dlv_1"),
    samples.delivery_ended("dlv_1"),
    samples.run_ended("run_1"),
    samples.run_ended("run_2"),
    samples.run_ended("run_3", "evt_2"),
]


def tree(record: Record) -> dict[str, Any]:
    data: dict[str, Any] = orjson.loads(codec.dump(record))
    return data


def taken(identifier: str) -> list[int]:
    related = Related(identifier)
    return [index for index, record in enumerate(LOG) if related.take(tree(record))]


def test_an_event_has_its_runs_their_deliveries_and_what_they_emitted() -> None:
    assert taken("evt_1") == [0, 2, 4, 5, 6, 7, 8, 9]


def test_a_run_has_its_event_and_its_deliveries_but_not_its_siblings() -> None:
    assert taken("run_1") == [0, 2, 4, 5, 6, 7, 8]


def test_a_delivery_has_its_attempts_and_its_end() -> None:
    assert taken("dlv_1") == [4, 6, 7]


def test_nothing_is_about_an_unknown_id() -> None:
    assert taken("evt_9") == []


def test_records_about_the_daemon_are_about_nothing() -> None:
    assert not Related("evt_1").take(tree(samples.refused()))


def test_an_event_has_ended_when_all_of_it_has() -> None:
    related = Related("evt_1")
    for record in LOG[:9]:
        related.take(tree(record))
        assert related.ended_at is None
    related.take(tree(LOG[9]))

    assert related.ended_at == unix(samples.AT)


def test_an_event_that_started_nothing_has_ended_at_once() -> None:
    related = Related("evt_1")
    related.take(tree(samples.accepted("evt_1", ())))

    assert related.ended_at == unix(samples.AT)


def test_what_was_not_seen_has_not_ended() -> None:
    assert Related("evt_1").ended_at is None


def test_an_event_has_the_deliveries_that_it_goes_out_by_and_they_have_it() -> None:
    plan = DeliveryPlan(id="dlv_2", endpoint="shop")
    log: list[Record] = [
        replace(samples.accepted("evt_9", ()), deliveries=(plan,)),
        samples.delivery_created("dlv_2", ""),
        samples.delivery_ended("dlv_2"),
    ]
    for identifier in ("evt_9", "dlv_2"):
        related = Related(identifier)
        assert [related.take(tree(record)) for record in log] == [True, True, True]
        assert related.ended_at is not None
