"""What one accepted request takes inside the process: `python -m tests.bench.stages --size 1024`.

Bytes go into the protocols of 28 connections, as many as one batch of the log answers at 64 connections; answers come
out, and nothing is sent or written. So kernel, event loop and the log's thread are left out, and of many timings the
tenth percentile leaves out most of what else the machine does. To compare two versions, run them in turns.

The last row is the same work with one send over TCP, which is not counted, before each request: what the kernel leaves
of the caches is what a request meets in the daemon.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import uvloop
from uvicorn.config import Config
from uvicorn.server import ServerState

from hooksd.auth.request import Inbound
from hooksd.clock import SystemClock
from hooksd.config.build import build
from hooksd.config.load import Loader
from hooksd.config.secrets import SecretStore
from hooksd.config.snapshot import CompiledWebhook, Revision, Snapshot
from hooksd.engine.runner import Engine
from hooksd.journal import codec
from hooksd.journal.lines import Begun, begun
from hooksd.journal.memory import MemoryJournal
from hooksd.journal.receipt import Receipt
from hooksd.model.arrival import EventLine
from hooksd.model.ids import IdFactory
from hooksd.model.record import Record
from hooksd.telemetry.observer import Observer
from hooksd.web.answer import Answer, json_answer
from hooksd.web.body import check_body
from hooksd.web.duplicates import Duplicates
from hooksd.web.guard_crowd import Crowd
from hooksd.web.guard_direct import DirectProtocol
from hooksd.web.guard_limits import Limits
from hooksd.web.receive import Receiver
from hooksd.web.refusals import Refusals
from hooksd.web.trigger import TriggerApp
from tests.bench.payload import SECRET, push, signature
from tests.bench.servers import WEBHOOK

BATCH = 28
"""Requests that one write of the log answers."""
CONSTANT = json_answer(202, {"event": "evt_00000000-0000-7000-8000-000000000000", "runs": []})
HEAD = """POST /hooks/push HTTP/1.1
Host: 127.0.0.1:9000
Content-Type: application/json
User-Agent: GitHub-Hookshot/044aadd
Accept: */*
X-GitHub-Event: push
X-Hub-Signature-256: {signature}
X-GitHub-Delivery: 6c6f6164-cc78-11e3-81ab-{number:012x}
Content-Length: {size}

"""


class Log(MemoryJournal):
    """A log up to the queue of the thread that would write it."""

    def __init__(self) -> None:
        super().__init__()
        self.begin()

    def begin(self) -> None:
        """Begin the next batch."""
        self.queue: list[Record | EventLine] = []
        self.begun: list[Begun] = []
        self.receipt = Receipt()

    def append(self, records: Sequence[Record | EventLine]) -> Receipt:
        """Queue records."""
        texts, _ = begun(map(codec.dump, records))
        self.queue += records
        self.begun += texts
        return self.receipt


class Peer:
    """What a transport says of both ends."""

    def getpeername(self) -> tuple[str, int]:
        return "127.0.0.1", 4711

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 9000


class Wire(asyncio.Transport):
    """A transport that keeps the last answer."""

    last: Any = b""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return Peer() if name == "socket" else default

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.last = data

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Keep nothing anyway."""

    def is_closing(self) -> bool:
        return False

    def resume_reading(self) -> None:
        """Go on."""


class Constant:
    """An application that answers the same at once: what is left is HTTP."""

    def __init__(self, webhook: CompiledWebhook) -> None:
        self._webhook = webhook

    def webhook_at(self, path: str) -> CompiledWebhook | None:
        return self._webhook if path == self._webhook.path else None

    def begin_answer(
        self,
        webhook: CompiledWebhook,
        headers: dict[str, str],
        query: str,
        body: bytes,
        peer: str,
        say: Callable[[Answer], None],
    ) -> Coroutine[Any, Any, None] | None:
        assert webhook is self._webhook
        assert headers
        assert not query
        assert body
        assert peer
        say(CONSTANT)
        return None


class Bench:
    """A trigger listener without a network, and requests for it."""

    def __init__(self, size: int, log: Log | None = None) -> None:
        self.log = Log() if log is None else log
        self.snapshot = definitions()
        self.webhook = self.snapshot.webhooks["push"]
        self.body = push(size)
        self._signature = signature(self.body)
        self._number = 0
        self.app = self._application()
        self.whole = self._connections(self.app)
        self.http = self._connections(Constant(self.webhook))

    def _application(self) -> TriggerApp:
        clock, observer = SystemClock(), Observer()
        ids = IdFactory(clock.now, lambda: int.from_bytes(os.urandom(10), "big"))
        refusals = Refusals(journal=self.log, clock=clock, observer=observer)
        nobody: Any = None  # no run starts
        engine = Engine(
            journal=self.log,
            performer=nobody,
            clock=clock,
            ids=ids,
            current=self.current,
            jitter=lambda: 0.0,
            public_url="",
            observer=observer,
        )
        receiver = Receiver(
            intake=engine,
            clock=clock,
            ids=ids,
            public_url=None,
            refusals=refusals,
            shelf=self.log,
            duplicates=Duplicates(clock.now),
        )
        return TriggerApp(
            receiver=receiver,
            refusals=refusals,
            current=self.current,
            unready=tuple,
            public_url=None,
            clock=clock,
            observer=observer,
        )

    def current(self) -> Snapshot:
        return self.snapshot

    def _connections(self, application: TriggerApp | Constant) -> list[tuple[DirectProtocol, Wire]]:
        config = Config(self.app, lifespan="off", log_config=None, ws="none")
        config.load()
        state = ServerState()
        state.default_headers = [(b"date", b"Sun, 22 Nov 2026 03:28:00 GMT")]
        crowd = Crowd(Limits(), lambda **_: None)
        loop = asyncio.get_running_loop()
        made = [
            (DirectProtocol(config, state, {}, loop, crowd=crowd, application=application), Wire())
            for _ in range(BATCH)
        ]
        for protocol, wire in made:
            protocol.connection_made(wire)
        return made

    def requests(self) -> list[bytes]:
        """Return a batch of requests, each a delivery of its own."""
        made = []
        for _ in range(BATCH):
            self._number += 1
            head = HEAD.format(signature=self._signature, number=self._number, size=len(self.body))
            made.append(head.replace("\n", "\r\n").encode() + self.body)
        return made

    def inbound(self) -> Inbound:
        """Return one request as verifiers see it."""
        lines = HEAD.format(signature=self._signature, number=0, size=len(self.body)).splitlines()[1:-1]
        pairs = (line.split(": ", 1) for line in lines)
        return Inbound(
            method="POST",
            path=self.webhook.path,
            query_string="",
            headers=tuple((name.lower(), value) for name, value in pairs),
            body=self.body,
            media="application/json",
        )


def definitions() -> Snapshot:
    """Return the one webhook of the benchmarks, in force."""
    secrets = SecretStore(
        credentials_dir=None, environment={"BENCH_SECRET": SECRET}, allow_inline=False, base_dir=Path("/")
    )
    text = WEBHOOK.format(workflow="", steps="", answer="accept")
    loaded = Loader(secrets=secrets, allow_inline_secrets=False).load({"push.toml": text.encode()})
    assert loaded.definitions is not None
    revision = Revision(tree="sha256:" + "0" * 64)
    return build(loaded.definitions, revision=revision, secrets=secrets, verifiers=loaded.verifiers)


def feed(connections: list[tuple[DirectProtocol, Wire]], requests: list[bytes]) -> float:
    """Return how many microseconds one request of a batch takes."""
    began = time.perf_counter()
    for (protocol, _), request in zip(connections, requests, strict=True):
        protocol.data_received(request)
    connections[0][0].crowd.turn.end()
    return (time.perf_counter() - began) / BATCH * 1e6


def feed_between_sends(
    connections: list[tuple[DirectProtocol, Wire]], requests: list[bytes], peer: socket.socket
) -> float:
    """Return how many microseconds one request of a batch takes when the kernel has just sent an answer."""
    spent = 0.0
    for (protocol, _), request in zip(connections, requests, strict=True):
        peer.send(b"x" * 300)
        began = time.perf_counter()
        protocol.data_received(request)
        spent += time.perf_counter() - began
    began = time.perf_counter()
    connections[0][0].crowd.turn.end()
    spent += time.perf_counter() - began
    return spent / BATCH * 1e6


@contextlib.contextmanager
def listener() -> Iterator[socket.socket]:
    """Yield a connection over TCP to a process that reads."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        reader = multiprocessing.Process(target=_read, args=(server.getsockname(),), daemon=True)
        reader.start()
        connection, _ = server.accept()
        with connection:
            yield connection
        reader.join()


def _read(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as connection:
        while connection.recv(65536):
            pass


def settle(log: Log) -> float:
    """Return how many microseconds one request takes whose batch is durable now."""
    began = time.perf_counter()
    log.receipt.settle(None)
    spent = (time.perf_counter() - began) / BATCH * 1e6
    log.begin()
    return spent


def call(function: Callable[[], object]) -> float:
    """Return how many microseconds a call takes."""
    began = time.perf_counter()
    for _ in range(BATCH):
        function()
    return (time.perf_counter() - began) / BATCH * 1e6


async def measure(size: int, times: int, peer: socket.socket) -> dict[str, float]:
    """Return microseconds by stage."""
    bench = Bench(size)
    request, verifier = bench.inbound(), bench.webhook.verifier
    document = check_body(request.media, bench.body)
    rows: dict[str, list[float]] = {}
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)  # as the daemon does
    for _ in range(times):
        taken = {
            "http, with a constant answer": feed(bench.http, bench.requests()),
            "of it: signature": call(lambda: verifier.verify(request, 0.0)),
            "of it: body checked, depth bounded": call(lambda: check_body(request.media, bench.body)),
            "of it: what the provider says of it": call(
                lambda: (verifier.event(request, document), verifier.id(request, document))
            ),
            "until it is queued": feed(bench.whole, bench.requests()),
            "durable: told, counted, answered": settle(bench.log),
        }
        taken["whole"] = taken["until it is queued"] + taken["durable: told, counted, answered"]
        taken["until it is queued, after a send"] = feed_between_sends(bench.whole, bench.requests(), peer)
        settle(bench.log)
        for name, spent in taken.items():
            rows.setdefault(name, []).append(spent)
    assert all(wire.last.startswith(b"HTTP/1.1 202 ") for _, wire in bench.whole)
    return {name: sorted(spent)[len(spent) // 10] for name, spent in rows.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="bytes of a body")
    parser.add_argument("--times", type=int, default=1000, help="batches")
    given = parser.parse_args()
    with listener() as peer:
        rows = uvloop.run(measure(given.size, given.times, peer))
    for name, spent in rows.items():
        sys.stdout.write(f"{spent:7.1f} µs  {name}\n")


if __name__ == "__main__":
    main()
