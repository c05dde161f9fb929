"""`kill -9` before and after each boundary of a delivery, while others are under way, in both modes.

A delivery is accepted with its event, its attempt started, the answer read, and finished. Each boundary is hit exactly,
and what the log held at the kill shows that it was. Two kills at each here; `HOOKSD_BOUNDARY_KILLS=50` for
what docs/reliability.md counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.battery import size, tell
from tests.durability import boundary
from tests.durability.receiver import Receiver
from tests.durability.work import Load, caller
from tests.end_to_end.daemon import Daemon, records

KILLS = size("BOUNDARY_KILLS", quick=2, long=50)
CALLERS = 6
MOST = 12
"""A life is ended at this one of its boundaries at the latest."""
DICE = random.Random()  # noqa: S311 - chance, no secret
WORK = """
version = 1

[webhooks.work]
auth.type = "none"

[endpoints.receiver]
url             = "RECEIVER/hook"
subscribe       = "webhook.work"
allow_anonymous = true
at_most_once    = ONCE
"""

Log = list[dict[str, Any]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who answers 200 to everything."""
    with Receiver(stumbles=False) as one:
        yield one


@dataclass(slots=True)
class Kills:
    """What the kills found."""

    count: int = 0
    open: Counter[str] = field(default_factory=Counter)
    """How many kills found a delivery without an end in the log."""
    cut_off: set[str] = field(default_factory=set)
    """Deliveries that a kill found with an attempt that had begun, and not ended, in the log."""

    def note(self, log: Log) -> None:
        """Note what the log held at a kill."""
        self.count += 1
        self.open.update(planned(log) - deliveries(log, "delivery.ended"))
        self.cut_off |= deliveries(log, "attempt.started") - deliveries(log, "attempt.ended")


def deliveries(log: Log, kind: str) -> set[str]:
    return {record["delivery"] for record in log if record["type"] == kind}


def planned(log: Log) -> set[str]:
    return {plan["id"] for record in log if record["type"] == "event.accepted" for plan in record["deliveries"]}


def assert_hit(at: str, side: str, places: list[boundary.Place], log: Log, receiver: Receiver) -> None:
    """Assert that the kill came at the boundary: what was before it is there, what follows not."""
    assert places
    caught, seals = {delivery for delivery, _ in places}, {seal for _, seal in places}
    outcomes = caught & deliveries(log, "attempt.ended")
    if at == boundary.ANSWERED:
        # They have arrived, and neither the answer nor that there was one is in the log.
        assert caught <= {identifier for ids in receiver.ids.values() for identifier in ids}
        assert not outcomes
        return
    assert seals & {record["_"] for record in log} == (seals if side == "after" else set())
    if at == "finished":
        # The outcome of the attempt and the end of the delivery are there together or not at all.
        ends = {record["delivery"]: record["status"] for record in log if record["type"] == "delivery.ended"}
        assert outcomes == {delivery for delivery in caught if ends.get(delivery) == "delivered"}
    else:
        assert not caught & deliveries(log, "delivery.created" if at == "accepted" else "attempt.ended")


async def live(daemon: Daemon, load: Load) -> None:
    """Start a daemon with a trap in it, and keep it busy until it has killed itself."""
    process = daemon.launch()
    if await asyncio.to_thread(daemon.opened):
        async with caller() as client, asyncio.timeout(60), asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(load.keep_posting(client, daemon))
    assert await asyncio.to_thread(process.wait, 30) == -signal.SIGKILL, daemon.stderr


async def killed(daemon: Daemon, receiver: Receiver, at: str, side: str) -> tuple[dict[str, str], Load, Kills]:
    """Kill a daemon again and again at one boundary, let it take one event more and come to the end of its work.

    Returns:
        How every delivery ended, what callers were told, and what the kills found.
    """
    load, kills, witness = Load(), Kills(), daemon.directory / "caught"
    for _ in range(KILLS):
        daemon.prefix = boundary.command(at, side, DICE.randint(1, MOST), witness)
        await live(daemon, load)
        log = records(daemon.log_dir)
        assert_hit(at, side, orjson.loads(witness.read_bytes()), log, receiver)
        witness.unlink()
        kills.note(log)
    daemon.prefix = ()
    await asyncio.to_thread(daemon.start)
    async with caller() as client:
        assert await load.post(client, daemon) == 202  # chance may have let every kill come before the first event
    async with asyncio.timeout(60):
        while planned(log := records(daemon.log_dir)) - deliveries(log, "delivery.ended"):
            await asyncio.sleep(0.05)
    assert await asyncio.to_thread(daemon.stop) == 0
    return ends_of(daemon, load), load, kills


@contextlib.contextmanager
def serving(directory: Path, receiver: Receiver, *, once: bool) -> Iterator[Daemon]:
    daemon = Daemon(directory)
    daemon.write({"work.toml": WORK.replace("RECEIVER", receiver.url).replace("ONCE", str(once).lower())})
    try:
        yield daemon
    finally:
        daemon.kill()


def ends_of(daemon: Daemon, load: Load) -> dict[str, str]:
    """Return how every delivery ended: each one of every accepted event has one end."""
    log = records(daemon.log_dir)
    plans = {record["event"]["id"]: record["deliveries"] for record in log if record["type"] == "event.accepted"}
    assert [event for event in load.accepted if len(plans[event]) != 1] == []
    ended = [record for record in log if record["type"] == "delivery.ended"]
    assert Counter(record["delivery"] for record in ended) == Counter(planned(log))
    return {record["delivery"]: record["status"] for record in ended}


@pytest.mark.timeout(300 + 20 * KILLS)
@pytest.mark.parametrize("side", boundary.SIDES)
@pytest.mark.parametrize("at", boundary.BOUNDARIES)
class TestAKillAtABoundary:
    async def test_loses_nothing_and_lets_only_what_was_in_flight_come_again_with_its_own_id(
        self, tmp_path: Path, receiver: Receiver, at: str, side: str
    ) -> None:
        with serving(tmp_path, receiver, once=False) as daemon:
            ends, load, kills = await killed(daemon, receiver, at, side)

        assert set(ends.values()) == {"delivered"}
        assert load.numbers <= set(receiver.ids)
        assert {number: ids for number, ids in receiver.ids.items() if len(ids) != 1} == {}
        assert set(receiver.again) == set(ends)
        assert {each: times for each, times in receiver.again.items() if times > kills.open[each]} == {}
        again = sum(receiver.again.values())
        tell(
            f"{side} {at}, at least once: {kills.count} kills, {len(ends)} deliveries, 0 lost, {again} of "
            f"{kills.open.total()} without an end at a kill came again"
        )

    async def test_loses_nothing_and_lets_nothing_come_again_that_must_not(
        self, tmp_path: Path, receiver: Receiver, at: str, side: str
    ) -> None:
        with serving(tmp_path, receiver, once=True) as daemon:
            ends, _, kills = await killed(daemon, receiver, at, side)

        unknown = {delivery for delivery, status in ends.items() if status == "indeterminate"}
        assert set(ends.values()) <= {"delivered", "indeterminate"}
        assert unknown == kills.cut_off
        assert set(ends) - unknown <= set(receiver.again)
        assert {each: times for each, times in receiver.again.items() if times} == {}
        arrived = len(unknown & set(receiver.again))
        tell(
            f"{side} {at}, at most once: {kills.count} kills, {len(ends)} deliveries, 0 lost, 0 came again, "
            f"{len(unknown)} indeterminate ({arrived} of them had arrived)"
        )
