"""A connection without a network: bytes in, bytes out, and a clock that moves when it is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from hooksd.web.guard import GuardedProtocol
from hooksd.web.guard_crowd import Crowd
from hooksd.web.guard_limits import GuardReason, Limits


class Peer:
    """What a transport says about the other end."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.options: list[Any] = []

    def getpeername(self) -> tuple[str, int]:
        return self.address, 4711

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 9000

    def setsockopt(self, *option: Any) -> None:
        self.options.append(option)


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.peer = Peer(address)
        self.written = b""
        self.ended = False
        self.closed = False
        self.aborted = False
        self.reading = True
        self.most_unread: int | None = None

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:  # noqa: ARG002
        self.most_unread = high

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.peer if name == "socket" else default

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        assert not self.closed
        self.written += bytes(data)

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Time:
    """The event loop, but for its clock."""

    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    def create_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work)


class Echo:
    """An application that answers with what it was asked, when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.let.set()
        self.asked: list[tuple[str, bytes]] = []
        self.headers: list[list[tuple[bytes, bytes]]] = []
        self.reads = True
        self.gone = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", self.reads
        while more:
            message = await receive()
            if message["type"] != "http.request":
                self.gone += 1
                return
            body += message["body"]
            more = message["more_body"]
        self.asked.append((scope["path"], body))
        self.headers.append(scope["headers"])
        await self.let.wait()
        said = scope["path"].encode() + b"=" + body
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
        await send({"type": "http.response.body", "body": said})


class House:
    """A listener's connections."""

    def __init__(self, limits: Limits | None = None, app: ASGIApp | None = None) -> None:
        self.app = Echo()
        self.time = Time()
        self.told: list[tuple[GuardReason, int, str]] = []
        self.crowd = Crowd(limits or Limits(), self._tell)
        self._config = Config(app or self.app, lifespan="off", log_config=None, ws="none")
        self._state = ServerState()

    def _tell(self, *, webhook: str | None, reason: GuardReason, status: int, peer: str) -> None:
        assert webhook is None
        self.told.append((reason, status, peer))

    def connect(self, address: str = "127.0.0.1") -> Connection:
        loop: Any = self.time
        protocol = GuardedProtocol(self._config, self._state, {}, loop, crowd=self.crowd)
        return Connection(self, protocol, address)

    async def wait(self, seconds: float) -> None:
        """Let time pass and the sweep look at it."""
        self.time.now += seconds
        self.crowd.sweep(self.time.now)
        await settle()


class Connection:
    """One connection, from the caller's side."""

    def __init__(self, house: House, protocol: GuardedProtocol, address: str) -> None:
        self.house = house
        self.protocol = protocol
        self.wire = Wire(address)
        protocol.connection_made(self.wire)

    async def send(self, *pieces: bytes) -> bytes:
        """Send, let the daemon work, and return all that came back so far."""
        for piece in pieces:
            if self.wire.reading and not self.wire.closed:
                self.protocol.data_received(piece)
            await settle()
        return self.wire.written

    @property
    def statuses(self) -> list[int]:
        """The status of every answer so far."""
        return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", self.wire.written)]

    async def hang_up(self) -> None:
        self.protocol.connection_lost(None)
        await settle()


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(24):
        await asyncio.sleep(0)


def get(path: str = "/a", *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode("latin-1")


def post(body: bytes, *headers: str, path: str = "/a") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    head = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + end
