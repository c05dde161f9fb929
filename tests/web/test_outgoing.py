from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from hooksd.config.snapshot import CompiledEndpoint, Snapshot
from hooksd.delivery.dispatcher import Dispatcher
from hooksd.delivery.gate import Hold, Last
from hooksd.model.definitions import Defined, Definitions
from hooksd.model.secret import Secret
from hooksd.testing import NOON
from hooksd.web.app import admin_app
from hooksd.web.outgoing import Gatekeeper, OutgoingDesk
from tests.delivery.house import endpoint
from tests.delivery.house import snapshot as endpoints
from tests.web.desks import FakeOutbox, admin_of
from tests.web.doubles import FakeControl, client
from tests.web.records import ATTEMPT, CREATED, DELIVERED, trees

DELIVERY = "dlv_00000000-0000-7000-8000-000000000001"
MINE = replace(CREATED, delivery=DELIVERY)
TRIED = replace(ATTEMPT, delivery=DELIVERY)
ENDED = replace(DELIVERED, delivery=DELIVERY, status="exhausted", attempts=2, error="500")
AGAIN = f"/api/v1/deliveries/{DELIVERY}/redeliver"

_: type[Gatekeeper] = Dispatcher


def force(*compiled: CompiledEndpoint) -> Snapshot:
    """Return definitions in force that hold endpoints."""
    defined = {
        one.name: Defined(name=one.name, value=one.value, origin=one.origin, document={}, digest="sha256:1")
        for one in compiled
    }
    return replace(endpoints(*compiled), definitions=Definitions(endpoints=defined))


class Desk:
    """An admin application that shows what goes out."""

    def __init__(self) -> None:
        self.control = FakeControl()
        self.control.snapshot = force(endpoint("slack"), endpoint("erp"))
        self.outbox = FakeOutbox()
        desk = OutgoingDesk(control=self.control, outbox=self.outbox, public_url=None)
        self.app = admin_app(admin_of(self.control, desk), token=None)

    async def get(self, path: str) -> httpx.Response:
        async with client(self.app) as caller:
            return await caller.get(path)

    async def post(self, path: str, document: Any = None) -> httpx.Response:
        async with client(self.app) as caller:
            return await (caller.post(path) if document is None else caller.post(path, json=document))


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.control.records = trees(MINE, TRIED, ENDED)
    return desk


# --- endpoints


async def test_endpoints_are_listed_with_how_things_stand(desk: Desk) -> None:
    desk.outbox.standing = replace(
        desk.outbox.standing,
        hold=Hold(reason="receiver", until=NOON + 60),
        breaker="open",
        failures=10,
        in_flight=1,
        waiting=2,
        pending=7,
        last=Last(at=NOON, outcome="http_5xx", status=503),
    )

    shown = (await desk.get("/api/v1/endpoints")).json()["endpoints"]

    assert [one["name"] for one in shown] == ["erp", "slack"]
    assert shown[0]["state"] == {
        "held": {"reason": "receiver", "until": "2026-11-22T12:01:00.000Z", "error": None},
        "breaker": "open",
        "failures": 10,
        "in_flight": 1,
        "waiting": 2,
        "pending": 7,
        "last": {"at": "2026-11-22T12:00:00.000Z", "outcome": "http_5xx", "status": 503},
    }


async def test_one_endpoint_is_shown_with_its_definition(desk: Desk) -> None:
    shown = (await desk.get("/api/v1/endpoints/erp")).json()

    assert (shown["name"], shown["state"]["held"], shown["state"]["last"]) == ("erp", None, None)
    assert "definition" in shown


async def test_an_endpoint_that_was_held_goes_on(desk: Desk) -> None:
    desk.outbox.standing = replace(desk.outbox.standing, hold=Hold(reason="suspended", error="410"))

    answer = await desk.post("/api/v1/endpoints/erp/resume")
    again = await desk.post("/api/v1/endpoints/erp/resume")

    assert (answer.status_code, answer.json()["released"]) == (200, "suspended")
    assert answer.json()["state"]["held"] is None
    assert again.json()["released"] is None
    assert desk.outbox.resumed == ["erp", "erp"]


@pytest.mark.parametrize("path", ["/api/v1/endpoints/erq", "/api/v1/endpoints/erq/resume"])
async def test_an_unknown_endpoint_is_answered_with_a_similar_one(desk: Desk, path: str) -> None:
    answer = await (desk.post(path) if path.endswith("resume") else desk.get(path))

    assert answer.status_code == 404
    assert "did you mean 'erp'?" in answer.json()["detail"]
    assert desk.outbox.resumed == []


# --- deliveries


async def test_a_delivery_is_shown_from_the_log(desk: Desk) -> None:
    shown = (await desk.get(f"/api/v1/deliveries/{DELIVERY}")).json()

    assert (shown["status"], shown["attempts"], len(shown["exchanges"])) == ("exhausted", 2, 1)


async def test_the_last_deliveries_to_an_endpoint_are_shown_with_request_and_response(desk: Desk) -> None:
    answer = await desk.get("/api/v1/endpoints/slack/deliveries")

    (shown,) = answer.json()["deliveries"]
    assert (shown["id"], shown["status"], shown["body"]["content"]) == (DELIVERY, "exhausted", {})
    assert (shown["exchanges"][0]["method"], shown["exchanges"][0]["outcome"]) == ("POST", "http_5xx")
    assert (await desk.get("/api/v1/endpoints/erp/deliveries?limit=1")).json() == {"deliveries": []}
    assert (await desk.get("/api/v1/endpoints/erq/deliveries")).status_code == 404


@pytest.mark.parametrize("limit", ["0", "101", "-1", "all", "", "²", "9" * 5000])
async def test_a_limit_that_cannot_be_is_refused(desk: Desk, limit: str) -> None:
    answer = await desk.get(f"/api/v1/endpoints/slack/deliveries?limit={quote(limit)}")

    assert answer.status_code == 422
    assert "1 to 100" in answer.json()["detail"]


@pytest.mark.parametrize("path", [f"/api/v1/deliveries/{DELIVERY}", "/api/v1/endpoints/slack/deliveries"])
async def test_no_answer_shows_a_secret_that_a_payload_holds(desk: Desk, path: str) -> None:
    secrets = {"pin": Secret(b"very secret pin")}
    desk.control.snapshot = replace(force(endpoint("slack", secrets=(b"signing secret",))), secrets=secrets)
    content: Any = {"pin": "very secret pin", "key": "signing secret", "n": 1}
    desk.control.records = trees(replace(MINE, body=replace(MINE.body, content=content)), TRIED)

    text = (await desk.get(path)).text

    assert '"content":{"pin":"***","key":"***","n":1}' in text


@pytest.mark.parametrize(
    "path", ["/api/v1/deliveries/nonsense", "/api/v1/deliveries/evt_1", f"/api/v1/deliveries/{DELIVERY}"]
)
async def test_what_the_log_does_not_hold_is_not_found(desk: Desk, path: str) -> None:
    desk.control.records = []

    assert (await desk.get(path)).status_code == 404
