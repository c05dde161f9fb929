from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from hooksd.delivery.dispatcher import Dispatcher
from hooksd.errors import JournalBroken
from hooksd.model.base import Json
from hooksd.model.record import DeliveryCreated
from hooksd.web.app import admin_app
from hooksd.web.redelivering import MOST, Outbox, RedeliveryDesk
from tests.delivery.house import endpoint, snapshot
from tests.web.desks import FakeOutbox, admin_of
from tests.web.doubles import FakeControl, client
from tests.web.records import ACCEPTED, ATTEMPT, CREATED, DELIVERED, trees

DELIVERY = "dlv_00000000-0000-7000-8000-000000000001"
OTHER = "dlv_00000000-0000-7000-8000-000000000002"
MINE = replace(CREATED, delivery=DELIVERY)
TRIED = replace(ATTEMPT, delivery=DELIVERY)
ENDED = replace(DELIVERED, delivery=DELIVERY, status="exhausted", attempts=2, error="500")
AGAIN = f"/api/v1/deliveries/{DELIVERY}/redeliver"
MANY = "/api/v1/redeliveries"

_: type[Outbox] = Dispatcher


class Desk:
    """An admin application that delivers again."""

    def __init__(self) -> None:
        self.control = FakeControl()
        self.control.snapshot = snapshot(endpoint("slack"), endpoint("erp"))
        self.control.records = trees(MINE, TRIED, ENDED)
        self.outbox = FakeOutbox()
        desk = RedeliveryDesk(control=self.control, outbox=self.outbox, created=self.created)
        self.app = admin_app(admin_of(self.control, desk), token=None)

    async def created(self, delivery: str) -> Mapping[str, Json] | None:
        return next((one for one in self.control.records if one.get("delivery") == delivery), None)

    async def post(self, path: str, document: Any = None) -> httpx.Response:
        async with client(self.app) as caller:
            return await (caller.post(path) if document is None else caller.post(path, json=document))

    async def ask(self, *wanted: tuple[str, int]) -> list[Any]:
        answer = await self.post(MANY, {"deliveries": [{"id": one, "attempts": count} for one, count in wanted]})
        assert answer.status_code == 202
        return list(answer.json()["deliveries"])


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- one


async def test_a_delivery_is_made_again_as_it_was_created(desk: Desk) -> None:
    answer = await desk.post(AGAIN)

    assert (answer.status_code, answer.json()) == (202, {"delivery": DELIVERY, "endpoint": "slack", "attempts": 2})
    ((created, attempts, in_turn),) = desk.outbox.asked
    assert isinstance(created, DeliveryCreated)
    assert (created.delivery, created.body.content, attempts, in_turn) == (DELIVERY, {}, 2, False)


async def test_one_without_an_end_is_attempted_at_once(desk: Desk) -> None:
    desk.outbox.open.add(DELIVERY)

    assert (await desk.post(AGAIN, {})).status_code == 202
    assert len(desk.outbox.asked) == 1


PLANNED: Mapping[str, Any] = {**trees(ACCEPTED)[0], "deliveries": [{"id": DELIVERY, "endpoint": "slack"}]}


@pytest.mark.parametrize(
    ("records", "status", "said"),
    [
        ([], 404, "the log holds no delivery"),
        ([PLANNED], 409, "about to begin"),
        (trees(replace(MINE, is_call=True), ENDED), 409, "it is a call"),
        (trees(replace(MINE, endpoint="gone"), ENDED), 409, "no endpoint is called 'gone'"),
    ],
    ids=["unknown", "planned", "call", "endpoint removed"],
)
async def test_what_cannot_be_made_again_says_why(desk: Desk, records: Any, status: int, said: str) -> None:
    desk.control.records = records

    answer = await desk.post(AGAIN)

    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert desk.outbox.asked == []


@pytest.mark.parametrize("document", [[], {"in_turn": True}, 7])
async def test_a_request_that_says_something_is_not_carried_out(desk: Desk, document: Any) -> None:
    answer = await desk.post(AGAIN, document)

    assert answer.status_code == 422
    assert desk.outbox.asked == []


# --- many


async def test_many_wait_for_their_turn_and_count_on(desk: Desk) -> None:
    desk.control.records = trees(MINE, replace(MINE, delivery=OTHER, again=OTHER))

    told = await desk.ask((DELIVERY, 3), (OTHER, 7))

    assert told == [{"delivery": one, "asked": True, "detail": None} for one in (DELIVERY, OTHER)]
    assert [(created.delivery, attempts, in_turn) for created, attempts, in_turn in desk.outbox.asked] == [
        (DELIVERY, 3, True), (OTHER, 7, True),
    ]  # fmt: skip
    assert {created.again for created, _, _ in desk.outbox.asked} == {None}


async def test_of_many_each_that_cannot_be_made_again_says_why(desk: Desk) -> None:
    desk.outbox.open.add(DELIVERY)
    call = "dlv_00000000-0000-7000-8000-000000000003"
    desk.control.records = trees(MINE, replace(MINE, delivery=call, is_call=True))

    told = await desk.ask((DELIVERY, 1), (OTHER, 1), (call, 1))

    assert [(one["asked"], one["detail"]) for one in told] == [
        (False, "it is under way already"),
        (False, f"the log holds no delivery {OTHER}; it is another daemon's, or older than `retention_age` keeps"),
        (False, "it is a call: somebody waited for its answer, and nobody would get another one"),
    ]
    assert desk.outbox.asked == []


@pytest.mark.parametrize(
    ("document", "status", "said"),
    [
        (None, 422, "send {"),
        ({}, 422, "send {"),
        ({"deliveries": []}, 422, "send {"),
        ({"deliveries": [{"id": DELIVERY}], "more": 1}, 422, "send {"),
        ({"deliveries": [{"id": DELIVERY}, {"id": "evt_1"}]}, 422, "delivery 1, counted from 0"),
        ({"deliveries": [{"id": DELIVERY, "attempts": "3"}]}, 422, "delivery 0"),
        ({"deliveries": [{"id": DELIVERY, "attempts": True}]}, 422, "delivery 0"),
        ({"deliveries": [{"id": DELIVERY, "attempts": -1}]}, 422, "delivery 0"),
        ({"deliveries": [{"id": DELIVERY, "attempt": 1}]}, 422, "delivery 0"),
        ({"deliveries": [DELIVERY]}, 422, "delivery 0"),
        ({"deliveries": [{"id": DELIVERY}] * (MOST + 1)}, 413, "send them in parts"),
    ],
)
async def test_a_request_for_many_that_is_not_understood_asks_for_none(
    desk: Desk, document: Any, status: int, said: str
) -> None:
    answer = await desk.post(MANY, document)

    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert desk.outbox.asked == []


async def test_a_log_that_is_at_its_end_is_told_as_everywhere(desk: Desk) -> None:
    desk.outbox.error = JournalBroken("at its end")

    assert (await desk.post(MANY, {"deliveries": [{"id": DELIVERY}]})).status_code == 503
    assert (await desk.post(AGAIN)).status_code == 503
