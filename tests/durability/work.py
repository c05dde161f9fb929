"""The work that daemons are disturbed at, and the claim that none of it is lost.

Every event starts a run with a `run`, an `http`, a `send` and an `emit` step; the receiver refuses each delivery once,
so that it is tried again; what is emitted starts another run.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import httpx

from tests.durability.receiver import Receiver
from tests.end_to_end.daemon import Daemon, records

WORK = """
version = 1
on      = "webhook:work"
run_as  = "worker"
trust   = "anonymous"

[webhooks.work]
auth.type = "none"

[[steps]]
id           = "program"
run          = ["true"]
on_interrupt = "retry"

[[steps]]
id    = "ask"
http  = "GET RECEIVER/ask"
retry = { max = 5, delay = "100ms" }

[[steps]]
id          = "tell"
send        = "receiver"
json.number = "{{ body.number }}"

[[steps]]
emit = "work.done"

[endpoints.receiver]
url    = "RECEIVER/hook"
retry  = { max = 8, delay = "50ms", max_delay = "500ms" }
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
allow = ["run:true", "http:RECEIVER/*", "send:receiver"]
"""


def set_up(daemon: Daemon, receiver: Receiver) -> None:
    """Write the definitions of the work."""
    files = {"work.toml": WORK, "afterwards.toml": AFTERWARDS, "roles.toml": ROLES}
    daemon.write({name: text.replace("RECEIVER", receiver.url) for name, text in files.items()})


@dataclass(slots=True)
class Load:
    """What was answered so far, over all lives of the daemon."""

    accepted: dict[str, str] = field(default_factory=dict)
    """The run of every event that was answered 202; empty when it started none."""
    numbers: set[int] = field(default_factory=set)
    """What those events were about."""
    answers: Counter[int] = field(default_factory=Counter)
    """How often each status was answered."""
    broken: int = 0
    """Requests without an answer."""
    slowest: float = 0.0
    """Seconds that the slowest answer took."""
    next_number: int = 0
    ended: list[set[str]] = field(default_factory=list)
    """What each kill left in the log: the deliveries with an end. Every other one may come again."""

    def killed(self, daemon: Daemon) -> None:
        """Note what the log of a daemon that has just died says of its deliveries."""
        self.ended.append({line["delivery"] for line in records(daemon.log_dir) if line["type"] == "delivery.ended"})

    async def post(self, client: httpx.AsyncClient, daemon: Daemon, padding: int = 0) -> int | None:
        """Send one event and return the status of its answer; None when there was none."""
        number = self.next_number
        self.next_number += 1
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            answer = await client.post(daemon.url("/hooks/work"), json={"number": number, "padding": "x" * padding})
        except httpx.TransportError:
            self.broken += 1
            return None
        self.slowest = max(self.slowest, clock() - began)
        self.answers[answer.status_code] += 1
        if answer.status_code == 202:
            self.accepted[answer.json()["event"]] = next((run["id"] for run in answer.json()["runs"]), "")
            self.numbers.add(number)
        return answer.status_code

    async def keep_posting(self, client: httpx.AsyncClient, daemon: Daemon, pause: float = 0.0) -> None:
        """Send one event after the other until there is no answer any more."""
        while await self.post(client, daemon) is not None:
            await asyncio.sleep(pause)


def caller(timeout: float = 20) -> httpx.AsyncClient:
    """Return a client for any number of requests at a time."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncClient(trust_env=False, timeout=timeout, limits=limits)


async def finish(daemon: Daemon) -> None:
    """Start once more, let everything end, and stop."""
    daemon.prefix = ()
    await asyncio.to_thread(daemon.start)
    await daemon.settled(timeout=60)
    assert await asyncio.to_thread(daemon.stop) == 0


def assert_nothing_is_lost(
    daemon: Daemon,
    receiver: Receiver,
    load: Load,
    statuses: Collection[str] = ("succeeded",),
) -> None:
    """Assert what the README promises, when everything has ended.

    Args:
        daemon: Its log is read.
        receiver: Of its deliveries.
        load: What callers were told.
        statuses: How runs may have ended. Those that did not succeed need not have sent anything.
    """
    log = records(daemon.log_dir)
    accepted = [record for record in log if record["type"] == "event.accepted"]
    runs = {run["id"] for record in accepted for run in record["runs"]}
    ends = Counter(record["run"] for record in log if record["type"] == "run.ended")
    # Every 202 has one end of its run, and it is a good one.
    assert set(load.accepted.values()) <= runs
    assert {run: count for run, count in ends.items() if count != 1} == {}
    assert runs == set(ends)
    assert {record["status"] for record in log if record["type"] == "run.ended"} <= set(statuses)
    # So has every delivery.
    deliveries = {record["delivery"] for record in log if record["type"] == "delivery.created"}
    assert deliveries == {record["delivery"] for record in log if record["type"] == "delivery.ended"}
    delivery_ends = Counter(record["delivery"] for record in log if record["type"] == "delivery.ended")
    assert {delivery: count for delivery, count in delivery_ends.items() if count != 1} == {}
    # What a run emits is emitted once.
    causes = [record["event"]["cause"] for record in accepted]
    emitted = Counter(cause["run"] for cause in causes if cause)
    assert {run: count for run, count in emitted.items() if count != 1} == {}
    # The receiver has everything, under one id each.
    ids = receiver.ids
    assert load.numbers <= set(ids) or len(statuses) > 1
    assert {number: found for number, found in ids.items() if len(found) != 1} == {}
    # Again comes only what had no end in the log when the daemon was killed, once for each such kill.
    again = {identifier: times for identifier, times in receiver.again.items() if times}
    assert {identifier: times for identifier, times in again.items() if times > unfinished(load, identifier)} == {}


def unfinished(load: Load, delivery: str) -> int:
    """Return how many kills found a delivery without an end."""
    return sum(delivery not in ended for ended in load.ended)
