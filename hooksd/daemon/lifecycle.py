"""The life of the daemon once everything is built: start the tasks, open the doors, end in order and in bounded time.

It knows no concrete part: `daemon.wiring` hands in what runs, what drains and what is closed last.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hooksd.daemon.server import Listener
from hooksd.daemon.stopping import Stopping
from hooksd.daemon.systemd import Notifier
from hooksd.errors import HooksdError

DRAIN = 20.0
"""Seconds that running steps and attempts get to end. What has not ended then is taken up by the next start."""
LAST_RESORT = 60
"""Seconds from the wish to end until the process is ended for good, whatever hangs: more than all other bounds
together, and less than `TimeoutStopSec=` of the unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that runs as long as the daemon does."""

    name: str
    run: Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the life of the daemon is made of."""

    jobs: Sequence[Job]
    listeners: Sequence[Listener]
    notifier: Notifier
    opened: Callable[[], str]
    """Called when requests are answered; returns the line for the service manager."""
    ending: Callable[[], None]
    """Called when the end begins."""
    drain: Callable[[float], Awaitable[None]]
    """Lets what runs come to an end within so many seconds, and starts nothing new."""
    reload: Callable[[], Awaitable[None]]
    """Called for SIGHUP."""


async def live(parts: Parts, stopping: Stopping) -> None:
    """Serve until `stopping` is asked for, then end in order.

    Raises:
        HooksdError: A part says that it cannot go on.
    """
    try:
        async with asyncio.TaskGroup() as group:
            with _signals(group, parts, stopping):
                await _serve(group, parts, stopping)
    except BaseExceptionGroup as failures:
        raise _cause(failures) from failures
    if stopping.error is not None:
        raise stopping.error


async def _serve(group: asyncio.TaskGroup, parts: Parts, stopping: Stopping) -> None:
    jobs = [group.create_task(job.run(), name=job.name) for job in parts.jobs]
    servers = [group.create_task(listener.serve(), name="listener") for listener in parts.listeners]
    for listener in parts.listeners:
        await listener.opened()
    parts.notifier.ready(parts.opened())
    await stopping.asked()
    parts.ending()
    parts.notifier.stopping()
    await _end(parts, servers, stopping)
    for job in jobs:
        job.cancel()


async def _end(parts: Parts, servers: Sequence[asyncio.Task[None]], stopping: Stopping) -> None:
    for listener in parts.listeners:
        listener.stop()
    async with asyncio.TaskGroup() as ending:
        orderly = ending.create_task(_orderly(parts, servers), name="orderly end")
        hurry = ending.create_task(stopping.hurried(), name="hurry")
        await asyncio.wait({orderly, hurry}, return_when=asyncio.FIRST_COMPLETED)
        orderly.cancel()
        hurry.cancel()
    for listener in parts.listeners:
        listener.stop_now()


async def _orderly(parts: Parts, servers: Sequence[asyncio.Task[None]]) -> None:
    # A caller who waits for the answer of a run waits for the engine: requests and runs end side by side.
    async with asyncio.TaskGroup() as group:
        drained = group.create_task(_drained(parts), name="drain")
        await asyncio.wait({drained, *servers})


async def _drained(parts: Parts) -> None:
    await parts.drain(DRAIN)


@contextlib.contextmanager
def _signals(group: asyncio.TaskGroup, parts: Parts, stopping: Stopping) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.ask, number.name)
    loop.add_signal_handler(signal.SIGHUP, lambda: group.create_task(_reload(parts), name="reload for SIGHUP"))
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


async def _reload(parts: Parts) -> None:
    parts.notifier.reloading(asyncio.get_running_loop().time())
    await parts.reload()
    parts.notifier.ready(parts.opened())


def _cause(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the failure that tells most: one of our family if there is one, else the first."""
    ours = failures.subgroup(HooksdError)
    failure: BaseException = ours or failures
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure
