"""Events go out to the endpoints that subscribe to them: from a real daemon to a real receiver, and through kills."""

from __future__ import annotations

import asyncio
import email
import hashlib
import hmac
from collections import Counter
from typing import Any

import httpx
import orjson
import pytest

from tests.battery import size, tell
from tests.delivery.receiver import answer, receiver
from tests.end_to_end.daemon import Daemon, records

CYCLES = size("SUBSCRIPTION_KILLS", quick=4, long=50)
CALLERS = 8
WEBHOOKS = """
version = 1

[webhooks.shop]
auth.type   = "bearer"
auth.secret = "credential:shop"
event       = "order.{{ body.state }}"
subject     = "{{ body.order }}"

[webhooks.open]
auth.type = "none"
"""
ENDPOINT = """
[endpoints.NAME]
url       = "URL"
KEYS
"""
ETLWORKS = """
subscribe      = ["order.paid", "order.sent"]
shape          = "etlworks"
content_type   = "form"
include_entity = false
secret         = "credential:etl"
sign           = "hmac-sha1:X-Etl-Webhook-Signature"
"""
FORM = """
subscribe       = "order.*"
method          = "PUT"
content_type    = "form"
secret          = "credential:etl"
sign            = "hmac-sha256:X-Signature"
headers.X-Order = "{{ event.type }} {{ body.order }} {{ headers['user-agent'] | default('-') }}"
"""
TOKEN = {"Authorization": "Bearer shop-token-0123"}


def define(daemon: Daemon, **endpoints: tuple[str, str]) -> None:
    """Write the webhooks, and endpoints by name with their URL and further keys."""
    text = [ENDPOINT.replace("NAME", name).replace("URL", url).replace("KEYS", keys) for name, (url, keys) in
            endpoints.items()]  # fmt: skip
    daemon.write({"all.toml": WEBHOOKS + "".join(text)})
    daemon.credential("shop", "shop-token-0123")
    daemon.credential("etl", "etl-secret-0123")


async def post(daemon: Daemon, path: str, body: Any) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=30, headers=TOKEN) as client:
        return await client.post(daemon.url(path), json=body)


def of(log: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [record for record in log if record["type"] == kind]


async def test_each_endpoint_gets_what_it_subscribes_to_in_its_shape_and_signed(daemon: Daemon) -> None:
    async with receiver(answer()) as all_of_it, receiver(answer()) as etlworks, receiver(answer()) as none:
        define(
            daemon,
            all=(all_of_it.url(), 'subscribe = "*"\nshape = "cloudevents"'),
            etl=(
                etlworks.url(),
                ETLWORKS,
            ),
            none=(none.url(), 'subscribe = "parcel.*"'),
        )
        daemon.start()

        assert (await post(daemon, "/hooks/shop", {"order": 7, "state": "paid"})).status_code == 202
        assert (await post(daemon, "/hooks/shop", {"order": 8, "state": "late"})).status_code == 202
        assert (await post(daemon, "/hooks/open", {"a": 1})).status_code == 202
        await all_of_it.received(2)
        await etlworks.received(1)
        await daemon.settled(timeout=60)
        daemon.stop()

    assert [request.headers["ce-type"] for request in all_of_it.requests] == ["order.paid", "order.late"]
    assert [orjson.loads(request.body)["order"] for request in all_of_it.requests] == [7, 8]
    (paid,) = etlworks.requests
    expected = hmac.new(b"etl-secret-0123", paid.body, hashlib.sha1).hexdigest()
    assert paid.headers["x-etl-webhook-signature"] == expected
    assert paid.headers["x-etl-webhook-event"] == "order.paid"
    assert paid.headers["x-etl-webhook-entity-id"] == "7"
    assert paid.headers["x-etl-webhook-event-id"] == paid.headers["webhook-id"]
    assert paid.headers["content-type"] == "application/x-www-form-urlencoded"
    assert none.requests == []
    (anonymous,) = [record for record in of(records(daemon.log_dir), "event.accepted") if record["not_sent"]]
    assert anonymous["not_sent"] == [{"endpoint": "all", "reason": "trust"}]


async def test_each_endpoint_gets_an_event_in_its_format_with_headers_made_of_it(daemon: Daemon) -> None:
    async with receiver(answer()) as form, receiver(answer()) as multipart, receiver(answer()) as encoded:
        define(
            daemon,
            form=(
                form.url("/in"),
                FORM,
            ),
            multipart=(multipart.url(), 'subscribe = "order.*"\ncontent_type = "multipart"'),
            encoded=(encoded.url(), 'subscribe = "order.*"\npayload_encoding = "base64"\nretry = "none"'),
        )
        daemon.start()

        said = await post(daemon, "/hooks/shop", {"order": 7, "state": "paid", "lines": ["a b", {"c": 1}]})
        await form.received(1)
        await multipart.received(1)
        await daemon.settled(timeout=60)
        daemon.stop()

    (put,) = form.requests
    assert (put.line, put.body) == ("PUT /in HTTP/1.1", b"order=7&state=paid&lines=a+b&lines=%7B%22c%22%3A1%7D")
    assert put.headers["content-type"] == "application/x-www-form-urlencoded"
    assert put.headers["x-order"].startswith("order.paid 7 python-httpx/")
    # What is signed is what is sent.
    assert put.headers["x-signature"] == hmac.new(b"etl-secret-0123", put.body, hashlib.sha256).hexdigest()
    (parts,) = multipart.requests
    assert b'name="lines"\r\n\r\na b\r\n' in parts.body
    # An object is no base64: nothing was sent, and the delivery has its end.
    assert encoded.connections == 0
    log = records(daemon.log_dir)
    (refused,) = [record for record in of(log, "delivery.ended") if record["endpoint"] == "encoded"]
    assert (refused["status"], refused["attempts"]) == ("exhausted", 0)
    explained = await asyncio.to_thread(daemon.command, "explain", said.json()["event"])
    assert "nothing was sent  endpoint encoded: it takes text" in explained.stdout


async def test_an_uploaded_form_goes_on_with_its_files(daemon: Daemon) -> None:
    photo = bytes(range(256)) * 400
    async with receiver(answer()) as archive:
        define(daemon, archive=(archive.url(), 'subscribe = "order.*"\ncontent_type = "multipart"'))
        daemon.start()

        async with httpx.AsyncClient(trust_env=False, timeout=30, headers=TOKEN) as client:
            said = await client.post(
                daemon.url("/hooks/shop"),
                data={"order": "7", "state": "paid"},
                files={"photo": ("me & you.jpg", photo, "image/jpeg")},
            )
        assert said.status_code == 202, said.text
        await archive.received(1)
        await daemon.settled(timeout=60)
        daemon.stop()

    (request,) = archive.requests
    message = email.message_from_bytes(
        f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode() + request.body
    )
    parts = {
        part.get_param("name", header="content-disposition"): part for part in message.walk() if part is not message
    }
    assert {name: part.get_payload(decode=True) for name, part in parts.items()} == {
        "order": b"7",
        "state": b"paid",
        "photo": photo,
    }
    assert (parts["photo"].get_filename(), parts["photo"].get_content_type()) == ("me & you.jpg", "image/jpeg")


async def test_a_circle_ends_where_it_began(daemon: Daemon) -> None:
    keys = 'subscribe = "*"\nbearer = "credential:shop"'
    define(daemon, one=(daemon.url("/hooks/shop"), keys), two=(daemon.url("/hooks/shop"), keys))
    daemon.start()

    assert (await post(daemon, "/hooks/shop", {"order": 7, "state": "paid"})).status_code == 202
    # What a delivery started is in the log before its end is.
    async with asyncio.timeout(60):
        while not of(log := records(daemon.log_dir), "delivery.ended") or missing(log):
            await asyncio.sleep(0.1)
    daemon.stop()

    log = records(daemon.log_dir)
    # The first event goes to both, what comes back goes to the other one, and then to nobody.
    assert len(of(log, "event.accepted")) == 5
    assert Counter(record["endpoint"] for record in of(log, "delivery.ended")) == {"one": 2, "two": 2}
    assert {record["status"] for record in of(log, "delivery.ended")} == {"delivered"}


async def keep_posting(daemon: Daemon, accepted: list[str], enough: int, is_enough: asyncio.Event) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30, headers=TOKEN) as client:
        while True:
            try:
                said = await client.post(daemon.url("/hooks/shop"), json={"order": len(accepted), "state": "paid"})
            except httpx.TransportError:
                return
            if said.status_code == 202:
                accepted.append(said.json()["event"])
                if len(accepted) >= enough:
                    is_enough.set()


@pytest.mark.timeout(300 + 20 * CYCLES)
async def test_every_accepted_event_has_one_recorded_end_per_delivery_however_often_the_daemon_is_killed(
    daemon: Daemon,
) -> None:
    accepted: list[str] = []
    async with receiver(answer()) as one, receiver(answer()) as two:
        define(
            daemon,
            one=(one.url(), 'subscribe = "order.*"\nshape = "etlworks"\nretry = "quick"'),
            two=(two.url(), 'subscribe = "order.paid"\nretry = "quick"'),
        )
        for cycle in range(CYCLES):
            daemon.start()
            is_enough = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                for _ in range(CALLERS):
                    group.create_task(keep_posting(daemon, accepted, len(accepted) + 1 + cycle * 17, is_enough))
                async with asyncio.timeout(30):
                    await is_enough.wait()
                daemon.kill()

        daemon.start()
        async with asyncio.timeout(60):
            while missing(records(daemon.log_dir)):
                await asyncio.sleep(0.1)
        daemon.stop()

    log = records(daemon.log_dir)
    plans = {record["event"]["id"]: record["deliveries"] for record in of(log, "event.accepted")}
    assert [event for event in accepted if [plan["endpoint"] for plan in plans[event]] != ["one", "two"]] == []
    ends = Counter(record["delivery"] for record in of(log, "delivery.ended"))
    planned = {plan["id"] for each in plans.values() for plan in each}
    assert set(ends) == planned
    assert set(ends.values()) == {1}
    assert {record["status"] for record in of(log, "delivery.ended")} == {"delivered"}
    received = {request.headers["webhook-id"] for at in (one, two) for request in at.requests}
    assert received == planned
    tell(f"{CYCLES} kills, {len(accepted)} accepted, {len(planned)} deliveries, 0 lost")


def missing(log: list[dict[str, Any]]) -> set[str]:
    """Return the deliveries that were planned and have no end."""
    planned = {plan["id"] for record in of(log, "event.accepted") for plan in record["deliveries"]}
    return planned - {record["delivery"] for record in of(log, "delivery.ended")}


async def test_an_endpoint_is_pinged_by_the_way_of_every_delivery(daemon: Daemon) -> None:
    async with receiver(answer()) as virtuoso:
        define(daemon, virtuoso=(virtuoso.url(), 'shape = "virtuoso"\nsecret = "credential:etl"'))
        daemon.start()

        said = await asyncio.to_thread(daemon.command, "ping", "virtuoso", "--json")
        await virtuoso.received(1)
        await daemon.settled(timeout=60)
        daemon.stop()

    assert said.returncode == 0, said.stderr
    (ping,) = virtuoso.requests
    assert ping.headers["webhook-id"] == orjson.loads(said.stdout)["delivery"]
    assert "webhook-signature" in ping.headers
    body = orjson.loads(ping.body)
    assert (body["type"], body["webhookId"], body["webhook"]["shape"]) == ("PING", "virtuoso", "virtuoso")
