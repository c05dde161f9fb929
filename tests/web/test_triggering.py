from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from hooksd.journal.memory import MemoryJournal
from hooksd.model.base import Json
from hooksd.model.effect import Deliver, Performed
from hooksd.model.record import RequestRefused
from hooksd.model.secret import Secret
from hooksd.telemetry.observer import Observer
from hooksd.testing import FakeClock
from hooksd.web.app import admin_app
from hooksd.web.refusals import Refusals
from hooksd.web.triggering import TriggerDesk
from tests.delivery.house import endpoint
from tests.web.desks import admin_of
from tests.web.doubles import FakeControl, client

OUTPUT: Mapping[str, Json] = {
    "referenceId": "dlv_1", "status": 404, "data": {"a": 1}, "error": True, "message": "answered 404",
}  # fmt: skip


class Desk:
    """An admin application that asks endpoints, one of which lets a plugin ask it."""

    def __init__(self) -> None:
        self.asked: list[Deliver] = []
        self.performed = Performed(ok=True, code=404, output=OUTPUT)
        self.is_ready = True
        self.gate = asyncio.Event()
        """The endpoint answers when it is set."""
        self.gate.set()
        control = self.control = FakeControl()
        shop = endpoint("shop", callers=["plugin"], query_params=["page"], max_in_flight=2, timeout="200ms")
        shops = (shop, endpoint("erp"))
        control.snapshot = replace(control.snapshot, endpoints={shop.name: shop for shop in shops})
        self.journal = MemoryJournal()
        self.refusals = Refusals(journal=self.journal, clock=FakeClock(), observer=Observer())
        desk = TriggerDesk(
            deliver=self._deliver,
            current=control.current,
            is_ready=lambda: self.is_ready,
            refusals=self.refusals,
        )
        self.app = admin_app(
            admin_of(control, desk), token=Secret(b"operator"), triggers={"plugin": Secret(b"plugin key")}
        )

    async def _deliver(self, effect: Deliver) -> Performed:
        self.asked.append(effect)
        await self.gate.wait()
        return self.performed

    async def post(self, document: Any = None, name: str = "shop", key: str = "operator") -> httpx.Response:
        async with client(self.app) as caller:
            return await caller.post(
                f"/api/v1/endpoints/{name}/trigger", json=document, headers={"Authorization": f"Bearer {key}"}
            )

    async def under_way(self, count: int) -> None:
        """Return when so many were asked."""
        async with asyncio.timeout(30):
            while len(self.asked) < count:
                await asyncio.sleep(0.001)

    async def refused(self) -> list[tuple[str | None, str, int, str, int]]:
        """Return what the log says of refused triggers."""
        await self.refusals.flush()
        return [
            (record.endpoint, record.reason, record.status, record.peer, record.count)
            for record in self.journal.records
            if isinstance(record, RequestRefused) and record.webhook is None
        ]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_what_came_of_it_is_four_members_whatever_it_was(desk: Desk) -> None:
    said = await desk.post({"data": {"a": 1}})

    assert said.status_code == 200
    assert said.json() == {"referenceId": "dlv_1", "status": 404, "data": {"a": 1}, "error": True}


@pytest.mark.parametrize(
    ("data", "media", "body"),
    [
        ({"a": 1}, "application/json", b'{"a":1}'),
        ("hi", "text/plain", b"hi"),
        (None, "", b""),
        (0, "application/json", b"0"),
    ],
)
async def test_the_endpoint_is_asked_once_for_a_caller_with_what_was_given(
    desk: Desk, data: Json, media: str, body: bytes
) -> None:
    await desk.post({"data": data, "headers": {"X-A": "b"}, "queryParams": {"page": 2}})

    (asked,) = desk.asked
    assert (asked.endpoints, asked.is_call, asked.retry, asked.by) == (("shop",), True, "none", "admin")
    assert (asked.media, asked.body) == (media, body)
    assert (asked.headers, asked.query) == ({"X-A": "b"}, {"page": "2"})
    assert (asked.event, asked.run, asked.step) == ("", "", "")
    assert asked.scope is not None
    assert asked.scope() == {"body": data, "headers": {"x-a": "b"}, "query": {"page": "2"}}


@pytest.mark.parametrize("document", [None, {}, {"data": None, "headers": None, "queryParams": None}])
async def test_nothing_has_to_be_given(desk: Desk, document: Json) -> None:
    assert (await desk.post(document)).status_code == 200
    assert (desk.asked[0].body, desk.asked[0].headers, desk.asked[0].query) == (b"", {}, {})


async def test_parameters_may_be_called_query_as_on_a_step(desk: Desk) -> None:
    assert (await desk.post({"query": {"page": "1.5"}})).status_code == 200
    assert desk.asked[0].query == {"page": "1.5"}


@pytest.mark.parametrize(
    ("document", "detail"),
    [
        ([], "send a JSON object"),
        ({"body": 1}, "unknown key 'body'"),
        ({"query": {}, "queryParams": {}}, "send one of them"),
        ({"headers": ["X-A"]}, "`headers` is an object"),
        ({"headers": {"X-A": None}}, "`headers` is an object"),
        ({"queryParams": {"page": {}}}, "`queryParams` is an object"),
        ({"queryParams": {"side": 1}}, "endpoint shop: the query takes `page`: leave 'side' out"),
        ({"headers": {"host": "x"}}, "endpoint shop: the header host"),
    ],
)
async def test_what_is_not_meant_is_refused_before_anybody_is_asked(desk: Desk, document: Json, detail: str) -> None:
    said = await desk.post(document)

    assert (said.status_code, detail in said.json()["detail"]) == (422, True)
    assert desk.asked == []


async def test_what_does_not_fit_is_refused_with_the_reason(desk: Desk) -> None:
    desk.performed = Performed(ok=False, error="endpoint shop: the text is not base64")

    said = await desk.post({"data": "!"})

    assert (said.status_code, said.json()["detail"]) == (422, "endpoint shop: the text is not base64")


async def test_nobody_is_asked_when_it_could_not_be_written_down(desk: Desk) -> None:
    desk.is_ready = False

    said = await desk.post({})

    assert (said.status_code, "retry-after" in said.headers) == (503, True)
    assert desk.asked == []


async def test_an_operator_is_told_which_name_may_be_meant_and_a_key_for_triggers_is_not(desk: Desk) -> None:
    assert "did you mean 'shop'?" in (await desk.post({}, "shpo")).json()["detail"]
    assert (await desk.post({}, "shpo", "plugin key")).json()["detail"] == "there is no endpoint 'shpo'"


async def test_a_key_for_triggers_asks_what_names_it_and_for_all_else_there_is_nothing(desk: Desk) -> None:
    assert (await desk.post({}, "shop", "plugin key")).status_code == 200
    assert desk.asked[0].by == "plugin"
    assert (await desk.post({}, "erp", "plugin key")).json()["detail"] == "there is no endpoint 'erp'"
    assert (await desk.post({}, "erp")).status_code == 200


async def test_what_does_not_fit_is_in_the_log_with_who_asked_and_many_alike_are_one(desk: Desk) -> None:
    for side in range(3):
        await desk.post({"queryParams": {"side": side}}, key="plugin key")
    await desk.post([])

    assert await desk.refused() == [("shop", "unfit", 422, "admin", 4)]


async def test_what_the_endpoint_itself_cannot_be_given_is_in_the_log_too(desk: Desk) -> None:
    desk.performed = Performed(ok=False, error="/a: not a number")
    await desk.post({"data": {}}, key="plugin key")

    assert await desk.refused() == [("shop", "unfit", 422, "plugin", 1)]


async def test_a_key_that_asks_what_it_may_not_is_in_the_log_although_it_learns_nothing(desk: Desk) -> None:
    await desk.post({}, name="erp", key="plugin key")

    assert await desk.refused() == [("erp", "callers", 404, "plugin", 1)]


async def test_names_of_nothing_are_counted_together_so_that_nobody_can_fill_the_memory(desk: Desk) -> None:
    for number in range(5):
        await desk.post({}, name=f"e{number}")

    assert await desk.refused() == [(None, "unknown_endpoint", 404, "admin", 5)]


async def test_a_body_that_is_no_json_is_in_the_log(desk: Desk) -> None:
    async with client(desk.app) as caller:
        headers = {"Authorization": "Bearer operator"}
        said = await caller.post("/api/v1/endpoints/shop/trigger", content=b"{", headers=headers)

    assert said.status_code == 400
    assert await desk.refused() == [("shop", "unreadable_body", 400, "admin", 1)]


async def test_what_is_served_or_comes_too_soon_is_no_refusal(desk: Desk) -> None:
    await desk.post({})
    desk.is_ready = False
    assert (await desk.post({})).status_code == 503

    assert await desk.refused() == []


async def test_who_finds_no_place_in_time_is_told_so_and_nothing_is_sent(desk: Desk) -> None:
    desk.gate.clear()
    async with asyncio.TaskGroup() as group:
        first = [group.create_task(desk.post({})) for _ in range(2)]
        await desk.under_way(2)
        late = await desk.post({}, key="plugin key")
        elsewhere = group.create_task(desk.post({}, name="erp"))
        await desk.under_way(3)
        desk.gate.set()

    assert (late.status_code, late.headers["retry-after"]) == (503, "5")
    assert late.json()["detail"] == "endpoint shop: 2 ask it already, and none had its answer within 200ms; ask again"
    assert [task.result().status_code for task in (*first, elsewhere)] == [200, 200, 200]
    assert [effect.endpoints for effect in desk.asked] == [("shop",), ("shop",), ("erp",)]
    assert await desk.refused() == [("shop", "busy", 503, "plugin", 1)]
    assert (await desk.post({})).status_code == 200


async def test_who_waits_has_the_place_of_the_first_that_is_answered(desk: Desk) -> None:
    desk.gate.clear()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(desk.post({})) for _ in range(5)]
        await desk.under_way(2)
        desk.gate.set()

    assert [task.result().status_code for task in tasks] == [200] * 5


async def test_a_definition_that_lets_more_in_holds_for_the_next_that_asks(desk: Desk) -> None:
    desk.gate.clear()
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(desk.post({}))
        await desk.under_way(2)
        wider = endpoint("shop", callers=["plugin"], max_in_flight=3)
        desk.control.snapshot = replace(desk.control.snapshot, endpoints={"shop": wider})
        third = group.create_task(desk.post({}))
        await desk.under_way(3)
        desk.gate.set()

    assert third.result().status_code == 200
