"""`kill -9` under load, again and again: every request that was answered 202 has one recorded end of its run.

Ten cycles here; `HOOKSD_KILL_CYCLES=200` for the long run (about ten minutes).
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.end_to_end.daemon import Daemon, records

CYCLES = int(os.environ.get("HOOKSD_KILL_CYCLES", "10"))
CALLERS = 16
LOAD_SECONDS = 0.5

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


async def keep_posting(url: str, numbers: list[int], accepted: dict[str, str], stop: asyncio.Event) -> None:
    """Post until told to stop or the daemon is gone; note event and run of every 202."""
    async with httpx.AsyncClient(trust_env=False) as client:
        while not stop.is_set():
            numbers.append(len(numbers))
            try:
                answer = await client.post(url, json={"number": numbers[-1]}, timeout=5)
            except httpx.TransportError:
                return
            if answer.status_code == 202:
                accepted[answer.json()["event"]] = answer.json()["runs"][0]["id"]


async def load_until_killed(daemon: Daemon, numbers: list[int], accepted: dict[str, str], after: float) -> None:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(keep_posting(daemon.url("/hooks/work"), numbers, accepted, stop))
        await asyncio.sleep(after)
        daemon.kill()
        stop.set()


def ends(log: list[dict[str, Any]]) -> Counter[str]:
    return Counter(record["run"] for record in log if record["type"] == "run.ended")


@pytest.mark.timeout(60 + 5 * CYCLES)
async def test_no_accepted_event_is_lost_however_often_the_daemon_is_killed(daemon: Daemon) -> None:
    daemon.write({"work.toml": WORK, "afterwards.toml": AFTERWARDS, "roles.toml": ROLES})
    accepted: dict[str, str] = {}
    numbers: list[int] = []

    for cycle in range(CYCLES):
        daemon.start()
        # Kill at a different moment of the load each time, the earliest while requests are just arriving.
        await load_until_killed(daemon, numbers, accepted, LOAD_SECONDS * (1 + cycle % 7) / 7)

    daemon.start()
    await daemon.settled(timeout=60)
    daemon.stop()

    log = records(daemon.log_dir)
    ended = ends(log)
    planned = {run["id"]: record for record in log if record["type"] == "event.accepted" for run in record["runs"]}
    assert len(accepted) > CYCLES * 10, "the load was too small to mean anything"
    assert {event: run for event, run in accepted.items() if ended[run] != 1} == {}
    assert {run: count for run, count in ended.items() if count != 1} == {}
    assert set(planned) == set(ended)
    emitted = Counter(
        record["event"]["cause"]["run"] for record in log if record["type"] == "event.accepted" and record["event"]["cause"]
    )
    assert {run: count for run, count in emitted.items() if count != 1} == {}
