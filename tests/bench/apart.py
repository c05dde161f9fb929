"""What a request costs on its way through the kernel, part by part: `python -m tests.bench.apart`.

The same load on servers that do more and more. Each has what the one before has, but for the third, which has a log and
no daemon: it writes the same record for every request and answers when that is on the disk. What it takes is the least
that any server in Python takes that keeps the promise. Processor time is that of all threads, the kernel's part
included; the servers take turns. Needs wrk and two cores; what is written is deleted.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import uvloop
from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.server import ServerState

from hooksd.config.snapshot import CompiledWebhook
from hooksd.journal.file import FileJournal
from hooksd.journal.receipt import Receipt
from hooksd.model.record import EventLine, Record
from hooksd.web.answer import Answer
from hooksd.web.guard_crowd import Crowd
from hooksd.web.guard_direct import DirectProtocol
from hooksd.web.guard_limits import Limits
from hooksd.web.trigger import TriggerApp
from tests.bench import load, payload, servers
from tests.bench.load import Load
from tests.bench.servers import Server
from tests.bench.stages import Bench, Constant, Log

SIZE = 1024
MEMORY = "/dev/shm"


class Logged(Constant):
    """An application that writes the same record each time, and answers when it is durable."""

    def __init__(self, bench: Bench, journal: FileJournal) -> None:
        super().__init__(bench.webhook)
        self._journal = journal
        bench.whole[0][0].data_received(bench.requests()[0])
        self._line = bench.log.queue[0].record

    def begin_answer(
        self, webhook: CompiledWebhook, scope: Scope, body: bytes, say: Callable[[Answer], None]
    ) -> Coroutine[Any, Any, None] | None:
        def kept(answer: Answer) -> None:
            self._journal.append((self._line,)).then(lambda _: say(answer))

        return super().begin_answer(webhook, scope, body, kept)


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


async def serve(part: str, port: int, directory: Path) -> None:
    """Serve the short way, without what the daemon has around it."""
    bench = Bench(SIZE, Log() if part == "log" else Instant())
    application: Constant | TriggerApp = bench.app
    if part == "constant":
        application = Constant(bench.webhook)
    elif part == "log":
        journal = FileJournal(directory)
        journal.open()
        application = Logged(bench, journal)
    config = Config(bench.app, lifespan="off", log_config=None, ws="none")
    config.load()
    state = ServerState()
    state.default_headers = [(b"date", b"Sun, 22 Nov 2026 03:28:00 GMT")]
    loop, crowd = asyncio.get_running_loop(), Crowd(Limits(), lambda **_: None)
    server = await loop.create_server(
        lambda: DirectProtocol(config, state, {}, loop, crowd=crowd, application=application), "127.0.0.1", port
    )
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)  # as the daemon does
    await server.serve_forever()


def part(name: str, which: str) -> Server:
    """Return a server that is `serve`."""

    def prepare(directory: Path, port: int) -> list[str]:
        own = ["--serve", which, "--port", str(port), "--directory", str(directory / "log")]
        return [sys.executable, "-m", "tests.bench.apart", *own]

    return Server(name=name, path="/hooks/push", prepare=prepare)


def parts() -> dict[Server, str | None]:
    """Return the servers and where their logs are; None: the temporary directory."""
    workflow, steps = 'on = "push.deploy"', "[[steps]]\nset = { seen = true }"
    return {
        servers.bare(): MEMORY,
        part("HTTP, a constant answer", "constant"): MEMORY,
        part("HTTP, one record for all, log on the disk", "log"): None,
        part("the whole way, a log that writes nothing", "whole"): MEMORY,
        servers.hooksd("hooksd, no sync, log in memory", workflow, steps, durability="none"): MEMORY,
        servers.hooksd("hooksd, log in memory", workflow, steps): MEMORY,
        servers.hooksd("hooksd, log on the disk", workflow, steps): None,
    }


def measure(seconds: int, rounds: int) -> Mapping[str, list[Load]]:
    """Let the servers take turns."""
    body = payload.push(SIZE)
    found: dict[str, list[Load]] = {}
    for _ in range(rounds):
        for server, directory in parts().items():
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
    parser.add_argument("--serve", choices=("constant", "log", "whole"), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        uvloop.run(serve(given.serve, given.port, given.directory))
        return
    if load.missing() or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < 2**30:
        sys.exit(f"install wrk and taskset, and have a GiB free in {MEMORY}")
    sys.stdout.write("| 1 KB, 64 connections | requests/s | CPU µs/request |\n|---|---:|---:|\n")
    for name, offers in measure(given.seconds, given.rounds).items():
        rate, cpu = median(one.rate for one in offers), median(one.cpu for one in offers)
        sys.stdout.write(f"| {name} | {rate:,.0f} | {cpu:.0f} |\n")


if __name__ == "__main__":
    main()
