"""The HTTP clients that the benchmark of deliveries compares: each sends the same signed POST of 1 KB."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from hooksd.clock import SystemClock
from hooksd.config.snapshot import CompiledEndpoint, Revision, Snapshot
from hooksd.delivery.dispatcher import Dispatcher
from hooksd.delivery.place import place_of
from hooksd.delivery.request import Payload, Prepared, prepare
from hooksd.delivery.sender import HttpSender
from hooksd.delivery.transport import Transport
from hooksd.delivery.transport_wire import Way, Wire
from hooksd.journal.file import FileJournal
from hooksd.model.definitions import Definitions
from hooksd.model.effect import Deliver
from hooksd.model.endpoint import Endpoint
from hooksd.model.ids import EventId, IdFactory, RunId
from hooksd.model.record import Origin
from hooksd.model.secret import Secret

BODY = b'{"order":7,"lines":"' + b"x" * 1000 + b'"}'
KEY = Secret(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

Send = Callable[[], Awaitable[None]]


def endpoint(port: int, most: int, name: str = "sink") -> CompiledEndpoint:
    """Return an endpoint that is signed for, has one attempt and 30 seconds for it."""
    url = f"http://127.0.0.1:{port}/hook"
    keys = {"url": url, "max_in_flight": most, "retry": "none", "timeout": "30s"}
    value = Endpoint.model_validate(keys)
    return CompiledEndpoint(
        name=name,
        value=value,
        origin=Origin(file="bench.toml", line=1),
        url=url,
        headers={},
        secrets=(KEY,),
        hidden=(),
    )


def signed(there: CompiledEndpoint) -> Prepared:
    """Make a request as hooksd makes it: all clients send the same."""
    payload = Payload(
        delivery=f"dlv_{secrets.token_hex(16)}", headers={}, query={}, media="application/json", body=BODY
    )
    return prepare(there, payload, int(time.time()))


@contextlib.asynccontextmanager
async def by_httpx(port: int, at_once: int, _: Path) -> AsyncIterator[Send]:
    """httpx.AsyncClient with its own pool."""
    there = endpoint(port, 8)
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    context = ssl.create_default_context()
    async with httpx.AsyncClient(limits=limits, timeout=60, trust_env=False, verify=context) as client:

        async def send() -> None:
            made = signed(there)
            response = await client.post(made.url, headers=dict(made.headers), content=made.body)
            assert response.status_code == 200

        yield send


@contextlib.asynccontextmanager
async def by_aiohttp(port: int, at_once: int, _: Path) -> AsyncIterator[Send]:
    """A bare aiohttp client."""
    there = endpoint(port, 8)
    import aiohttp  # noqa: PLC0415 - only where it is installed

    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def send() -> None:
            made = signed(there)
            async with session.post(made.url, headers=dict(made.headers), data=made.body) as response:
                assert response.status == 200
                await response.read()

        yield send


@contextlib.asynccontextmanager
async def by_transport(port: int, _: int, __: Path) -> AsyncIterator[Send]:
    """The transport alone: bytes in, bytes out."""
    there = endpoint(port, 8)
    transport = Transport(now=time.monotonic)
    way = Way(place=place_of(f"http://127.0.0.1:{port}/hook"))

    async def send() -> None:
        made = signed(there)
        wire = Wire(time.monotonic, 65536, 60)
        await transport.exchange(way, made.written, wire)
        assert wire.status == 200

    yield send
    await transport.aclose()


@contextlib.asynccontextmanager
async def by_sender(port: int, _: int, __: Path) -> AsyncIterator[Send]:
    """The sender: an attempt with its exchange, without the log."""
    there = endpoint(port, 8)
    async with HttpSender() as sender:

        async def send() -> None:
            assert (await sender.attempt(signed(there), 60)).outcome == "ok"

        yield send


@contextlib.asynccontextmanager
async def dispatcher(
    endpoints: Mapping[str, CompiledEndpoint], at_once: int, directory: Path
) -> AsyncIterator[Callable[[str], Coroutine[None, None, None]]]:
    """Let a dispatcher work with a log on disk. What it yields delivers to an endpoint, to the end of the delivery."""
    clock = SystemClock()
    snapshot = Snapshot(
        revision=Revision(tree="sha256:" + "ab" * 32),
        definitions=Definitions(),
        webhooks={},
        by_path={},
        workflows={},
        endpoints=endpoints,
        roles={},
        secrets={},
    )
    journal = FileJournal(directory / secrets.token_hex(4))
    journal.open()
    ids = IdFactory(clock.now, lambda: secrets.randbits(74))
    async with HttpSender() as sender, asyncio.TaskGroup() as group:
        working = Dispatcher(
            journal=journal,
            clock=clock,
            ids=ids,
            current=lambda: snapshot,
            sender=sender,
            jitter=random.random,
            concurrency=at_once,
        )
        serving = group.create_task(working.run())

        async def deliver(name: str) -> None:
            effect = Deliver(
                endpoints=(name,),
                event=EventId("evt_1"),
                run=RunId(ids.delivery()),
                step="send",
                headers={},
                query={},
                media="application/json",
                body=BODY,
                retry=None,
            )
            assert (await working.deliver(effect)).ok

        yield deliver
        serving.cancel()
    await journal.close()


@contextlib.asynccontextmanager
async def by_hooksd(port: int, at_once: int, directory: Path) -> AsyncIterator[Send]:
    """Deliveries: created, attempted and ended in the log."""
    async with dispatcher({"sink": endpoint(port, at_once)}, at_once, directory) as deliver:
        yield lambda: deliver("sink")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    name: str
    make: Callable[[int, int, Path], contextlib.AbstractAsyncContextManager[Send]]
    is_logged: bool = False
    """Some more are asked for than may be under way: those wait for the disk meanwhile."""

    def asking(self, at_once: int) -> int:
        """Return how many ask at the same time: enough to have `at_once` under way, however slow the disk is."""
        return at_once + max(400, at_once) if self.is_logged and at_once > 1 else at_once


HTTPX = Client(name="httpx, its own pool", make=by_httpx)
AIOHTTP = Client(name="aiohttp, bare", make=by_aiohttp)
BARE = Client(name="hooksd's transport", make=by_transport)
SENDER = Client(name="hooksd's sender", make=by_sender)
HOOKSD = Client(name="hooksd, with its log", make=by_hooksd, is_logged=True)
