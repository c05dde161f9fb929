"""How many steps of the interpreter a request takes: `python -m tests.bench.steps`.

Counted by tracing, so other work on the machine moves these figures by less than a hundredth (an identifier in a new
millisecond takes more), and two versions can be compared by one run each. What is written in C (parsers, hashes, the
event loop, the kernel) counts as the one step that calls it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import uvloop
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from hooksd.web.guard import GuardedProtocol
from hooksd.web.guard_crowd import Crowd
from hooksd.web.guard_direct import DirectProtocol
from hooksd.web.guard_limits import Limits
from tests.bench.apart import LEAST, Instant, Least
from tests.bench.bare import app as bare
from tests.bench.stages import BATCH, Bench, Constant, Wire

TURNS = 12
"""Of the event loop, in which every answer must have come."""
WARM = 5
"""Batches before the one that is counted: what is worked out once is not what a request takes."""


class Steps:
    """Counts steps and calls by function."""

    def __init__(self) -> None:
        self.of: Counter[CodeType] = Counter()
        self.calls: Counter[CodeType] = Counter()

    def begin(self, frame: FrameType, _event: str, _argument: object) -> Callable[..., Any] | None:
        """Count a call, and from here on its steps; for `sys.settrace`."""
        if frame.f_code.co_filename in _OURS:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.calls[frame.f_code] += 1
        return self.step

    def step(self, frame: FrameType, event: str, _argument: object) -> Callable[..., Any]:
        """Count a step."""
        if event == "opcode":
            self.of[frame.f_code] += 1
        return self.step


_OURS = {__file__, asyncio.sleep.__code__.co_filename}


def protocols(bench: Bench) -> dict[str, Callable[[], HttpToolsProtocol]]:
    """Return what makes a connection of each server that is counted."""
    loop, crowd = asyncio.get_running_loop(), Crowd(Limits(), lambda **_: None)
    state = ServerState()
    state.default_headers = [(b"date", b"Sun, 22 Nov 2026 03:28:00 GMT")]
    least = Least(bench, bench.log)

    def config(app: Callable[[Scope, Receive, Send], Any], *, proxies: bool = False) -> Config:
        made = Config(app, lifespan="off", log_config=None, ws="none", access_log=False, proxy_headers=proxies)
        made.load()
        return made

    def direct(application: Any) -> Callable[[], HttpToolsProtocol]:
        own = config(bench.app)
        return lambda: DirectProtocol(own, state, {}, loop, crowd=crowd, application=application)

    def by_asgi(app: Callable[[Scope, Receive, Send], Any]) -> Callable[[], HttpToolsProtocol]:
        own = config(app)
        return lambda: GuardedProtocol(own, state, {}, loop, crowd=crowd)

    def plain(app: Callable[[Scope, Receive, Send], Any]) -> Callable[[], HttpToolsProtocol]:
        own = config(app, proxies=True)  # uvicorn's default, as in the other benchmarks
        return lambda: HttpToolsProtocol(own, state, {}, loop)

    return {
        "HTTP as hooksd speaks it, a constant answer": direct(Constant(bench.webhook)),
        LEAST: direct(least),
        "hooksd": direct(bench.app),
        "bare uvicorn": plain(bare),
        "the least on bare uvicorn": plain(least),
        "hooksd by ASGI": by_asgi(bench.app),
    }


async def count(bench: Bench, connect: Callable[[], HttpToolsProtocol]) -> Steps:
    """Count one batch of requests."""
    connections = [(connect(), Wire()) for _ in range(BATCH)]
    for protocol, wire in connections:
        protocol.connection_made(wire)
    for _ in range(WARM):
        await answer(bench, connections, lambda _: None)
    steps = Steps()
    await answer(bench, connections, lambda on: sys.settrace(steps.begin if on else None))
    return steps


async def answer(
    bench: Bench, connections: Iterable[tuple[HttpToolsProtocol, Wire]], trace: Callable[[bool], None]
) -> None:
    """Send a batch of requests and wait until all are answered."""
    requests = bench.requests()
    trace(True)
    for (protocol, wire), request in zip(connections, requests, strict=True):
        wire.last = b""
        protocol.data_received(request)
    for _ in range(TURNS):
        await asyncio.sleep(0)
    trace(False)
    assert all(wire.last for _, wire in connections), "not all were answered"


async def measure(size: int, functions: int) -> None:
    """Count and print."""
    bench = Bench(size, Instant())
    sys.stdout.write("| a request | steps | calls in Python |\n|---|---:|---:|\n")
    for name, connect in protocols(bench).items():
        steps = await count(bench, connect)
        total, calls = sum(steps.of.values()) / BATCH, sum(steps.calls.values()) / BATCH
        sys.stdout.write(f"| {name} | {total:,.0f} | {calls:,.0f} |\n")
        for code, found in steps.of.most_common(functions):
            place = f"{Path(code.co_filename).name}:{code.co_firstlineno}"
            sys.stdout.write(f"{found / BATCH:8.1f}  {code.co_qualname} ({place})\n")


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.steps", description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="bytes of a body")
    parser.add_argument("--functions", type=int, default=0, help="how many functions to show of each, most steps first")
    given = parser.parse_args()
    uvloop.run(measure(given.size, given.functions))


if __name__ == "__main__":
    main()
