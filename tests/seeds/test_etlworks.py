"""Etlworks' page "About Webhooks", told with hooksd: its sections, its examples, its order.

What is called otherwise here: a webhook is an endpoint, the ID of the webhook is its name, events of Integrator are
events that a webhook of hooksd receives (`integrator` below), and "View events" is
`GET /api/v1/endpoints/NAME/deliveries` or `hooksd deliveries --endpoint NAME`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import orjson
import pytest

from tests.delivery.certificates import Authority
from tests.delivery.receiver import Receiver, Request, answer, receiver
from tests.end_to_end.daemon import Daemon

SECRET = "the secret of the webhook"
PASSWORD = "the password of the endpoint"
TOKEN = "integrator-token-0123"
FLOW_EXECUTED = {
    "event": "Flow.Executed",
    "entityId": 11225,
    "entity": {"id": 11225, "name": "Load the warehouse", "status": "success"},
    "entityUrl": "https://app.etlworks.com/rest/v1/flows/1?auditId=11225",
}
FLOW_CREATED = {
    "event": "Flow.Created",
    "entityId": 7,
    "entity": {"id": 7, "name": "Ünïcode & co"},
    "entityUrl": "https://app.etlworks.com/rest/v1/flows/7",
}
INTEGRATOR = """
version = 1

[webhooks.integrator]
auth.type   = "bearer"
auth.secret = "credential:integrator"
event       = "{{ body.event }}"
"""
WEBHOOK = """
[endpoints.{name}]
url   = "{url}"
shape = "etlworks"
retry = "none"
{keys}
"""
ALL = 'subscribe = "*"'


class Integrator:
    """The system in which things happen, and the webhooks that somebody added to it."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self._webhooks: dict[str, str] = {}
        daemon.credential("integrator", TOKEN)
        daemon.credential("secret", SECRET)
        daemon.credential("password", PASSWORD)

    def add_webhook(self, name: str, url: str, keys: str) -> None:
        """Fill in the form of "Add webhook"."""
        self._webhooks[name] = WEBHOOK.format(name=name, url=url, keys=keys)
        self.daemon.write({"integrator.toml": INTEGRATOR + "".join(self._webhooks.values())})

    async def happens(self, *events: dict[str, Any]) -> None:
        """Let something happen, and wait until everybody was told who is to be told."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(trust_env=False, timeout=60, headers=headers) as client:
            for event in events:
                said = await client.post(self.daemon.url("/hooks/integrator"), json=event)
                assert said.status_code == 202, said.text

    async def ask(self, path: str) -> Any:
        """Ask the API of the administrator."""
        socket = httpx.AsyncHTTPTransport(uds=str(self.daemon.directory / "state" / "admin.sock"))
        async with httpx.AsyncClient(transport=socket, base_url="http://hooksd/api/v1", timeout=60) as client:
            said = await client.get(path)
            assert said.status_code == 200, said.text
            return said.json()


@pytest.fixture
def integrator(daemon: Daemon) -> Integrator:
    return Integrator(daemon)


@pytest.fixture(params=["http", "https"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Receiver, str]]:
    """The server that receives the webhook, over HTTP and over HTTPS, and the keys that make it trusted."""
    ok = answer("200 OK", {"Content-Type": "application/json", "X-Server": "warehouse"}, b'{"thanks":true}')
    if request.param == "http":
        async with receiver(ok) as here:
            yield here, ""
        return
    authority = Authority(tmp_path)
    async with receiver(ok, authority.serving(authority.vouch("server", "IP:127.0.0.1"))) as here:
        yield here, f'tls.ca = "file:{authority.own.certificate}"'


def etl_headers(request: Request) -> dict[str, str]:
    return {name: text for name, text in request.headers.items() if name.startswith("x-etl-")}


async def test_method_post_sends_all_headers_and_the_payload_of_the_page(
    integrator: Integrator, server: tuple[Receiver, str]
) -> None:
    here, trusted = server
    integrator.add_webhook("warehouse", here.url("/etl"), f"{ALL}\n{trusted}")
    integrator.daemon.start()
    before = time.time() * 1000

    await integrator.happens(FLOW_EXECUTED)

    (request,) = await here.received(1)
    payload = orjson.loads(request.body)
    assert request.line == "POST /etl HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert list(payload) == ["eventId", "eventType", "webhookId", "entityId", "entity", "entityUrl", "timestamp"]
    assert before - 1000 <= payload.pop("timestamp") <= time.time() * 1000 + 1000
    assert payload == {
        "eventId": request.headers["webhook-id"],
        "eventType": "Flow.Executed",
        "webhookId": "warehouse",
        "entityId": 11225,
        "entity": FLOW_EXECUTED["entity"],
        "entityUrl": FLOW_EXECUTED["entityUrl"],
    }
    assert etl_headers(request) == {
        "x-etl-webhook-event-id": payload["eventId"],
        "x-etl-webhook-event": "Flow.Executed",
        "x-etl-webhook-id": "warehouse",
        "x-etl-webhook-entity-id": "11225",
        "x-etl-webhook-entity-url": str(FLOW_EXECUTED["entityUrl"]),
    }


async def test_method_get_sends_the_headers_and_no_payload(
    integrator: Integrator, server: tuple[Receiver, str]
) -> None:
    here, trusted = server
    integrator.add_webhook("warehouse", here.url("/etl?from=integrator"), f'{ALL}\nmethod = "GET"\n{trusted}')
    integrator.daemon.start()

    await integrator.happens(FLOW_CREATED)

    (request,) = await here.received(1)
    assert (request.line, request.body) == ("GET /etl?from=integrator HTTP/1.1", b"")
    assert "content-type" not in request.headers
    assert etl_headers(request) == {
        "x-etl-webhook-event-id": request.headers["webhook-id"],
        "x-etl-webhook-event": "Flow.Created",
        "x-etl-webhook-id": "warehouse",
        "x-etl-webhook-entity-id": "7",
        "x-etl-webhook-entity-url": str(FLOW_CREATED["entityUrl"]),
    }


async def test_content_type_form_sends_the_payload_as_fields_of_a_form(
    integrator: Integrator, server: tuple[Receiver, str]
) -> None:
    here, trusted = server
    keys = f'{ALL}\ncontent_type = "form"\ninclude_entity = false\n{trusted}'
    integrator.add_webhook("warehouse", here.url(), keys)
    integrator.daemon.start()

    await integrator.happens({"event": "Flow.Executed", "entityId": 11157})

    (request,) = await here.received(1)
    fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    # The example of the page, in its order.
    assert list(fields) == ["eventId", "eventType", "webhookId", "entityId", "timestamp"]
    assert (fields["eventType"], fields["webhookId"], fields["entityId"]) == ("Flow.Executed", "warehouse", "11157")
    assert fields["eventId"] == request.headers["x-etl-webhook-event-id"]
    assert int(fields["timestamp"]) > 1_588_165_500_224


async def test_include_entity_decides_whether_the_entity_is_in_the_payload_and_its_id_always_is(
    integrator: Integrator,
) -> None:
    async with receiver(answer()) as with_it, receiver(answer()) as without, receiver(answer()) as form:
        integrator.add_webhook("with", with_it.url(), ALL)
        integrator.add_webhook("without", without.url(), f"{ALL}\ninclude_entity = false")
        integrator.add_webhook("form", form.url(), f'{ALL}\ncontent_type = "form"')
        integrator.daemon.start()

        await integrator.happens(FLOW_CREATED)

        (full,), (short,), (fields,) = [await at.received(1) for at in (with_it, without, form)]
    assert orjson.loads(full.body)["entity"] == FLOW_CREATED["entity"]
    assert "entity" not in orjson.loads(short.body)
    assert orjson.loads(short.body)["entityId"] == 7
    # A form has no objects: there the entity is one field, as JSON.
    assert orjson.loads(dict(parse_qsl(fields.body.decode()))["entity"]) == FLOW_CREATED["entity"]


async def test_a_webhook_is_enabled_by_default_and_can_be_disabled_for_a_while(integrator: Integrator) -> None:
    async with receiver(answer()) as here, receiver(answer()) as other:
        integrator.add_webhook("always", other.url(), ALL)
        integrator.add_webhook("warehouse", here.url(), f"{ALL}\nenabled = false")
        integrator.daemon.start()
        await integrator.happens(FLOW_EXECUTED)
        await other.received(1)
        (waiting,) = (await integrator.ask("/endpoints/warehouse/deliveries"))["deliveries"]
        assert (waiting["status"], waiting["attempts"], here.requests) == ("pending", 0, [])

        integrator.add_webhook("warehouse", here.url(), ALL)

        # What happened meanwhile is not lost.
        (request,) = await here.received(1)
    assert request.headers["x-etl-webhook-event"] == "Flow.Executed"


async def test_events_are_all_of_them_or_those_that_were_selected(integrator: Integrator) -> None:
    async with receiver(answer()) as everything, receiver(answer()) as selected:
        integrator.add_webhook("everything", everything.url(), ALL)
        integrator.add_webhook("selected", selected.url(), 'subscribe = ["Flow.Created", "Flow.Deleted"]')
        integrator.daemon.start()

        await integrator.happens(FLOW_EXECUTED, FLOW_CREATED, {**FLOW_CREATED, "event": "Flow.Deleted"})

        got = [request.headers["x-etl-webhook-event"] for request in await everything.received(3)]
        assert sorted(got) == ["Flow.Created", "Flow.Deleted", "Flow.Executed"]
        got = [request.headers["x-etl-webhook-event"] for request in await selected.received(2)]
        assert sorted(got) == ["Flow.Created", "Flow.Deleted"]
        # Nobody outside is told when the definitions change: those are not events of Integrator.
        integrator.add_webhook("selected", selected.url(), 'subscribe = "Flow.*"')
        await integrator.daemon.applied(2)
        await integrator.happens(FLOW_EXECUTED)
        await everything.received(4)


@pytest.mark.parametrize("content_type", ["json", "form"])
async def test_the_secret_signs_the_body_as_hmac_sha1_in_hexadecimal_digits(
    integrator: Integrator, server: tuple[Receiver, str], content_type: str
) -> None:
    here, trusted = server
    keys = f'secret = "credential:secret"\nsign = "hmac-sha1:X-Etl-Webhook-Signature"\ncontent_type = "{content_type}"'
    integrator.add_webhook("warehouse", here.url(), f"{ALL}\n{keys}\n{trusted}")
    integrator.daemon.start()

    await integrator.happens(FLOW_CREATED)

    (request,) = await here.received(1)
    expected = hmac.new(SECRET.encode(), request.body, hashlib.sha1).hexdigest()
    assert request.headers["x-etl-webhook-signature"] == expected


async def test_basic_authentication_and_custom_headers_are_set_on_the_request(
    integrator: Integrator, server: tuple[Receiver, str]
) -> None:
    here, trusted = server
    keys = """
basic_auth         = { username = "integrator", password = "credential:password" }
headers.X-Team     = "data"
headers.X-Priority = "7"
"""
    integrator.add_webhook("warehouse", here.url(), f"{ALL}\n{trusted}\n{keys}")
    integrator.daemon.start()

    await integrator.happens(FLOW_EXECUTED)

    (request,) = await here.received(1)
    pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert pair == f"integrator:{PASSWORD}"
    assert (request.headers["x-team"], request.headers["x-priority"]) == ("data", "7")


async def test_view_events_shows_the_last_100_of_each_webhook(integrator: Integrator) -> None:
    async with receiver(answer()) as here, receiver(answer("500 Internal Server Error", {}, b"down")) as other:
        integrator.add_webhook("warehouse", here.url(), ALL)
        integrator.add_webhook("other", other.url(), 'subscribe = "Flow.Created"')
        integrator.daemon.start()

        await integrator.happens(FLOW_CREATED, *({**FLOW_EXECUTED, "entityId": number} for number in range(104)))
        await here.received(105)
        await integrator.daemon.settled(timeout=60)

        shown = (await integrator.ask("/endpoints/warehouse/deliveries"))["deliveries"]
        assert [view["body"]["content"]["entityId"] for view in shown] == list(range(103, 3, -1))
        assert {view["status"] for view in shown} == {"delivered"}
        (failed,) = (await integrator.ask("/endpoints/other/deliveries"))["deliveries"]
        assert (failed["status"], failed["exchanges"][0]["status"]) == ("exhausted", 500)

    # The same without the daemon, from the files alone.
    assert integrator.daemon.stop() == 0
    done = integrator.daemon.command("deliveries", "--endpoint", "warehouse", "-n", "100", "--json")
    lines = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert len({line["delivery"] for line in lines}) == len(lines) == 100
    assert {(line["endpoint"], line["outcome"]) for line in lines} == {("warehouse", "ok")}


async def test_an_event_that_is_expanded_shows_request_and_response_with_headers_and_payload(
    integrator: Integrator, server: tuple[Receiver, str]
) -> None:
    here, trusted = server
    keys = """
secret         = "credential:secret"
sign           = "hmac-sha1:X-Etl-Webhook-Signature"
basic_auth     = { username = "integrator", password = "credential:password" }
headers.X-Team = "data"
"""
    integrator.add_webhook("warehouse", here.url("/etl"), f"{ALL}\n{trusted}\n{keys}")
    integrator.daemon.start()
    await integrator.happens(FLOW_CREATED)
    (request,) = await here.received(1)
    await integrator.daemon.settled(timeout=60)

    (listed,) = (await integrator.ask("/endpoints/warehouse/deliveries"))["deliveries"]
    expanded = await integrator.ask(f"/deliveries/{listed['id']}")

    assert listed == expanded
    assert expanded["id"] == request.headers["x-etl-webhook-event-id"]
    (exchange,) = expanded["exchanges"]
    # The request: precisely what was sent, but for credentials.
    assert (exchange["method"], exchange["url"]) == ("POST", here.url("/etl"))
    sent = {name.lower(): value for name, value in exchange["request_headers"].items()}
    on_the_wire = {name: text for name, text in request.headers.items() if name not in ("host", "content-length")}
    assert sent == {**on_the_wire, "authorization": "***"}
    assert expanded["body"]["content"] == orjson.loads(request.body)
    assert exchange["request_sha256"] == hashlib.sha256(request.body).hexdigest()
    assert exchange["request_size"] == len(request.body)
    # The response.
    assert exchange["status"] == 200
    assert exchange["response_headers"]["x-server"] == "warehouse"
    assert (exchange["response_body"], exchange["response_truncated"]) == ('{"thanks":true}', False)
    for text in (orjson.dumps(expanded).decode(), integrator.daemon.stderr):
        assert SECRET not in text
        assert PASSWORD not in text
