from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from hooksd.model.record import AttemptEnded, DeliveryCreated, DeliveryEnded, Record
from hooksd.web.recent import MOST, marks, masked, recent
from tests.web.records import ATTEMPT, CREATED, DELIVERED, trees


def created(delivery: str, endpoint: str = "slack", attempts: int = 0) -> DeliveryCreated:
    return replace(CREATED, delivery=delivery, endpoint=endpoint, attempts=attempts)


def attempt(delivery: str, number: int = 1, body: str = "") -> AttemptEnded:
    exchange = replace(ATTEMPT.exchange, response_body=body)
    return replace(ATTEMPT, delivery=delivery, number=number, exchange=exchange)


def ended(delivery: str) -> DeliveryEnded:
    return replace(DELIVERED, delivery=delivery)


def shown(*records: Record, endpoint: str = "slack", count: int = MOST) -> list[dict[str, Any]]:
    newest_first = trees(*records)[::-1]
    return recent(lambda: newest_first, endpoint, count)


def test_the_last_deliveries_come_first_each_with_its_last_exchange() -> None:
    found = shown(
        created("dlv_1"),
        attempt("dlv_1", 1, "no"),
        created("dlv_2"),
        attempt("dlv_1", 2, "yes"),
        ended("dlv_1"),
        attempt("dlv_2", 1, "later"),
    )

    assert [(one["id"], one["status"], one["attempts"]) for one in found] == [
        ("dlv_2", "pending", 1),
        ("dlv_1", "delivered", 2),
    ]
    assert [[exchange["response_body"] for exchange in one["exchanges"]] for one in found] == [["later"], ["yes"]]
    assert [one["next_attempt_at"] for one in found] == ["t8", None]


def test_no_more_are_shown_than_were_asked_for_and_what_is_older_is_not_looked_at() -> None:
    records = trees(*(created(f"dlv_{number}") for number in range(5)))
    looked_at: list[str] = []

    def read() -> Iterator[dict[str, Any]]:
        for tree in reversed(records):
            looked_at.append(tree["delivery"])
            yield tree

    assert [one["id"] for one in recent(read, "slack", 2)] == ["dlv_4", "dlv_3"]
    assert set(looked_at) <= {"dlv_4", "dlv_3", "dlv_2"}


def test_one_that_is_about_to_be_sent_has_no_exchange_yet() -> None:
    (one,) = shown(created("dlv_1"))

    assert (one["status"], one["attempts"], one["exchanges"]) == ("pending", 0, [])


def test_one_that_began_anew_is_shown_once_and_as_it_is_since() -> None:
    (one,) = shown(created("dlv_1"), attempt("dlv_1", 3, "no"), ended("dlv_1"), created("dlv_1", attempts=3))

    assert (one["status"], one["attempts"], one["exchanges"]) == ("pending", 3, [])


def test_deliveries_to_others_are_not_shown() -> None:
    assert [one["id"] for one in shown(created("dlv_1", "erp"), created("dlv_2"), attempt("dlv_1"))] == ["dlv_2"]
    assert shown(created("dlv_1", "erp")) == []


def test_what_a_line_holds_is_how_the_log_writes_it() -> None:
    assert marks("slack") == (b'"endpoint":"slack"',)
    assert marks("b\udce4r") == (b'"endpoint":"b\xe4r"',)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a sesame b", "a *** b"),
        ({"sesame": ["sesame", 7, None, True]}, {"***": ["***", 7, None, True]}),
        ("open sesame", "***"),
        ("sesam", "sesam"),
    ],
)
def test_secrets_are_shown_nowhere(value: Any, expected: Any) -> None:
    assert masked(value, ("open sesame", "sesame")) == expected
