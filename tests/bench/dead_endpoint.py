"""What one endpoint that never answers costs the other ninety-nine. Part of `tests.bench.deliver`."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median

import uvloop

from tests.bench.clients import dispatcher, endpoint
from tests.bench.sink import NEVER, receiver

ENDPOINTS = 100
RATE = 300
"""Deliveries a second, to one endpoint after the other."""


def measure(directory: Path, *, seconds: float, rounds: int) -> tuple[float, float]:
    """Return the 99th percentile of the healthy ones in milliseconds, without the dead one and with it."""
    with receiver(0.0, NEVER) as receiving:
        alive, dead = receiving.ports
        without: list[float] = []
        beside: list[float] = []
        for _ in range(rounds):
            without.append(uvloop.run(_p99(alive, alive, seconds, directory)))
            beside.append(uvloop.run(_p99(alive, dead, seconds, directory)))
    return median(without), median(beside)


async def _p99(alive: int, last: int, seconds: float, directory: Path) -> float:
    """Deliver to all endpoints at a constant rate; the last one is on a port of its own, and does not count.

    Each delivery is asked for when it is due, whatever became of those before it, and its time counts from then.
    """
    endpoints = {
        name: endpoint(last if number == ENDPOINTS - 1 else alive, 8, name)
        for number in range(ENDPOINTS)
        for name in [f"sink-{number}"]
    }
    times: list[float] = []
    async with dispatcher(endpoints, 256, directory) as deliver, asyncio.TaskGroup() as group:

        async def one(name: str, due: float) -> None:
            await deliver(name)
            times.append(time.monotonic() - due)

        tasks: list[asyncio.Task[None]] = []
        began = time.monotonic() + 0.1
        for number in range(int(RATE * seconds)):
            due = began + number / RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            name = f"sink-{number % ENDPOINTS}"
            if number % ENDPOINTS == ENDPOINTS - 1:
                tasks.append(group.create_task(deliver(name)))
            else:
                group.create_task(one(name, due))
        expected = int(RATE * seconds) - len(tasks)
        async with asyncio.timeout(60):
            while len(times) < expected:
                await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
    times.sort()
    return 1000 * times[len(times) * 99 // 100]
