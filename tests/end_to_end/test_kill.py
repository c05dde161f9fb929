"""`kill -9` under load, again and again: every request that was answered 202 has one recorded end of its run.

Ten cycles here; `HOOKSD_KILL_CYCLES=200` for the long run (about ten minutes).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.battery import size, tell
from tests.end_to_end.daemon import Daemon, records

CYCLES = size("KILL_CYCLES", quick=10, long=200)
CALLERS = 16
MOST_ANSWERS = 60

WORK = """
version = 1
on      = "webhook:work"
run_as  = "worker"
trust   = "anonymous"

[webhooks.work]
auth.type = "none"

[[steps]]
id   = "note"
set  = { number = "{{ body.number }}" }

[[steps]]
id           = "program"
run          = ["true"]
on_interrupt = "retry"

[[steps]]
emit = "work.done"
"""

AFTERWARDS = """
version = 1
on      = "work.done"

[[steps]]
set = { seen = true }
"""

ROLES = """
version = 1

[roles.worker]
allow = ["run:true"]
"""


class Load:
    """What was answered so far, and how many answers are enough for this life of the daemon."""

    def __init__(self, accepted: dict[str, str], enough: int) -> None:
        self.accepted = accepted
        self.enough = enough
        self.is_enough = asyncio.Event()


async def keep_posting(client: httpx.AsyncClient, url: str, load: Load) -> None:
    """Post until the daemon is gone; note event and run of every 202."""
    while True:
        try:
            answer = await client.post(url, json={"number": len(load.accepted)})
        except httpx.TransportError:
            return
        if answer.status_code == 202:
            load.accepted[answer.json()["event"]] = answer.json()["runs"][0]["id"]
            if len(load.accepted) >= load.enough:
                load.is_enough.set()


async def load_until_killed(daemon: Daemon, accepted: dict[str, str], answers: int) -> None:
    """Keep `CALLERS` requests under way, and kill the daemon in the middle once it has answered some of them."""
    load = Load(accepted, len(accepted) + answers)
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client, asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(keep_posting(client, daemon.url("/hooks/work"), load))
        async with asyncio.timeout(60):
            await load.is_enough.wait()
        daemon.kill()


def ends(log: list[dict[str, Any]]) -> Counter[str]:
    return Counter(record["run"] for record in log if record["type"] == "run.ended")


@pytest.mark.timeout(300 + 20 * CYCLES)
async def test_no_accepted_event_is_lost_however_often_the_daemon_is_killed(daemon: Daemon) -> None:
    daemon.write({"work.toml": WORK, "afterwards.toml": AFTERWARDS, "roles.toml": ROLES})
    accepted: dict[str, str] = {}

    for cycle in range(CYCLES):
        daemon.start()
        # Another moment of the load each time, the earliest while the first requests are just arriving.
        await load_until_killed(daemon, accepted, 1 + cycle * 23 % MOST_ANSWERS)

    daemon.start()
    await daemon.settled(timeout=60)
    daemon.stop()

    log = records(daemon.log_dir)
    ended = ends(log)
    planned = {run["id"]: record for record in log if record["type"] == "event.accepted" for run in record["runs"]}
    assert len(accepted) >= CYCLES
    assert {event: run for event, run in accepted.items() if ended[run] != 1} == {}
    assert {run: count for run, count in ended.items() if count != 1} == {}
    assert set(planned) == set(ended)
    causes = (record["event"]["cause"] for record in log if record["type"] == "event.accepted")
    emitted = Counter(cause["run"] for cause in causes if cause)
    assert {run: count for run, count in emitted.items() if count != 1} == {}
    tell(f"{CYCLES} kills, {len(accepted)} accepted, 0 lost")
