from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.delivery.entry import Conclusion, Entry, performed
from hooksd.delivery.state import begin, fold
from hooksd.model.ids import DeliveryId
from hooksd.model.record import (
    AttemptEnded,
    AttemptStarted,
    DeliveryCreated,
    DeliveryEnded,
    DeliveryStatus,
    Exchange,
    Outcome,
)
from hooksd.model.stored import StoredBody

AT = "2026-11-22T00:00:00.000Z"
Status = Literal["delivered", "exhausted", "gone"]


def ended(endpoint: str, status: Status, *, code: int | None = None, error: str | None = None, sent: int = 1) -> Entry:
    created = DeliveryCreated(
        at=AT,
        delivery=f"dlv_{endpoint}",
        endpoint=endpoint,
        event="evt_1",
        run="run_1",
        step="send",
        revision="r",
        headers={},
        query={},
        body=StoredBody(media="", size=0, encoding="none"),
    )
    end = DeliveryEnded(at=created.at, delivery=created.delivery, endpoint=endpoint, status=status, attempts=sent)
    state = begin(created)._replace(sent=sent, code=code, error=error, ended=end)
    return Entry(DeliveryId(created.delivery), ("run_1", "send", endpoint), state)


def attempt_ended(number: int, outcome: Outcome, code: int | None) -> AttemptEnded:
    return AttemptEnded(
        at=AT,
        delivery="dlv_shop",
        endpoint="shop",
        number=number,
        reason="first",
        outcome=outcome,
        exchange=Exchange(
            method="POST", url="https://a", request_headers={}, request_size=0, request_sha256="", status=code
        ),
        revision="r",
        origin=None,
        error=None if outcome == "ok" else outcome,
    )


def test_one_delivery_tells_its_status_code() -> None:
    done = performed([ended("shop", "delivered", code=202)])

    assert (done.ok, done.code) == (True, 202)
    assert done.output["shop"]["status"] == "delivered"


def test_every_failure_is_named_with_its_attempts() -> None:
    done = performed(
        [
            ended("a", "delivered", code=200),
            ended("b", "exhausted", error="the connection was refused", sent=12),
            ended("c", "gone", code=410),
            ended("d", "exhausted"),
        ]
    )

    assert done.error == (
        "b: the connection was refused (12 attempts); c: answered 410, which means never again; d: failed (1 attempt)"
    )
    assert (done.ok, done.code, done.kind) == (False, None, "exhausted")


def test_only_gone_is_an_answer_and_not_exhaustion() -> None:
    assert performed([ended("a", "delivered"), ended("b", "gone", code=410)]).kind == "http"


def test_the_state_is_the_fold_of_what_it_was_told_however_it_was_told() -> None:
    records = Conclusion(
        AttemptStarted(at=AT, delivery="dlv_1", number=1, reason="first", is_once=True),
        None,
        DeliveryEnded(at=AT, delivery="dlv_1", endpoint="shop", status="gone", attempts=1),
    )
    created = ended("shop", "delivered").known.created
    together = Entry(DeliveryId("dlv_1"), ("", "", "shop"), begin(created))
    one_by_one = Entry(DeliveryId("dlv_1"), ("", "", "shop"), begin(created))

    together.learn(records)
    one_by_one.learn(Conclusion(records.started, None, None))
    one_by_one.learn(Conclusion(None, None, records.end))

    assert together.known == one_by_one.known == fold(created, [one for one in records if one is not None])


def test_what_was_only_created_needs_no_state_and_has_the_one_it_would_have() -> None:
    created = ended("shop", "delivered").created
    entry = Entry(DeliveryId(created.delivery), ("", "", "shop"))

    entry.create(created)

    assert entry.is_fresh
    assert entry.known == fold(created, ())
    assert (entry.known.sent, entry.known.reason, entry.known.is_in_flight) == (0, "first", False)
    entry.learn(Conclusion(AttemptStarted(at=AT, delivery="dlv_1", number=1, reason="first"), None, None))
    assert not entry.is_fresh
    assert entry.known.sent == 1


@given(
    number=st.integers(1, 3),
    outcome=st.sampled_from(("ok", "http_5xx", "refused")),
    status=st.sampled_from(("delivered", "exhausted", "indeterminate", "gone")),
    code=st.sampled_from((None, 200, 204, 503)),
    before=st.booleans(),
)
def test_a_step_is_told_of_what_was_learnt_as_of_the_state_that_it_makes(
    *, number: int, outcome: Outcome, status: DeliveryStatus, code: int | None, before: bool
) -> None:
    learned = Entry(DeliveryId("dlv_shop"), ("run_1", "send", "shop"))
    learned.create(ended("shop", "delivered").created)
    records = Conclusion(
        AttemptStarted(at=AT, delivery="dlv_shop", number=number, reason="first"),
        attempt_ended(number, outcome, code),
        DeliveryEnded(at=AT, delivery="dlv_shop", endpoint="shop", status=status, attempts=number),
    )
    if before:
        learned.learn(Conclusion(records.started, replace(attempt_ended(number, "http_5xx", 500), retry_at=AT), None))
    learned.learn(records)

    folded = Entry(DeliveryId("dlv_shop"), learned.key, learned.known)

    assert performed([learned]) == performed([folded])
    assert performed([learned, ended("b", "gone")]) == performed([folded, ended("b", "gone")])


async def told(entry: Entry) -> None:
    await entry.over()


async def test_all_who_wait_are_told_when_it_is_over_and_nobody_waits_then() -> None:
    entry = ended("shop", "delivered")
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(told(entry)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        entry.tell()

    await entry.over()
    assert [task.cancelled() for task in waiting] == [True, False, False]


def test_a_delivery_that_is_not_created_has_no_state() -> None:
    entry = Entry(DeliveryId("dlv_1"), ("run_1", "send", "shop"), None)

    with pytest.raises(AssertionError, match="dlv_1 is not created yet"):
        _ = entry.known
