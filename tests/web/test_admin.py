from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from starlette.types import Message, Scope

from hooksd.errors import JournalFull
from hooksd.expr.condition import compile_condition
from hooksd.model.base import Json
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import NotStarted
from hooksd.telemetry.observer import Observer
from hooksd.testing import FakeClock, FakeIds
from hooksd.web.admin import Admin
from hooksd.web.app import admin_app
from hooksd.web.asked import MAX_BODY
from tests.delivery.house import endpoint
from tests.web.desks import Refused
from tests.web.doubles import FakeControl, FakeIntake, client, plan
from tests.web.records import ACCEPTED, STARTED, trees

EVENT = "evt_00000000-0000-7000-8000-000000000001"


class Desk:
    """An admin application of fakes."""

    def __init__(self) -> None:
        self.control = FakeControl()
        self.intake = FakeIntake()
        self.observer = Observer()
        self.refused = Refused()
        self.app = admin_app(
            Admin(
                control=self.control,
                intake=self.intake,
                ids=FakeIds(),
                clock=FakeClock(),
                observer=self.observer,
                public_url=None,
                refusals=self.refused.refusals,
            ),
            token=None,
        )

    async def get(self, path: str) -> httpx.Response:
        async with client(self.app) as caller:
            return await caller.get(path)

    async def post(self, path: str, document: Json = None, *, content: bytes | None = None) -> httpx.Response:
        async with client(self.app) as caller:
            if content is not None or document is None:
                return await caller.post(path, content=content or b"")
            return await caller.post(path, json=document)

    async def why(self) -> list[tuple[str | None, str, int, str]]:
        """Return what the log says of refused requests."""
        records = await self.refused.records()
        return [(record.listener, record.reason, record.status, record.peer) for record in records]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_the_status_is_what_the_daemon_says(desk: Desk) -> None:
    answer = await desk.get("/api/v1/status")

    assert (answer.status_code, answer.json()) == (200, desk.control.verdict)


async def test_a_reload_that_succeeds_says_what_is_in_force(desk: Desk) -> None:
    answer = await desk.post("/api/v1/reload")

    assert (answer.status_code, answer.json()["revision"]) == (200, "abc")
    assert desk.control.accepted == [None]


@pytest.mark.parametrize("state", ["REJECTED", "HELD"])
async def test_a_reload_that_does_not_succeed_is_a_conflict_with_its_diagnostics(desk: Desk, state: str) -> None:
    desk.control.verdict = {"state": state, "revision": "new", "running": "abc", "diagnostics": [{"code": "H001"}]}

    answer = await desk.post("/api/v1/reload", {"accept": "new"})

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["state"] == state
    assert answer.json()["diagnostics"] == [{"code": "H001"}]
    assert desk.control.accepted == ["new"]


@pytest.mark.parametrize("document", [[], {"accept": 7}, {"acept": "new"}])
async def test_a_reload_that_is_not_understood_is_not_made(desk: Desk, document: Json) -> None:
    answer = await desk.post("/api/v1/reload", document)

    assert answer.status_code == 422
    assert desk.control.accepted == []


async def test_a_workflow_is_triggered_by_name(desk: Desk) -> None:
    workflow = object()
    desk.control.snapshot = replace(desk.control.snapshot, workflows={"deploy": workflow})  # type: ignore[dict-item]

    answer = await desk.post("/api/v1/trigger", {"workflow": "deploy", "data": {"ref": "main"}})

    assert answer.status_code == 202
    assert answer.json()["runs"][0]["id"] == plan().id
    assert answer.json()["runs"][0]["url"] == f"/api/v1/runs/{plan().id}"
    assert desk.intake.started == ["deploy"]
    assert desk.intake.events[0].data == {"ref": "main"}


async def test_an_unknown_workflow_is_answered_with_a_similar_one(desk: Desk) -> None:
    desk.control.snapshot = replace(desk.control.snapshot, workflows={"deploy": object()})  # type: ignore[dict-item]

    answer = await desk.post("/api/v1/trigger", {"workflow": "deplyo"})

    assert answer.status_code == 404
    assert "did you mean 'deploy'?" in answer.json()["detail"]
    assert desk.intake.events == []


async def test_an_event_is_published_and_says_what_it_did_not_start(desk: Desk) -> None:
    desk.intake.runs = ()
    condition = compile_condition("body.ref == 'main'").source
    desk.intake.not_started = (
        NotStarted(workflow="deploy", reason="condition_false", detail="", condition=condition, values={"body.ref": 1}),
    )

    answer = await desk.post("/api/v1/trigger", {"event": "github.push", "data": {"ref": 1}})

    assert answer.status_code == 202
    assert answer.json()["runs"] == []
    assert answer.json()["not_started"][0]["values"] == {"body.ref": 1}
    assert desk.intake.events[0].type == "github.push"
    assert desk.intake.started == []


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 422), (b"{", 400), (b"[" * 2000, 400), (b'{"workflow": 1}', 422), (b"1" * (MAX_BODY + 1), 413)],
    ids=["nothing", "no JSON", "too deep", "no text", "too long"],
)
async def test_a_trigger_that_is_not_understood_starts_nothing(desk: Desk, content: bytes, status: int) -> None:
    answer = await desk.post("/api/v1/trigger", content=content)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert desk.intake.events == []
    reasons = {400: "unreadable_body", 413: "too_large", 422: "unfit"}
    assert await desk.why() == [("admin", reasons[status], status, "local")]


async def test_a_trigger_of_nothing_is_in_the_log_with_who_asked(desk: Desk) -> None:
    desk.control.snapshot = replace(desk.control.snapshot, workflows={"deploy": object()})  # type: ignore[dict-item]
    await desk.post("/api/v1/trigger", {"workflow": "deplyo"})
    await desk.post("/api/v1/trigger", {"workflow": "deploy"})

    assert await desk.why() == [("admin", "unknown_workflow", 404, "local")]


async def test_a_change_that_nobody_may_make_is_in_the_log(desk: Desk) -> None:
    answer = await desk.post("/api/v1/webhooks", {"name": "a"})

    assert answer.status_code == 403
    assert await desk.why() == [("admin", "read_only", 403, "local")]


async def test_a_question_without_an_answer_is_no_refusal(desk: Desk) -> None:
    assert (await desk.get("/api/v1/webhooks/gihtub")).status_code == 404
    assert (await desk.post("/api/v1/reload", {"acept": "new"})).status_code == 422

    assert await desk.why() == []


async def test_a_trigger_that_cannot_be_written_is_refused(desk: Desk) -> None:
    desk.intake.error = JournalFull("no room")

    answer = await desk.post("/api/v1/trigger", {"event": "a.b"})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_definitions_are_listed_by_name_and_shown_one_by_one(desk: Desk) -> None:
    listed = (await desk.get("/api/v1/webhooks")).json()["webhooks"]
    shown = (await desk.get("/api/v1/webhooks/shop")).json()
    empty = (await desk.get("/api/v1/roles")).json()

    assert [item["name"] for item in listed] == ["github", "shop"]
    assert shown == {**listed[1], "definition": {"auth": {"type": "none"}}}
    assert empty == {"roles": []}


async def test_an_unknown_definition_is_answered_with_a_similar_one(desk: Desk) -> None:
    answer = await desk.get("/api/v1/webhooks/gihtub")

    assert answer.status_code == 404
    assert answer.json()["detail"] == "there is no webhook 'gihtub'; did you mean 'github'?"


async def test_all_that_is_in_force_is_shown_with_its_revision(desk: Desk) -> None:
    answer = (await desk.get("/api/v1/config")).json()

    assert answer["revision"] == desk.control.snapshot.revision.id
    assert set(answer["definitions"]["webhooks"]) == {"github", "shop"}


async def test_a_run_is_shown_from_the_log(desk: Desk) -> None:
    desk.control.records = trees(ACCEPTED, STARTED)

    answer = await desk.get(f"/api/v1/runs/{plan().id}")

    assert answer.status_code == 200
    assert answer.json()["status"] == "running"


async def test_an_event_is_shown_from_the_log(desk: Desk) -> None:
    event = {**trees(ACCEPTED)[0]["event"], "id": EVENT}
    desk.control.records = [{**trees(ACCEPTED)[0], "event": event}]

    answer = await desk.get(f"/api/v1/events/{EVENT}")

    assert answer.status_code == 200
    assert [run["status"] for run in answer.json()["runs"]] == ["pending", "pending"]


@pytest.mark.parametrize(
    "path", [f"/api/v1/runs/{plan(9).id}", f"/api/v1/events/{EVENT}", "/api/v1/runs/nonsense", f"/api/v1/runs/{EVENT}"]
)
async def test_what_the_log_does_not_hold_is_not_found(desk: Desk, path: str) -> None:
    answer = await desk.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_metrics_are_in_the_text_format_of_prometheus(desk: Desk) -> None:
    desk.observer.metrics.request("github", 202, 0.001)

    answer = await desk.get("/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'hooksd_requests_total{status="202",webhook="github"} 1.0' in answer.text


async def test_an_error_of_ours_is_a_500_without_a_word_of_it(desk: Desk) -> None:
    desk.control.error = RuntimeError("hunter2")

    answer = await desk.get("/api/v1/status")

    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert desk.observer.metrics.registry.get_sample_value("hooksd_requests_failed_total") == 1


async def test_a_caller_who_hangs_up_in_the_middle_triggers_nothing(desk: Desk) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http", "method": "POST", "path": "/api/v1/trigger", "headers": [], "query_string": b"",
    }  # fmt: skip
    await desk.app(scope, receive, send)

    assert sent[0]["status"] == 400
    assert desk.intake.events == []


async def test_an_endpoint_is_pinged(desk: Desk) -> None:
    desk.control.snapshot = replace(desk.control.snapshot, endpoints={"erp": endpoint("erp")})

    answer = await desk.post("/api/v1/endpoints/erp/ping", None)

    assert answer.status_code == 202
    assert answer.json() == {"event": desk.intake.events[0].id, "delivery": "dlv_erp"}
    assert desk.intake.events[0].type == "ping"
    assert desk.intake.events[0].data["sender"] == {"name": "local"}
    assert desk.intake.sent == [("erp", None)]


async def test_an_unknown_endpoint_is_not_pinged(desk: Desk) -> None:
    desk.control.snapshot = replace(desk.control.snapshot, endpoints={"erp": endpoint("erp")})

    answer = await desk.post("/api/v1/endpoints/erq/ping", None)

    assert answer.status_code == 404
    assert "did you mean 'erp'?" in answer.json()["detail"]
    assert desk.intake.events == []


async def test_a_published_event_says_where_it_is_sent(desk: Desk) -> None:
    desk.intake.deliveries = (DeliveryPlan(id="dlv_1", endpoint="erp"),)

    answer = await desk.post("/api/v1/trigger", {"event": "github.push"})

    assert answer.json()["deliveries"] == [{"id": "dlv_1", "endpoint": "erp"}]
