"""A receiver on a loopback socket that says exactly the bytes it is told to, well formed or not."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class Receiver:
    port: int
    scheme: str
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/") -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    async def received(self, count: int) -> list[Request]:
        """Return the requests when there are so many; no more may have come."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(30):
                while len(self.requests) < count:
                    await asyncio.sleep(0.02)
        assert len(self.requests) == count
        return self.requests


async def read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8")
    line, *rest = head.rstrip().split("\r\n")
    headers = {name.lower(): value for name, value in (header.split(": ", 1) for header in rest)}
    return Request(line=line, headers=headers, body=await reader.readexactly(int(headers.get("content-length", 0))))


def answer(status: str = "200 OK", headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@contextlib.asynccontextmanager
async def receiver(talk: Talk | bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Serve on a free port.

    Args:
        talk: What to say after each request; or a function that talks.
        tls: Speak TLS.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            if callable(talk):
                await talk(reader, writer)
            else:
                while True:
                    here.requests.append(await read_request(reader))
                    writer.write(talk)
                    await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    here = Receiver(port=server.sockets[0].getsockname()[1], scheme="https" if tls else "http")
    try:
        yield here
    finally:
        server.close()
