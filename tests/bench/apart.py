"""What a request costs on its way through the kernel, part by part: `python -m tests.bench.apart`.

The same load on servers that do more and more: HTTP alone, HTTP and a record that is the same for all, the least that
keeps the promise (see `Least`) by our HTTP and on bare uvicorn, and hooksd without its daemon and with it. What a goal
wants that the least does not reach is out of reach, whatever is done between HTTP and log. Processor time is that of
all threads, the kernel's part included; the servers take turns. Needs wrk and two cores; what is written is deleted.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hmac
import os
import random
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import uvloop
import yyjson
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from hooksd.config.snapshot import CompiledWebhook
from hooksd.journal.file import FileJournal
from hooksd.journal.protocol import Journal
from hooksd.journal.receipt import Receipt
from hooksd.model.arrival import EventLine
from hooksd.model.record import Record
from hooksd.web.answer import Answer, json_answer, send_answer
from hooksd.web.guard_crowd import Crowd
from hooksd.web.guard_direct import Application, DirectProtocol
from hooksd.web.guard_limits import Limits
from tests.bench import load, payload, servers
from tests.bench.load import Load
from tests.bench.payload import SECRET
from tests.bench.servers import Server
from tests.bench.stages import Bench, Constant, Log

MEMORY = "/dev/shm"
LEAST = "the least that keeps the promise"


class Logged(Constant):
    """An application that writes the same record each time, and answers when it is durable."""

    def __init__(self, bench: Bench, journal: FileJournal) -> None:
        super().__init__(bench.webhook)
        self._journal = journal
        connection = bench.whole[0][0]
        connection.data_received(bench.requests()[0])
        connection.crowd.turn.end()
        self._line = bench.log.queue[0]

    def begin_answer(
        self,
        webhook: CompiledWebhook,
        headers: dict[str, str],
        query: str,
        body: bytes,
        peer: str,
        say: Callable[[Answer], None],
    ) -> Coroutine[Any, Any, None] | None:
        def kept(answer: Answer) -> None:
            self._journal.append((self._line,)).then(lambda _: say(answer))

        return super().begin_answer(webhook, headers, query, body, peer, kept)


class Least(Constant):
    """The least that keeps the promise: one signature, one parse, one event type, one record, one sync.

    Everything else that hooksd does is left out: no other provider, method, media type or coding, no query, no
    workflows, nobody who sends the same again, no credentials kept out of the log, no metrics.
    """

    def __init__(self, bench: Bench, journal: Journal) -> None:
        super().__init__(bench.webhook)
        self._journal = journal
        self._key = SECRET.encode()

    def begin(self, headers: Mapping[str, str], body: bytes, say: Callable[[Answer], None]) -> None:
        """Take a request, and answer when it is durable."""
        signed = hmac.digest(self._key, body, "sha256").hex()
        if not hmac.compare_digest(f"sha256={signed}", headers.get("x-hub-signature-256", "")):
            say(Answer(status=401))
            return
        yyjson.Document(body)
        if headers.get("x-github-event") != "push":
            say(Answer(status=422))
            return
        event = f"evt_{uuid.UUID(int=random.getrandbits(128))}"
        record = {
            "at": datetime.now(UTC),
            "id": event,
            "headers": headers,
            "body": orjson.Fragment(body),
        }
        answer = json_answer(202, {"event": event})
        line = EventLine(orjson.dumps(record), (), ())
        self._journal.append((line,)).then(lambda error: say(answer if error is None else Answer(status=503)))

    def begin_answer(
        self,
        webhook: CompiledWebhook,
        headers: dict[str, str],
        query: str,
        body: bytes,
        peer: str,
        say: Callable[[Answer], None],
    ) -> Coroutine[Any, Any, None] | None:
        """Answer by the short way."""
        return super().begin_answer(webhook, headers, query, body, peer, lambda _: self.begin(headers, body, say))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by ASGI."""
        message = await receive()
        body: bytes = message["body"]
        while message["more_body"]:
            message = await receive()
            body += message["body"]
        told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        named = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.begin(named, body, told.set_result)
        await send_answer(await told, send)


class Instant(Log):
    """A log that is durable as soon as everybody who speaks now has been heard."""

    def append(self, records: Sequence[Record | EventLine]) -> Receipt:
        """Queue records."""
        if not self.queue:
            asyncio.get_running_loop().call_soon(self._settle)
        return super().append(records)

    def _settle(self) -> None:
        receipt = self.receipt
        self.begin()
        receipt.settle(None)


async def serve(part: str, port: int, directory: Path, size: int) -> None:
    """Serve, without what the daemon has around it."""
    bench = Bench(size, Instant() if part == "whole" else Log())
    journal = FileJournal(directory)
    journal.open()
    least = Least(bench, journal)
    applications: dict[str, Application] = {
        "constant": Constant(bench.webhook),
        "log": Logged(bench, journal),
        "whole": bench.app,
        "least": least,
    }
    config = Config(least, lifespan="off", log_config=None, ws="none")
    config.load()
    state = ServerState()
    state.default_headers = [(b"date", b"Sun, 22 Nov 2026 03:28:00 GMT")]
    loop, crowd = asyncio.get_running_loop(), Crowd(Limits(), lambda **_: None)

    def connection() -> asyncio.Protocol:
        if part == "asgi":
            return HttpToolsProtocol(config, state, {}, loop)
        return DirectProtocol(config, state, {}, loop, crowd=crowd, application=applications[part])

    server = await loop.create_server(connection, "127.0.0.1", port)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)  # as the daemon does
    await server.serve_forever()


def part(name: str, which: str, size: int) -> Server:
    """Return a server that is `serve`."""

    def prepare(directory: Path, port: int) -> list[str]:
        own = ["--serve", which, "--port", str(port), "--directory", str(directory / "log"), "--size", str(size)]
        return [sys.executable, "-m", "tests.bench.apart", *own]

    return Server(name=name, path="/hooks/push", prepare=prepare)


def parts(size: int) -> dict[Server, str | None]:
    """Return the servers and where their logs are; None: the temporary directory."""
    workflow, steps = 'on = "push.deploy"', "[[steps]]\nset = { seen = true }"
    other = servers.adnanh("`webhook`")
    return {
        servers.bare(): MEMORY,
        **({} if other is None else {other: MEMORY}),
        part("HTTP, a constant answer", "constant", size): MEMORY,
        part("HTTP, one record for all, log in memory", "log", size): MEMORY,
        part("HTTP, one record for all, log on the disk", "log", size): None,
        part("the least that keeps the promise, log in memory", "least", size): MEMORY,
        part(LEAST, "least", size): None,
        part("the same on bare uvicorn", "asgi", size): None,
        part("the whole way, a log that writes nothing", "whole", size): MEMORY,
        servers.hooksd("hooksd, no sync, log in memory", workflow, steps, durability="none"): MEMORY,
        servers.hooksd("hooksd, log in memory", workflow, steps): MEMORY,
        servers.hooksd("hooksd, log on the disk", workflow, steps): None,
        servers.hooksd("the same by ASGI", workflow, steps, program="tests.bench.by_asgi"): None,
    }


def measure(size: int, seconds: int, rounds: int) -> Mapping[str, list[Load]]:
    """Let the servers take turns."""
    body = payload.push(size)
    found: dict[str, list[Load]] = {}
    for _ in range(rounds):
        for server, directory in parts(size).items():
            with tempfile.TemporaryDirectory(prefix="hooksd-apart-", dir=directory) as place:
                with servers.running(server, Path(place) / "server") as running:
                    load.offer(running.url, running.pid, body, seconds=1, directory=Path(place))
                    offered = load.offer(running.url, running.pid, body, seconds=seconds, directory=Path(place))
                found.setdefault(server.name, []).append(offered)
    return found


def main() -> None:
    """Measure and print, or serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.apart", description="What a request costs, in parts.")
    parser.add_argument("--seconds", type=int, default=2, help="of load for one figure")
    parser.add_argument("--rounds", type=int, default=3, help="whose median is shown")
    parser.add_argument("--size", type=int, default=1024, help="bytes of a body")
    parser.add_argument("--serve", choices=("constant", "log", "whole", "least", "asgi"), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        uvloop.run(serve(given.serve, given.port, given.directory, given.size))
        return
    if load.missing() or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < 2**30:
        sys.exit(f"install wrk and taskset, and have a GiB free in {MEMORY}")
    sys.stdout.write(f"| {given.size:,} bytes, 64 connections | requests/s | CPU µs/request |\n|---|---:|---:|\n")
    for name, offers in measure(given.size, given.seconds, given.rounds).items():
        rate, cpu = median(one.rate for one in offers), median(one.cpu for one in offers)
        sys.stdout.write(f"| {name} | {rate:,.0f} | {cpu:.0f} |\n")


if __name__ == "__main__":
    main()
