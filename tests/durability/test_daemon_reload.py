"""A storm of reloads under load, with kills in the middle of it.

Eight seconds here; `HOOKSD_STORM_SECONDS=60` for the long run.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from tests.battery import size, tell
from tests.durability.receiver import Receiver
from tests.durability.work import Load, assert_nothing_is_lost, caller
from tests.end_to_end.daemon import Daemon

SECONDS = size("STORM_SECONDS", quick=8, long=60)
IS_LONG = SECONDS >= 60
PAUSE = 0.2
"""Seconds between two reloads."""
KILLS = 3
CALLERS = 3

CHANGING = """
version = 1
on      = "work.done"

[[steps]]
set = {{ number = {number} }}
"""


class Storm:
    """Changes a definition and asks for a reload, again and again."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._number = 0
        self.reloads = 0
        """How many were answered with the verdict that the new files are in force."""

    async def rage(self) -> None:
        """Rage until cancelled. A daemon that is dead is not asked."""
        transport = httpx.AsyncHTTPTransport(uds=str(self._daemon.directory / "state" / "admin.sock"))
        async with httpx.AsyncClient(transport=transport, base_url="http://hooksd", timeout=60) as client:
            while True:
                await self._strike(client)
                await asyncio.sleep(PAUSE)

    async def _strike(self, client: httpx.AsyncClient) -> None:
        self._number += 1
        self._daemon.write({"changing.toml": CHANGING.format(number=self._number)})
        try:
            answer = await client.post("/api/v1/reload", json={})
        except httpx.TransportError:
            return
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "IN_SYNC", answer.text
        self.reloads += 1


def memory(daemon: Daemon) -> int:
    """Return how many kB of memory the daemon has."""
    assert daemon.process is not None
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{daemon.process.pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


async def memory_at_rest(daemon: Daemon) -> int:
    """Return how many kB it has when no work waits: what waits takes memory, rightly."""
    await daemon.settled(timeout=120)
    return memory(daemon)


async def load_for(seconds: float, load: Load, daemon: Daemon) -> None:
    """Let callers post for a while, each waiting for the answer to the last one."""
    is_over = asyncio.Event()

    async def call(client: httpx.AsyncClient) -> None:
        while not is_over.is_set():
            await load.post(client, daemon)
            await asyncio.sleep(0.1)

    async with caller() as client, asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(call(client))
        await asyncio.sleep(seconds)
        is_over.set()


async def killed_in_the_middle(load: Load, daemon: Daemon) -> None:
    """Kill the daemon under load, which may fail requests."""
    assert load.broken == 0, "a request failed although the daemon lived"
    async with asyncio.TaskGroup() as group:
        group.create_task(load_for(0.3, load, daemon))
        await asyncio.sleep(0.1)
        daemon.kill()
    load.broken = 0
    load.killed(daemon)


@pytest.mark.timeout(300 + 3 * SECONDS)
async def test_a_storm_of_reloads_fails_no_request_loses_nothing_and_takes_no_memory(
    daemon: Daemon, receiver: Receiver
) -> None:
    load, storm = Load(), Storm(daemon)
    await asyncio.to_thread(daemon.start)
    async with asyncio.TaskGroup() as group:
        raging = group.create_task(storm.rage())
        for _ in range(KILLS):
            await load_for(SECONDS / 4 / KILLS, load, daemon)
            await killed_in_the_middle(load, daemon)
            await asyncio.to_thread(daemon.start)
        # What is made once has been made after a while.
        await load_for(SECONDS / 4, load, daemon)
        before = await memory_at_rest(daemon)
        await load_for(SECONDS / 2, load, daemon)
        after = await memory_at_rest(daemon)
        raging.cancel()
    await daemon.settled(timeout=60)
    assert await asyncio.to_thread(daemon.stop) == 0

    assert load.broken == 0
    assert set(load.answers) == {202}
    assert_nothing_is_lost(daemon, receiver, load)
    assert storm.reloads > KILLS
    assert after < before * (1.05 if IS_LONG else 1.2)
    tell(
        f"{SECONDS} s of storm: {storm.reloads} reloads, {KILLS} kills, {len(load.accepted)} accepted, 0 failed, "
        f"0 lost, memory {before} -> {after} kB ({(after / before - 1) * 100:+.1f} %)"
    )
