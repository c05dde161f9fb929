from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from hooksd.errors import JournalFull
from hooksd.model.secret import Secret
from hooksd.model.trust import Trust
from hooksd.telemetry.observer import Observer
from hooksd.testing import FakeClock, FakeIds
from hooksd.web.admin import Admin
from hooksd.web.app import admin_app
from hooksd.web.asked import MAX_BODY
from hooksd.web.duplicates import Duplicates
from hooksd.web.publication import BATCH, EVENT
from hooksd.web.publishing import PublishingDesk
from tests.delivery.house import endpoint
from tests.web.desks import FakePublisher, Refused
from tests.web.doubles import FakeControl, FakeIntake, client, plan

SHOP = {"specversion": "1.0", "id": "o-1", "source": "/shop", "type": "order.paid", "data": {"order": 7}}


class Desk:
    """An admin application that takes events."""

    def __init__(self, *, token: str | None = None) -> None:
        self.publisher = FakePublisher()
        self.intake = FakeIntake()
        self.clock = FakeClock()
        self.control = FakeControl()
        self.control.snapshot = replace(self.control.snapshot, endpoints={"erp": endpoint("erp")})
        self.duplicates = Duplicates(self.clock.now)
        ids = FakeIds(self.clock.now)
        desk = PublishingDesk(
            publisher=self.publisher,
            intake=self.intake,
            duplicates=self.duplicates,
            ids=ids,
            clock=self.clock,
            current=self.control.current,
            public_url="https://hooks.example",
        )
        self.admin = Admin(
            control=self.control,
            intake=self.intake,
            ids=ids,
            clock=self.clock,
            observer=Observer(),
            public_url=None,
            refusals=Refused().refusals,
            desks=(desk,),
        )
        self.app = admin_app(self.admin, token=None, keys={} if token is None else {"shop": Secret(token.encode())})

    async def post(
        self, document: Any, media: str = EVENT, path: str = "/api/v1/events", **headers: str
    ) -> httpx.Response:
        content = document if isinstance(document, bytes) else orjson.dumps(document)
        async with client(self.app) as caller:
            return await caller.post(path, content=content, headers={"content-type": media, **headers})


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_an_event_is_answered_with_what_it_starts(desk: Desk) -> None:
    answer = await desk.post(SHOP)

    assert answer.status_code == 202
    told = answer.json()
    assert told["event"] == desk.publisher.events[0].id
    assert told["runs"][0]["url"] == f"https://hooks.example/api/v1/runs/{plan().id}"
    assert (told["not_started"], told["deliveries"]) == ([], [{"id": "dlv_1", "endpoint": "erp"}])


async def test_the_event_is_what_its_publisher_said(desk: Desk) -> None:
    await desk.post({**SHOP, "subject": "7", "time": "2026-01-02T03:04:05Z", "tenant": "t"})

    (event,) = desk.publisher.events
    assert (event.type, event.source, event.subject, event.delivery_id) == ("order.paid", "/shop", "7", "o-1")
    assert (event.data, event.media, event.webhook) == ({"order": 7}, "application/json", None)
    assert event.headers == {
        "ce-specversion": "1.0", "ce-id": "o-1", "ce-source": "/shop", "ce-type": "order.paid", "ce-subject": "7",
        "ce-time": "2026-01-02T03:04:05Z", "ce-tenant": "t",
    }  # fmt: skip


@pytest.mark.parametrize("mode", [to_binary, to_structured])
async def test_the_library_of_cloudevents_can_publish(desk: Desk, mode: Any) -> None:
    attributes = {"id": "o-1", "source": "/shop", "type": "order.paid", "datacontenttype": "application/json"}
    message = mode(CloudEvent(attributes, {"order": 7}), JSONFormat())

    async with client(desk.app) as caller:
        answer = await caller.post("/api/v1/events", content=message.body, headers=message.headers)

    assert answer.status_code == 202
    assert desk.publisher.events[0].data == {"order": 7}


async def test_a_type_and_data_are_enough(desk: Desk) -> None:
    first = await desk.post({"type": "order.paid", "data": 7}, "application/json")
    again = await desk.post({"type": "order.paid", "data": 7}, "application/json")

    assert (first.status_code, again.status_code) == (202, 202)
    one, other = desk.publisher.events
    assert (one.source, one.delivery_id, one.fingerprint) == ("api/local", None, None)
    assert one.headers["ce-id"] == one.id != other.id


async def test_whoever_shows_a_key_is_named_and_trusted_as_one_who_knows_a_token() -> None:
    desk = Desk(token="k-0123456789")

    refused = await desk.post(SHOP)
    taken = await desk.post(SHOP, authorization="Bearer k-0123456789")

    assert (refused.status_code, taken.status_code) == (401, 202)
    (event,) = desk.publisher.events
    assert (event.publisher, event.trust) == ("shop", Trust.TOKEN)
    assert "authorization" not in event.headers


async def test_a_local_publisher_is_trusted_as_the_operator_is(desk: Desk) -> None:
    await desk.post(SHOP)

    assert (desk.publisher.events[0].publisher, desk.publisher.events[0].trust) == ("local", Trust.LOCAL)


async def test_where_an_event_has_been_goes_on_with_it(desk: Desk) -> None:
    await desk.post(SHOP, **{"x-hooksd-via": "00112233445566ff"})

    assert desk.publisher.events[0].headers["x-hooksd-via"] == "00112233445566ff"


# --- each source and id once ---


async def test_the_same_source_and_id_again_get_the_first_event(desk: Desk) -> None:
    first = await desk.post(SHOP)
    again = await desk.post(SHOP)

    assert (again.status_code, again.json()) == (200, {"event": first.json()["event"], "duplicate": True})
    assert len(desk.publisher.events) == 1


async def test_an_id_belongs_to_its_source(desk: Desk) -> None:
    await desk.post(SHOP)

    assert (await desk.post({**SHOP, "source": "/other"})).status_code == 202


async def test_it_stays_known_when_its_runs_came_to_nothing(desk: Desk) -> None:
    first = (await desk.post(SHOP)).json()["event"]
    desk.duplicates.ended(first, "failed")

    assert (await desk.post(SHOP)).json()["duplicate"] is True


@pytest.mark.parametrize("change", [{"data": {"order": 8}}, {"type": "order.void"}, {"subject": "8"}])
async def test_another_event_under_the_same_id_is_refused(desk: Desk, change: dict[str, Any]) -> None:
    first = (await desk.post(SHOP)).json()["event"]

    answer = await desk.post({**SHOP, **change})

    assert (answer.status_code, answer.json()["event"]) == (409, first)
    assert "'/shop' has published another event with the id 'o-1'" in answer.json()["detail"]
    assert len(desk.publisher.events) == 1


async def test_it_is_the_same_event_in_another_form(desk: Desk) -> None:
    await desk.post(SHOP)
    headers = {"ce-specversion": "1.0", "ce-id": "o-1", "ce-source": "/shop", "ce-type": "order.paid"}

    again = await desk.post(b'{ "order":  7 }', "application/json", **headers)

    assert again.json()["duplicate"] is True


async def test_two_at_once_are_one_event(desk: Desk) -> None:
    desk.publisher.gate.clear()
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(desk.post(SHOP)) for _ in range(3)]
        await asyncio.sleep(0.05)
        desk.publisher.gate.set()

    assert sorted(call.result().status_code for call in calls) == [200, 200, 202]
    assert len(desk.publisher.events) == 1


async def test_what_could_not_be_written_may_come_again(desk: Desk) -> None:
    desk.publisher.error = JournalFull("no room")
    full = await desk.post(SHOP)
    desk.publisher.error = None
    again = await desk.post(SHOP)

    assert (full.status_code, full.headers["retry-after"]) == (503, "5")
    assert again.status_code == 202


async def test_when_nobody_can_tell_what_became_of_it_whoever_asks_again_is_put_off(desk: Desk) -> None:
    desk.publisher.error = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await desk.post(SHOP)
    desk.publisher.error = None

    assert (await desk.post(SHOP)).status_code == 503


# --- batches ---


async def test_a_batch_is_one_write_answered_event_by_event(desk: Desk) -> None:
    answer = await desk.post([SHOP, {**SHOP, "id": "o-2"}], BATCH)

    assert answer.status_code == 202
    assert [one["event"] for one in answer.json()["events"]] == [event.id for event in desk.publisher.writes[0]]
    assert len(desk.publisher.writes) == 1


async def test_of_a_batch_that_comes_again_only_what_is_new_is_accepted(desk: Desk) -> None:
    first = (await desk.post(SHOP)).json()["event"]
    second = {**SHOP, "id": "o-2"}

    some = await desk.post([SHOP, second, second], BATCH)
    all_ = await desk.post([SHOP, second], BATCH)

    new = desk.publisher.events[1].id
    assert some.status_code == 202
    assert [(one["event"], one.get("duplicate", False)) for one in some.json()["events"]] == [
        (first, True), (new, False), (new, True),
    ]  # fmt: skip
    assert (all_.status_code, len(desk.publisher.events)) == (200, 2)


async def test_a_batch_is_accepted_whole_or_not_at_all(desk: Desk) -> None:
    await desk.post(SHOP)
    fine = {**SHOP, "id": "o-2"}

    unfit = await desk.post([fine, {**SHOP, "id": "o-3", "type": "config.x"}], BATCH)
    conflict = await desk.post([fine, {**SHOP, "data": 0}], BATCH)
    within = await desk.post([fine, {**fine, "data": 0}], BATCH)

    assert (unfit.status_code, conflict.status_code, within.status_code) == (422, 409, 409)
    assert "event 1 of the batch" in unfit.json()["detail"]
    assert "event 1 of the batch" in conflict.json()["detail"]
    assert "event" not in within.json()
    assert len(desk.publisher.events) == 1
    assert (await desk.post(fine)).status_code == 202


async def test_an_empty_batch_is_nothing(desk: Desk) -> None:
    answer = await desk.post([], BATCH)

    assert (answer.status_code, answer.json()) == (200, {"events": []})


@pytest.mark.parametrize(
    ("document", "media", "status"),
    [(b"{", EVENT, 400), (b"x", "text/plain", 415), ({}, EVENT, 422), (b"1" * (MAX_BODY + 1), EVENT, 413)],
)
async def test_what_is_not_understood_is_a_problem(desk: Desk, document: Any, media: str, status: int) -> None:
    answer = await desk.post(document, media)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert desk.publisher.events == []


# --- one endpoint ---

SEND = "/api/v1/endpoints/erp/send"


async def test_an_event_is_sent_to_one_endpoint(desk: Desk) -> None:
    answer = await desk.post(SHOP, path=SEND)

    assert (answer.status_code, answer.json()) == (202, {"event": desk.intake.events[0].id, "delivery": "dlv_erp"})
    assert desk.intake.events[0].data == {"order": 7}
    assert desk.publisher.events == []


async def test_what_is_sent_to_one_endpoint_is_not_known_again(desk: Desk) -> None:
    await desk.post(SHOP, path=SEND)
    await desk.post(SHOP, path=SEND)
    published = await desk.post(SHOP)

    assert published.status_code == 202
    assert [(event.delivery_id, event.headers["ce-id"]) for event in desk.intake.events] == [(None, "o-1")] * 2


@pytest.mark.parametrize(
    ("path", "media", "status"),
    [("/api/v1/endpoints/erq/send", EVENT, 404), (SEND, BATCH, 415), (SEND, "text/plain", 415)],
)
async def test_what_cannot_be_sent_is_a_problem(desk: Desk, path: str, media: str, status: int) -> None:
    answer = await desk.post([SHOP], media, path=path)

    assert answer.status_code == status
    assert desk.intake.events == []
