"""Virtuoso's page on webhooks, told with hooksd: its sections, its examples, its order.

What is called otherwise here: a webhook of a project is an endpoint, `webhookId` its name; executions are events that a
webhook of hooksd receives (`virtuoso` below), whose bodies bring `sender`, `organization` and `project` along; the list
of deliveries is `GET /api/v1/endpoints/NAME/deliveries`. hooksd knows no organisations and projects of its own, so a
ping names none.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import getpass
import re
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from standardwebhooks import Webhook

from tests.delivery.certificates import Authority
from tests.delivery.receiver import Receiver, Request, answer, receiver
from tests.end_to_end.daemon import Daemon

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TOKEN = "virtuoso-token-0123"
PROJECT = """
version = 1

[webhooks.virtuoso]
auth.type   = "bearer"
auth.secret = "credential:virtuoso"
event       = "execution.{{ body.event | lower }}"
subject     = "{{ body.execution.id }}"
"""
WEBHOOK = """
version = 1

[endpoints.{name}]
url         = "{url}"
shape       = "virtuoso"
ping        = true
ordered     = true
description = "Virtuoso webhook notification."
retry       = "none"
{keys}
"""
EVERYTHING = 'subscribe = "*"'


def execution(event: str, number: int = 1) -> dict[str, Any]:
    """Return what Virtuoso says of an execution."""
    return {
        "event": event,
        "execution": {"id": number, "status": event},
        "goal": {"id": 3, "name": "Buy a book"},
        "sender": {"id": 9, "name": "Ada", "email": "ada@example.com"},
        "project": {"id": 5, "name": "Shop"},
        "snapshot": {"id": 8},
        "organization": {"id": 2, "name": "Example"},
    }


class Project:
    """A project with its webhooks: files that people add and edit while the daemon runs."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        daemon.credential("virtuoso", TOKEN)
        daemon.credential("secret", SECRET)
        daemon.write({"project.toml": PROJECT})
        daemon.start()

    def save(self, name: str, url: str, keys: str = EVERYTHING) -> None:
        """Fill in the form of "New Webhook", or of "Edit", and save it."""
        self.daemon.write({f"{name}.toml": WEBHOOK.format(name=name, url=url, keys=keys)})

    async def executes(self, *events: str) -> None:
        """Let a journey be executed."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(trust_env=False, timeout=60, headers=headers) as client:
            for event in events:
                said = await client.post(self.daemon.url("/hooks/virtuoso"), json=execution(event))
                assert said.status_code == 202, said.text

    async def ask(self, method: str, path: str) -> Any:
        """Do something in the management screen."""
        socket = httpx.AsyncHTTPTransport(uds=str(self.daemon.directory / "state" / "admin.sock"))
        async with httpx.AsyncClient(transport=socket, base_url="http://hooksd/api/v1", timeout=60) as client:
            said = await client.request(method, path)
            assert said.status_code in (200, 202), said.text
            return said.json()

    async def deliveries(self, name: str) -> list[dict[str, Any]]:
        """Open the list of deliveries of a webhook, the last one first."""
        await self.daemon.settled(timeout=60)
        found: list[dict[str, Any]] = (await self.ask("GET", f"/endpoints/{name}/deliveries"))["deliveries"]
        return found


@pytest.fixture
def project(daemon: Daemon) -> Project:
    return Project(daemon)


@pytest.fixture(params=["http", "https"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Receiver, str]]:
    """The page that shows what it was sent, over HTTP and over HTTPS, and the keys that make it trusted."""
    ok = answer("200 OK", {"Content-Type": "text/plain", "X-Site": "webhook.site"}, b"This URL has no default content")
    if request.param == "http":
        async with receiver(ok) as here:
            yield here, EVERYTHING
        return
    authority = Authority(tmp_path)
    async with receiver(ok, authority.serving(authority.vouch("site", "IP:127.0.0.1"))) as here:
        yield here, f'{EVERYTHING}\ntls.ca = "file:{authority.own.certificate}"'


def payloads(requests: Sequence[Request]) -> list[dict[str, Any]]:
    return [orjson.loads(request.body) for request in requests]


async def test_after_its_creation_a_webhook_is_pinged_and_then_told_of_executions(
    project: Project, site: tuple[Receiver, str]
) -> None:
    here, keys = site

    project.save("site", here.url("/unique-url"), keys)

    (ping,) = await here.received(1)
    assert ping.line == "POST /unique-url HTTP/1.1"
    assert ping.headers["content-type"] == "application/json"
    assert orjson.loads(ping.body)["type"] == "PING"
    await project.executes("LAUNCHED", "STARTED", "FINISHED")
    told = payloads((await here.received(4))[1:])
    assert [(one["type"], one["event"]) for one in told] == [
        ("EXECUTION", "LAUNCHED"),
        ("EXECUTION", "STARTED"),
        ("EXECUTION", "FINISHED"),
    ]


async def test_the_secret_verifies_requests_pings_included(project: Project) -> None:
    async with receiver(answer()) as here:
        project.save("site", here.url(), f'{EVERYTHING}\nsecret = "credential:secret"')
        await here.received(1)
        await project.executes("LAUNCHED")
        requests = await here.received(2)

    for request in requests:
        Webhook(SECRET).verify(request.body, request.headers)


async def test_a_webhook_gets_everything_or_the_individual_events_that_were_chosen(project: Project) -> None:
    async with receiver(answer()) as everything, receiver(answer()) as individual:
        project.save("everything", everything.url())
        project.save("individual", individual.url(), 'subscribe = ["execution.finished"]')
        await everything.received(1)
        await individual.received(1)

        await project.executes("LAUNCHED", "STARTED", "UPDATED", "FINISHED")

        got = [one.get("event") for one in payloads(await everything.received(5))]
        assert got == [None, "LAUNCHED", "STARTED", "UPDATED", "FINISHED"]
        assert [one.get("event") for one in payloads(await individual.received(2))] == [None, "FINISHED"]


async def test_a_webhook_that_is_edited_is_pinged_where_it_is_now_and_the_others_are_not(project: Project) -> None:
    async with receiver(answer()) as before, receiver(answer()) as after, receiver(answer()) as other:
        project.save("site", before.url())
        project.save("other", other.url())
        await before.received(1)
        await other.received(1)

        project.save("site", after.url(), 'subscribe = ["execution.launched"]')

        (ping,) = payloads(await after.received(1))
        assert ping["webhook"]["subscribe"] == ["execution.launched"]
        await project.executes("LAUNCHED")
        await after.received(2)
        await other.received(2)
        assert len(before.requests) == 1


async def test_a_ping_can_be_triggered_again_from_the_menu(project: Project) -> None:
    async with receiver(answer()) as here:
        project.save("site", here.url())
        await here.received(1)

        done = await asyncio.to_thread(project.daemon.command, "ping", "site")
        assert done.returncode == 0, done.stderr
        await here.received(2)
        said = await project.ask("POST", "/endpoints/site/ping")
        first, by_command, by_request = await here.received(3)

    assert by_request.headers["webhook-id"] == said["delivery"]
    assert "sender" not in orjson.loads(first.body)
    for ping in (by_command, by_request):
        assert orjson.loads(ping.body)["sender"] == {"name": getpass.getuser()}


async def test_the_payload_of_a_ping_is_that_of_the_page(project: Project) -> None:
    async with receiver(answer()) as here:
        project.save("site", here.url())
        (request,) = await here.received(1)

    ping = orjson.loads(request.body)
    assert (ping["type"], ping["webhookId"]) == ("PING", "site")
    assert ping["webhook"]["description"] == "Virtuoso webhook notification."
    assert (ping["webhook"]["id"], ping["webhook"]["method"], ping["webhook"]["ping"]) == ("site", "POST", True)


@pytest.mark.parametrize("event", ["LAUNCHED", "STARTED", "UPDATED", "FINISHED"])
async def test_the_payload_of_an_execution_is_that_of_the_page(project: Project, event: str) -> None:
    async with receiver(answer()) as here:
        project.save("site", here.url())
        await project.daemon.applied(2)
        await project.executes(event)
        (_, request) = await here.received(2)

    told = orjson.loads(request.body)
    assert told.pop("webhookId") == "site"
    assert told == {"type": "EXECUTION", **execution(event)}


async def test_the_list_of_deliveries_has_the_successful_and_the_unsuccessful_ones(project: Project) -> None:
    async with receiver(answer()) as good, receiver(answer("503 Service Unavailable", {}, b"down")) as bad:
        project.save("good", good.url())
        project.save("bad", bad.url())
        await project.daemon.applied(2)
        await good.received(1)
        await bad.received(1)
        await project.executes("LAUNCHED")
        await good.received(2)
        await bad.received(2)
        found, failed = await project.deliveries("good"), await project.deliveries("bad")

    assert [(one["status"], one["body"]["content"]["type"]) for one in found] == [
        ("delivered", "EXECUTION"),
        ("delivered", "PING"),
    ]
    assert [(one["status"], one["exchanges"][0]["status"]) for one in failed] == [("exhausted", 503)] * 2


async def test_each_delivery_has_its_summary_its_request_and_its_response(
    project: Project, site: tuple[Receiver, str]
) -> None:
    here, keys = site
    before = dt.datetime.now(dt.UTC)
    project.save("site", here.url("/unique-url"), keys)
    (request,) = await here.received(1)

    (listed,) = await project.deliveries("site")
    delivery = await project.ask("GET", f"/deliveries/{listed['id']}")

    # Summary: UUID, timestamp and duration.
    assert listed["id"] == delivery["id"] == request.headers["webhook-id"]
    assert uuid.UUID(delivery["id"].removeprefix("dlv_")).version == 7
    (exchange,) = delivery["exchanges"]
    began = dt.datetime.fromisoformat(exchange["began_at"])
    assert before - dt.timedelta(seconds=1) <= began <= dt.datetime.now(dt.UTC)
    assert 0 < exchange["total_ms"] < 30_000
    # Request information: URL, method, content type and other headers, and the payload.
    assert (exchange["method"], exchange["url"]) == ("POST", here.url("/unique-url"))
    sent = {name.lower(): value for name, value in exchange["request_headers"].items()}
    assert sent["content-type"] == delivery["body"]["media"] == "application/json"
    assert sent["webhook-id"] == delivery["id"]
    assert delivery["body"]["content"] == orjson.loads(request.body)
    # Response information: code, headers and body.
    assert exchange["status"] == 200
    assert exchange["response_headers"]["x-site"] == "webhook.site"
    assert exchange["response_body"] == "This URL has no default content"


async def test_a_delivery_that_got_no_response_says_why(project: Project) -> None:
    async with receiver(answer()) as here:
        url = here.url()
    project.save("site", url)
    await project.daemon.applied(2)
    async with asyncio.timeout(30):
        while not (found := await project.deliveries("site")):
            await asyncio.sleep(0.1)

    (exchange,) = found[0]["exchanges"]
    assert (found[0]["status"], exchange["outcome"], exchange["status"]) == ("exhausted", "refused", None)
    assert re.search("refused|connect", exchange["error"], re.IGNORECASE)
