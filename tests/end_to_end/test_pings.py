"""Each definition gets its ping once: over restarts, kills, and when the files of the log are gone that told of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import orjson
import pytest

from tests.battery import size, tell
from tests.delivery.receiver import Receiver, answer, receiver
from tests.end_to_end.daemon import Daemon, records

CYCLES = size("PING_KILLS", quick=5, long=50)
ENDPOINT = """
version = 1

[endpoints.{name}]
url         = "{url}"
ping        = true
description = "{text}"
retry       = "quick"
"""
WEBHOOK = """
version = 1

[webhooks.in]
auth.type   = "bearer"
auth.secret = "credential:token"
"""


def define(daemon: Daemon, name: str, url: str, text: str = "") -> None:
    daemon.write({f"{name}.toml": ENDPOINT.format(name=name, url=url, text=text)})


async def arrived(at: Receiver, ids: int) -> None:
    async with asyncio.timeout(60):
        while len(seen(at)) < ids:
            await asyncio.sleep(0.02)


def seen(at: Receiver) -> set[str]:
    return {request.headers["webhook-id"] for request in at.requests}


def pings(daemon: Daemon) -> list[tuple[str, str]]:
    """Return the endpoint and the description of every ping in the log."""
    accepted = [record for record in records(daemon.log_dir) if record["type"] == "event.accepted"]
    events = [(record["event"]["body"]["content"], record) for record in accepted if record["event"]["type"] == "ping"]
    return [(record["deliveries"][0]["endpoint"], body["webhook"]["description"]) for body, record in events]


def log_of(daemon: Daemon) -> list[Any]:
    return sorted(daemon.log_dir.glob("log-*.jsonl"))


async def test_a_restart_pings_nothing_again_and_what_changed_meanwhile_once(daemon: Daemon) -> None:
    async with receiver(answer()) as here:
        define(daemon, "one", here.url())
        define(daemon, "two", here.url())
        daemon.start()
        await arrived(here, 2)
        daemon.stop()
        daemon.start()
        daemon.kill()
        define(daemon, "two", here.url(), "changed")
        define(daemon, "three", here.url())
        daemon.start()
        await arrived(here, 4)
        await daemon.settled(timeout=60)
        daemon.stop()
        daemon.start()
        define(daemon, "four", here.url())
        await arrived(here, 5)
        daemon.stop()

    assert pings(daemon) == [("one", ""), ("two", ""), ("three", ""), ("two", "changed"), ("four", "")]


async def test_a_definition_is_known_when_the_files_of_the_log_are_gone_that_told_of_its_ping(daemon: Daemon) -> None:
    daemon.variables |= {"HOOKSD_SEGMENT_SIZE": "64KiB", "HOOKSD_RETENTION_SIZE": "1MiB"}
    daemon.credential("token", "a-token-0123456789")
    daemon.write({"webhook.toml": WEBHOOK})
    async with receiver(answer()) as here:
        define(daemon, "one", here.url())
        daemon.start()
        await arrived(here, 1)
        await daemon.settled(timeout=60)
        first = log_of(daemon)[0]
        headers = {"Authorization": "Bearer a-token-0123456789"}
        async with httpx.AsyncClient(trust_env=False, timeout=60, headers=headers) as client, asyncio.timeout(120):
            while first.exists():
                said = await client.post(daemon.url("/hooks/in"), json={"padding": "x" * 30_000})
                assert said.status_code == 202
        assert pings(daemon) == []

        daemon.kill()
        daemon.start()
        define(daemon, "two", here.url())
        await arrived(here, 2)
        daemon.stop()

    assert pings(daemon) == [("two", "")]


@pytest.mark.timeout(120 + 20 * CYCLES)
async def test_each_definition_is_pinged_once_however_often_the_daemon_is_killed(daemon: Daemon) -> None:
    async with receiver(answer()) as here:
        daemon.start()
        for cycle in range(CYCLES):
            define(daemon, f"endpoint-{cycle}", here.url())
            await asyncio.sleep(0.6 * cycle / CYCLES)  # from before it is noticed to after it was sent
            daemon.kill()
            daemon.start()
        await arrived(here, CYCLES)
        await daemon.settled(timeout=60)
        daemon.stop()

    counts = Counter(name for name, _ in pings(daemon))
    assert counts == {f"endpoint-{cycle}": 1 for cycle in range(CYCLES)}
    assert {orjson.loads(request.body)["endpoint"] for request in here.requests} == set(counts)
    tell(f"{CYCLES} kills, {CYCLES} definitions, {len(seen(here))} pings")
