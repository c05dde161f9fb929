from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.clock import unix
from hooksd.delivery.policy import Over
from hooksd.delivery.state import apply, begin, fold
from hooksd.model.record import (
    AttemptEnded,
    AttemptStarted,
    DeliveryCreated,
    DeliveryEnded,
    Exchange,
    Outcome,
    Record,
    RunStarted,
)
from hooksd.model.stored import StoredBody

AT = "2026-11-22T00:00:00.000Z"
LATER = "2026-11-22T00:00:02.000Z"
CREATED = DeliveryCreated(
    at=AT,
    delivery="dlv_1",
    endpoint="shop",
    event="evt_1",
    run="run_1",
    step="send",
    revision="r",
    headers={},
    query={},
    body=StoredBody(media="", size=0, encoding="none"),
)


def started(number: int) -> AttemptStarted:
    return AttemptStarted(at=AT, delivery="dlv_1", number=number, reason="first")


def ended(number: int, status: int | None, outcome: Outcome, retry_at: str | None) -> AttemptEnded:
    exchange = Exchange(method="POST", url="", request_headers={}, request_size=0, request_sha256="", status=status)
    return AttemptEnded(
        at=AT,
        delivery="dlv_1",
        endpoint="shop",
        number=number,
        reason="first",
        outcome=outcome,
        exchange=exchange,
        revision="r",
        origin=None,
        error="answered",
        retry_at=retry_at,
    )


def test_a_new_delivery_is_due_at_once_for_the_first_time() -> None:
    delivery = begin(CREATED)

    assert (delivery.due, delivery.reason, delivery.over) == (unix(AT), "first", None)


def test_an_attempt_without_an_outcome_is_recovered() -> None:
    delivery = fold(CREATED, [started(1)])

    assert (delivery.reason, delivery.sent, delivery.failed) == ("recovery", 1, 0)


def test_a_failed_attempt_is_due_when_the_log_says() -> None:
    delivery = fold(CREATED, [started(1), ended(1, 500, "http_5xx", LATER)])

    assert (delivery.reason, delivery.due, delivery.code, delivery.failed) == ("retry", unix(LATER), 500, 1)


@pytest.mark.parametrize(
    ("status", "outcome", "over"),
    [(200, "ok", "delivered"), (410, "http_4xx", "gone"), (None, "dns", "exhausted")],
)
def test_a_last_attempt_decides_the_end_even_when_the_end_is_missing(
    status: int | None, outcome: Outcome, over: Literal["delivered", "gone", "exhausted"]
) -> None:
    assert fold(CREATED, [started(1), ended(1, status, outcome, None)]).over == Over(status=over)


@pytest.mark.parametrize(
    ("once", "phases", "over"),
    [
        (True, {"connect": 1.0, "request": 2.0}, "indeterminate"),
        (True, {"connect": 1.0}, "exhausted"),
        (False, {"connect": 1.0, "request": 2.0}, "exhausted"),
    ],
)
def test_where_nothing_may_arrive_twice_an_end_that_is_missing_says_whether_the_last_request_had_left(
    *, once: bool, phases: dict[str, float], over: Literal["indeterminate", "exhausted"]
) -> None:
    last = ended(1, None, "reset", None)
    last = replace(last, exchange=replace(last.exchange, phases=phases))

    assert fold(CREATED, [replace(started(1), is_once=once), last]).over == Over(status=over)


def test_the_end_is_remembered() -> None:
    end = DeliveryEnded(at=AT, delivery="dlv_1", endpoint="shop", status="gone", attempts=1)

    delivery = apply(begin(CREATED), end)

    assert (delivery.ended, delivery.over) == (end, Over(status="gone"))


def test_a_record_about_something_else_changes_nothing() -> None:
    assert apply(begin(CREATED), RunStarted(at=AT, run="run_1", workflow="w", revision="r")) == begin(CREATED)


@given(st.lists(st.sampled_from([started(1), ended(1, 500, "http_5xx", LATER), started(2)]), max_size=8), st.data())
def test_folding_in_two_parts_is_folding_at_once(records: list[Record], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(records)))
    delivery = fold(CREATED, records[:at])
    for record in records[at:]:
        delivery = apply(delivery, record)

    assert delivery == fold(CREATED, records)
