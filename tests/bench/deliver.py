"""Measures how fast hooksd delivers, beside HTTP clients that keep no log.

    python -m tests.bench.deliver [--seconds 2] [--rounds 3] [--at 1,50,200,1000] [--slow]

Every client POSTs 1 KB, signed, to a receiver in a process and on a core of its own that answers at once. Clients take
turns, round after round; a figure is the median of its rounds, with the processor time of each delivery beside it,
which moves less with what else the machine does. hooksd delivers through its dispatcher and its log, with
fdatasync. aiohttp is compared where it is installed. `--slow`: 1,000 at the same time to a receiver that takes 100 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import multiprocessing
import os
import random
import secrets
import shutil
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import cast

import httptools
import httpx
import uvloop

from hooksd.clock import SystemClock
from hooksd.config.snapshot import CompiledEndpoint, Revision, Snapshot
from hooksd.daemon.memory import collect_seldom
from hooksd.delivery.dispatcher import Dispatcher
from hooksd.delivery.place import place_of
from hooksd.delivery.request import Payload, Prepared, prepare
from hooksd.delivery.sender import HttpSender
from hooksd.delivery.transport import Transport
from hooksd.delivery.transport_wire import Call, Wire
from hooksd.journal.file import FileJournal
from hooksd.model.definitions import Definitions
from hooksd.model.effect import Deliver
from hooksd.model.endpoint import Endpoint
from hooksd.model.ids import EventId, IdFactory, RunId
from hooksd.model.record import Origin
from hooksd.model.secret import Secret

BODY = b'{"order":7,"lines":"' + b"x" * 1000 + b'"}'
KEY = Secret(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
CLIENT_CORE, RECEIVER_CORE = 0, 1

Send = Callable[[], Awaitable[None]]


class Sink(asyncio.Protocol):
    """Answers every request with 200, at once or after a time."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


def serve(delay: float, told: Connection) -> None:
    """Be the receiver, in a process of its own, until it is ended."""

    async def forever() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Sink(delay), "127.0.0.1", 0, backlog=2048)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    _keep_to(RECEIVER_CORE)
    uvloop.run(forever())


def _keep_to(core: int) -> None:
    if core in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {core})


def endpoint(port: int, most: int) -> CompiledEndpoint:
    url = f"http://127.0.0.1:{port}/hook"
    value = Endpoint.model_validate({"url": url, "max_in_flight": most, "retry": "none"})
    return CompiledEndpoint(
        name="sink",
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
    place = place_of(f"http://127.0.0.1:{port}/hook")

    async def send() -> None:
        made = signed(there)
        head = "".join(f"{name}: {value}\r\n" for name, value in made.headers)
        lines = f"POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: {len(BODY)}\r\n{head}\r\n"
        wire = Wire(time.monotonic, 65536)
        await transport.exchange(Call(method="POST", place=place, head=lines.encode(), body=BODY), wire)
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
async def by_hooksd(port: int, at_once: int, directory: Path) -> AsyncIterator[Send]:
    """Deliveries: created, attempted and ended in the log."""
    clock = SystemClock()
    snapshot = Snapshot(
        revision=Revision(tree="sha256:" + "ab" * 32),
        definitions=Definitions(),
        webhooks={},
        by_path={},
        workflows={},
        endpoints={"sink": endpoint(port, at_once)},
        roles={},
        secrets={},
    )
    journal = FileJournal(directory / secrets.token_hex(4))
    journal.open()
    ids = IdFactory(clock.now, lambda: secrets.randbits(74))
    async with HttpSender() as sender:
        dispatcher = Dispatcher(
            journal=journal,
            clock=clock,
            ids=ids,
            current=lambda: snapshot,
            sender=sender,
            jitter=random.random,
            concurrency=max(at_once, 1),
        )
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(dispatcher.run())

            async def send() -> None:
                effect = Deliver(
                    endpoints=("sink",),
                    event=EventId("evt_1"),
                    run=RunId(ids.delivery()),
                    step="send",
                    headers={},
                    query={},
                    media="application/json",
                    body=BODY,
                    retry=None,
                )
                assert (await dispatcher.deliver(effect)).ok

            yield send
            serving.cancel()
        await journal.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    name: str
    make: Callable[[int, int, Path], contextlib.AbstractAsyncContextManager[Send]]
    is_logged: bool = False
    """Some more are asked for than may be under way: those wait for the disk meanwhile."""

    def asking(self, at_once: int) -> int:
        """Return how many ask at the same time."""
        return at_once + 400 if self.is_logged and at_once > 1 else at_once


HTTPX = Client(name="httpx, its own pool", make=by_httpx)
AIOHTTP = Client(name="aiohttp, bare", make=by_aiohttp)
BARE = Client(name="hooksd's transport", make=by_transport)
SENDER = Client(name="hooksd's sender", make=by_sender)
HOOKSD = Client(name="hooksd, with its log", make=by_hooksd, is_logged=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    rate: float
    cpu: float
    """Microseconds of processor time for each."""


async def measure(client: Client, port: int, at_once: int, seconds: float, directory: Path) -> Figure:
    """Keep so many under way for so long; the first fifth of the time is not counted."""
    count = 0
    loop = asyncio.get_running_loop()
    ends = loop.time() + 1.25 * seconds

    async def work(send: Send) -> None:
        nonlocal count
        while loop.time() < ends:
            await send()
            count += 1

    async with client.make(port, at_once, directory) as send, asyncio.TaskGroup() as group:
        for _ in range(client.asking(at_once)):
            group.create_task(work(send))
        await asyncio.sleep(0.25 * seconds)
        before, began, cpu = count, time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        done, took, cpu = count - before, time.perf_counter() - began, time.process_time() - cpu
    return Figure(rate=done / took, cpu=1e6 * cpu / max(done, 1))


@contextlib.contextmanager
def receiver(delay: float) -> Iterator[int]:
    """Let a receiver answer on a port."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(delay, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def table(clients: list[Client], at_once: int, delay: float, options: argparse.Namespace) -> dict[str, Figure]:
    """Measure clients in turns and print what came of it."""
    figures: dict[str, list[Figure]] = {client.name: [] for client in clients}
    directory = Path(tempfile.mkdtemp(prefix="deliver-", dir=options.directory))
    try:
        with receiver(delay) as port:
            for _ in range(options.rounds):
                for client in clients:
                    run = measure(client, port, at_once, options.seconds, directory)
                    figures[client.name].append(uvloop.run(run))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    _say(f"\n{at_once} at the same time" + (f", a receiver that takes {delay * 1000:.0f} ms" if delay else ""))
    medians = {}
    for name, found in figures.items():
        middle = Figure(rate=median(item.rate for item in found), cpu=median(item.cpu for item in found))
        medians[name] = middle
        _say(f"  {name:24} {middle.rate:9,.0f}/s {middle.cpu:9.1f} us each")
    return medians


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at", default="1,50,200,1000")
    parser.add_argument("--only", default="")
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--directory", default=None, help="where logs are written; default: the temporary directory")
    options = parser.parse_args()
    _keep_to(CLIENT_CORE)
    collect_seldom()  # as the daemon does; for all clients alike
    clients = [HTTPX, *([AIOHTTP] if importlib.util.find_spec("aiohttp") else []), BARE, SENDER, HOOKSD]
    clients = [client for client in clients if options.only in client.name]
    for at_once in map(int, options.at.split(",")):
        # At 1,000 httpx's pool takes the whole loop down: nothing would be measured.
        able = [client for client in clients if client is not HTTPX or at_once <= 200]
        found = table(able, at_once, 0.0, options)
        ours = found.get(HOOKSD.name)
        for other in (HTTPX, AIOHTTP):
            if ours and other.name in found:
                _say(f"  {ours.rate / found[other.name].rate:.2f} times {other.name}, by rate")
    if options.slow:
        table([HOOKSD], 1000, 0.1, options)


if __name__ == "__main__":
    main()
