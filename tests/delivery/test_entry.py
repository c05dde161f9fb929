from __future__ import annotations

from typing import Literal

import pytest

from hooksd.delivery.entry import Entry, performed
from hooksd.delivery.state import begin
from hooksd.model.ids import DeliveryId
from hooksd.model.record import DeliveryCreated, DeliveryEnded
from hooksd.model.stored import StoredBody

Status = Literal["delivered", "exhausted", "gone"]


def ended(endpoint: str, status: Status, *, code: int | None = None, error: str | None = None, sent: int = 1) -> Entry:
    created = DeliveryCreated(
        at="2026-11-22T00:00:00.000Z",
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


def test_a_delivery_that_is_not_created_has_no_state() -> None:
    entry = Entry(DeliveryId("dlv_1"), ("run_1", "send", "shop"), None)

    with pytest.raises(AssertionError, match="dlv_1 is not created yet"):
        _ = entry.known
