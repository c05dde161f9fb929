"""The life of the daemon: it ends in order, in bounded time, and for a reason that its exit status tells."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from hooksd.config.settings import TcpAddress
from hooksd.daemon.lifecycle import Job, Parts, live
from hooksd.daemon.listen import bind
from hooksd.daemon.server import Listener
from hooksd.daemon.stopping import Stopping
from hooksd.daemon.systemd import Notifier
from hooksd.errors import JournalBroken


class Diary:
    """Parts that write down what happens to them."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.opened = asyncio.Event()
        self.reloaded = asyncio.Event()

    async def job(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.lines.append("job cancelled")

    def open(self) -> str:
        self.lines.append("open")
        self.opened.set()
        return "IN_SYNC"

    async def drain(self, _: float) -> None:
        self.lines.append("drained")

    async def reload(self) -> None:
        self.lines.append("reloaded")
        self.reloaded.set()

    def parts(
        self,
        *jobs: Callable[[], Coroutine[Any, Any, None]],
        drain: Callable[[float], Awaitable[None]] | None = None,
        listeners: Sequence[Any] = (),
    ) -> Parts:
        return Parts(
            jobs=[Job(name="job", run=job) for job in (jobs or (self.job,))],
            listeners=listeners,
            notifier=Notifier(None),
            opened=self.open,
            ending=lambda: self.lines.append("ending"),
            drain=drain or self.drain,
            reload=self.reload,
        )


async def test_it_opens_drains_and_only_then_cancels_what_runs() -> None:
    diary, stopping = Diary(), Stopping()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(live(diary.parts(), stopping))
        await diary.opened.wait()
        stopping.ask("SIGTERM")

    assert diary.lines == ["open", "ending", "drained", "job cancelled"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_signal_ends_it(number: signal.Signals) -> None:
    diary, stopping = Diary(), Stopping()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(live(diary.parts(), stopping))
        await diary.opened.wait()
        os.kill(os.getpid(), number)

    assert stopping.reason == number.name


async def test_a_second_signal_ends_it_although_something_will_not_drain() -> None:
    diary, stopping = Diary(), Stopping()
    draining = asyncio.Event()

    async def never(_: float) -> None:
        draining.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(live(diary.parts(drain=never), stopping))
        await diary.opened.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await draining.wait()
        os.kill(os.getpid(), signal.SIGTERM)

    assert diary.lines == ["open", "ending", "job cancelled"]


async def test_sighup_reloads_and_goes_on() -> None:
    diary, stopping = Diary(), Stopping()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(live(diary.parts(), stopping))
        await diary.opened.wait()
        os.kill(os.getpid(), signal.SIGHUP)
        await diary.reloaded.wait()
        stopping.ask("test")

    assert diary.lines[:3] == ["open", "reloaded", "open"]


async def test_it_says_that_it_is_ready_when_its_doors_are_open_and_closes_them_at_the_end() -> None:
    diary, stopping = Diary(), Stopping()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    door = bind(TcpAddress(host="127.0.0.1", port=0))
    url = f"http://127.0.0.1:{door.getsockname()[1]}/"
    parts = diary.parts(listeners=[Listener(app, [door])])
    async with asyncio.timeout(20), httpx.AsyncClient(trust_env=False) as client, asyncio.TaskGroup() as group:
        group.create_task(live(parts, stopping))
        await diary.opened.wait()
        assert (await client.get(url)).status_code == 204
        stopping.ask("test")

    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_a_broken_log_ends_it_with_the_error_of_the_log() -> None:
    diary, stopping = Diary(), Stopping()
    asyncio.get_running_loop().call_later(0.05, stopping.fail, JournalBroken("disk gone"))
    with pytest.raises(JournalBroken, match="disk gone"):
        await live(diary.parts(), stopping)


async def test_a_part_that_fails_ends_it_and_our_own_error_is_the_one_that_is_told() -> None:
    diary, stopping = Diary(), Stopping()

    async def fails() -> None:
        raise JournalBroken("disk gone")

    async def fails_too() -> None:
        raise ValueError("a consequence")

    with pytest.raises(JournalBroken, match="disk gone"):
        await live(diary.parts(fails_too, fails), stopping)


async def test_a_fault_of_ours_is_told_as_what_it_is() -> None:
    diary, stopping = Diary(), Stopping()

    async def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await live(diary.parts(fails), stopping)
