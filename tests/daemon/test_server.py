"""uvicorn as a guest: real sockets, our way to stop."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from hooksd.config.settings import TcpAddress, UnixAddress
from hooksd.daemon.listen import bind
from hooksd.daemon.server import Listener


class Slow:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.asked = asyncio.Event()
        self.count = 0

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.asked.set()
        self.count += 1
        await self.let.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


async def ask_in_vain(client: httpx.AsyncClient, url: str) -> None:
    with contextlib.suppress(httpx.TransportError):
        await client.get(url)


async def test_requests_under_way_are_answered_when_the_listener_stops() -> None:
    app = Slow()
    door = bind(TcpAddress(host="127.0.0.1", port=0))
    url = f"http://127.0.0.1:{door.getsockname()[1]}/"
    listener = Listener(app, [door])
    async with asyncio.timeout(20), httpx.AsyncClient(trust_env=False) as client, asyncio.TaskGroup() as group:
        group.create_task(listener.serve())
        await listener.opened()
        asked = group.create_task(client.get(url))
        await app.asked.wait()
        listener.stop()
        app.let.set()

    answer = asked.result()
    assert answer.text == "ok"
    assert "server" not in answer.headers


async def test_a_listener_that_must_end_now_does_not_wait_for_requests() -> None:
    app = Slow()
    door = bind(TcpAddress(host="127.0.0.1", port=0))
    url = f"http://127.0.0.1:{door.getsockname()[1]}/"
    listener = Listener(app, [door], finish=60)
    async with asyncio.timeout(10), httpx.AsyncClient(trust_env=False) as client, asyncio.TaskGroup() as group:
        serving = group.create_task(listener.serve())
        await listener.opened()
        asking = group.create_task(ask_in_vain(client, url))
        await app.asked.wait()
        listener.stop_now()
        await serving
        assert not asking.done()
        app.let.set()


async def test_connections_leave_half_of_the_descriptors_to_the_log_and_to_programs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))
    app = Slow()
    door = bind(TcpAddress(host="127.0.0.1", port=0))
    listener = Listener(app, [door])
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(listener.serve())
        await listener.opened()
        ways = [await asyncio.open_connection(*door.getsockname()) for _ in range(32)]
        for _, writer in ways:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while app.count < 32:
            await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection(*door.getsockname())
        refused = await reader.read()
        for _, way in (*ways, (reader, writer)):
            way.close()
        app.let.set()
        listener.stop()

    assert refused.startswith(b"HTTP/1.1 503 ")


async def test_signals_stay_where_they_were_and_a_unix_socket_is_served(tmp_path: Path) -> None:
    app = Slow()
    app.let.set()
    before = signal.getsignal(signal.SIGTERM)
    door = bind(UnixAddress(path=tmp_path / "admin.sock"))
    listener = Listener(app, [door])
    transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "admin.sock"))
    async with asyncio.timeout(20), httpx.AsyncClient(transport=transport) as client, asyncio.TaskGroup() as group:
        group.create_task(listener.serve())
        await listener.opened()
        assert signal.getsignal(signal.SIGTERM) is before
        assert (await client.get("http://hooksd/")).status_code == 200
        listener.stop()


async def test_a_request_that_cannot_be_waited_for_is_answered_and_leaves_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    door = bind(TcpAddress(host="127.0.0.1", port=0))
    url = f"http://127.0.0.1:{door.getsockname()[1]}/"
    app = Slow()
    listener = Listener(app, [door], finish=1)
    async with asyncio.timeout(20), httpx.AsyncClient(trust_env=False) as client, asyncio.TaskGroup() as group:
        serving = group.create_task(listener.serve())
        await listener.opened()
        asked = group.create_task(client.get(url))
        await app.asked.wait()
        listener.stop()
        await serving

    assert asked.result().status_code == 503
    assert asked.result().headers["retry-after"]
    assert [record for record in caplog.records if record.exc_info] == []
