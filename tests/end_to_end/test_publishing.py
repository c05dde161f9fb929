"""Other systems publish events to a real daemon, over TCP with a key, through restarts and kills."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_binary, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from tests.battery import size
from tests.delivery.receiver import answer, receiver
from tests.end_to_end.daemon import Daemon, free_port, records

KILLS = size("PUBLISHING_KILLS", quick=4, long=40)
BATCH = "application/cloudevents-batch+json"
DEFINITIONS = """
version = 1

[workflows.note]
on = "order.*"

[[workflows.note.steps]]
set.order = "{{ body.order }}"

[endpoints.erp]
url       = "URL"
subscribe = "order.*"
shape     = "cloudevents"
"""


@asynccontextmanager
async def publisher(daemon: Daemon) -> AsyncIterator[httpx.AsyncClient]:
    """A system that knows a key of the daemon's API."""
    base = f"http://{daemon.variables['HOOKSD_ADMIN']}/api/v1"
    headers = {"Authorization": "Bearer shop-key-0123456789"}
    async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def publishing(daemon: Daemon) -> Daemon:
    """A daemon that has not been started yet, with a key for a publisher."""
    daemon.variables |= {
        "HOOKSD_ADMIN": f"127.0.0.1:{free_port()}",
        "HOOKSD_ADMIN_TOKEN": "credential:operator",
        "HOOKSD_PUBLISH_KEYS": "shop=credential:shop",
    }
    daemon.credential("operator", "operator-token-0123456789")
    daemon.credential("shop", "shop-key-0123456789")
    return daemon


def event(number: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"o-{number}",
        "source": "/shop",
        "type": "order.paid",
        "data": {"order": number},
    }


@pytest.mark.timeout(300)
async def test_an_event_starts_workflows_and_goes_on_as_the_cloudevent_that_it_was(publishing: Daemon) -> None:
    attributes = {"id": "o-1", "source": "https://shop.example/é", "type": "order.paid", "tenant": "a b"}
    given = CloudEvent({**attributes, "datacontenttype": "application/json"}, {"order": 1})
    async with receiver(answer()) as erp, publisher(publishing) as client:
        publishing.write({"all.toml": DEFINITIONS.replace("URL", erp.url())})
        publishing.start()
        binary, structured = to_binary(given, JSONFormat()), to_structured(given, JSONFormat())
        taken = await client.post("/events", content=binary.body, headers=binary.headers)
        again = await client.post("/events", content=structured.body, headers=structured.headers)
        assert (taken.status_code, again.status_code) == (202, 200), again.text
        assert (await client.post("/events", content=b"x", headers={"Authorization": "Bearer no"})).status_code == 401
        await publishing.settled(timeout=60)
        denied = await client.get(f"/events/{taken.json()['event']}")
        operator = {"Authorization": "Bearer operator-token-0123456789"}
        shown = (await client.get(f"/events/{taken.json()['event']}", headers=operator)).json()

    (sent,) = erp.requests
    came = from_binary(HTTPMessage(sent.headers, sent.body), JSONFormat())
    assert {name: came.get_attributes()[name] for name in attributes} == attributes
    assert came.get_data() == {"order": 1}
    assert denied.status_code == 403
    assert [run["status"] for run in shown["runs"]] == ["succeeded"]
    assert [(one["endpoint"], one["status"]) for one in shown["deliveries"]] == [("erp", "delivered")]
    assert (shown["publisher"], shown["trust"], shown["source"]) == ("shop", "token", "https://shop.example/é")


@pytest.mark.timeout(600)
async def test_each_event_is_accepted_once_however_often_it_is_sent_and_the_daemon_is_killed(
    publishing: Daemon,
) -> None:
    async with receiver(answer()) as erp, publisher(publishing) as client:
        publishing.write({"all.toml": DEFINITIONS.replace("URL", erp.url())})
        publishing.start()
        answered: dict[str, str] = {}
        for cycle in range(KILLS):
            killer = threading.Timer(0.3 + 0.05 * (cycle % 5), publishing.kill)
            killer.start()
            await _publish_until_it_hangs_up(client, cycle, answered)
            killer.join()
            publishing.start()
        for number in range(KILLS * 1000):
            if f"o-{number}" in answered:
                again = await client.post("/events", json=event(number), headers=_media("application/cloudevents+json"))
                assert (again.status_code, again.json()["event"]) == (200, answered[f"o-{number}"])
        other = {**event(0), "data": {"order": -1}}
        conflict = await client.post("/events", json=other, headers=_media("application/cloudevents+json"))
        await publishing.settled(timeout=120)
        publishing.stop()

    assert len(answered) >= 10 * KILLS
    assert conflict.status_code == 409
    accepted = [record["event"] for record in records(publishing.log_dir) if record["type"] == "event.accepted"]
    ids = [one["delivery_id"] for one in accepted]
    assert len(ids) == len(set(ids))
    assert answered.items() <= {one["delivery_id"]: one["id"] for one in accepted}.items()
    assert {orjson.loads(request.body)["order"] for request in erp.requests} >= {int(one[2:]) for one in answered}


async def _publish_until_it_hangs_up(client: httpx.AsyncClient, cycle: int, answered: dict[str, str]) -> None:
    """Send batches, each twice, until nobody answers; what was answered is remembered."""
    for first in range(cycle * 1000, cycle * 1000 + 990, 10):
        batch = [event(number) for number in range(first, first + 10)]
        for _ in range(2):
            try:
                taken = await client.post("/events", json=batch, headers=_media(BATCH))
            except httpx.TransportError:
                return
            assert taken.status_code in (200, 202), taken.text
            for one, told in zip(batch, taken.json()["events"], strict=True):
                assert answered.setdefault(one["id"], told["event"]) == told["event"]
        await asyncio.sleep(0)


def _media(kind: str) -> dict[str, str]:
    return {"content-type": kind}
