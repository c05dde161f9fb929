"""The receiver of the benchmarks of deliveries: answers 200 at once, after a time or never, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import cast

import httptools
import uvloop

SENDER_CORE, RECEIVER_CORE = 0, 1
NEVER = float("inf")
"""A receiver that takes requests and answers none."""

_DUE = re.compile(rb'"due":([0-9.]+)')


class _Seen:
    """What came: how many requests, when the last one, and how old they were that say when they were due."""

    def __init__(self) -> None:
        self.count = 0
        self.last = 0.0
        self.ages: list[float] = []

    def take(self, body: bytes) -> None:
        self.count += 1
        self.last = time.monotonic()
        if (due := _DUE.search(body, 0, 64)) is not None:
            self.ages.append(self.last - float(due[1]))


class _Sink(asyncio.Protocol):
    def __init__(self, delay: float, seen: _Seen) -> None:
        self._delay = delay
        self._seen = seen
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        self._seen.take(self._body)
        self._body = b""
        if not self._delay:
            self._answer()
        elif self._delay != NEVER:
            asyncio.get_running_loop().call_later(self._delay, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


def _serve(delays: list[float], told: Connection) -> None:
    """Listen on a port for each delay, and tell what was seen whenever somebody asks."""

    async def forever() -> None:
        loop = asyncio.get_running_loop()
        seen = _Seen()
        ports = []
        for delay in delays:
            server = await loop.create_server(partial(_Sink, delay, seen), "127.0.0.1", 0, backlog=2048)
            ports.append(server.sockets[0].getsockname()[1])
        told.send(ports)
        loop.add_reader(told.fileno(), lambda: told.send((told.recv(), seen.count, seen.last, seen.ages)))
        await asyncio.Event().wait()

    keep_to(RECEIVER_CORE)
    uvloop.run(forever())


def keep_to(core: int) -> None:
    """Run on one core from now on, if there is that one. What is started from here on does, until it says otherwise."""
    with contextlib.suppress(OSError):
        # Not asked whether it is among those that this process may use: a receiver is started by a sender that keeps to
        # the other core, and would stay on that one with it.
        os.sched_setaffinity(0, {core})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a receiver has seen so far."""

    count: int
    last: float
    """When the last request came, on the monotonic clock, which all processes share."""
    ages: list[float]
    """For how many seconds each request had been due that says since when."""


class Receiver:
    """A running receiver."""

    def __init__(self, ports: list[int], pipe: Connection) -> None:
        self.ports = ports
        """One for each delay."""
        self._pipe = pipe

    def seen(self) -> Seen:
        """Ask what came so far."""
        self._pipe.send(None)
        _, count, last, ages = self._pipe.recv()
        return Seen(count=count, last=last, ages=ages)


@contextlib.contextmanager
def receiver(*delays: float) -> Iterator[Receiver]:
    """Let a receiver answer after so many seconds, on a port for each."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(list(delays), there), daemon=True)
    process.start()
    try:
        yield Receiver(here.recv(), here)
    finally:
        process.terminate()
        process.join()
