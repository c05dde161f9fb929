"""From a webhook to an endpoint: what hooksd takes for both, beside Node-RED. Part of `tests.bench.deliver`.

hooksd verifies the request, writes it to its log, answers, signs the delivery, sends it, and writes what came of it.
Node-RED verifies the same signature in a `function` node, answers, and sends the body with an `http request` node; it
stores nothing and signs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import uvloop

from tests.bench import load, node_red, payload, servers
from tests.bench.servers import Server
from tests.bench.sink import Receiver, receiver

DRAIN_SECONDS = 120.0
CALLERS = 16
"""Connections over which events come when they are due."""

ENDPOINT = """
[endpoints.{name}]
url           = "http://127.0.0.1:{port}/in"
secret        = "env:BENCH_SECRET"
subscribe     = ["*"]
max_in_flight = 64
"""
HEAD = (
    "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\n"
    "X-GitHub-Delivery: {number:08x}-cc78-11e3-81ab-4c9367dc0958\r\nX-Hub-Signature-256: {signature}\r\n"
    "Content-Length: {length}\r\n\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """Events that came in and went out."""

    rate: float
    """In a second, from the first request to the last delivery."""
    cpu: float
    """Microseconds of the server's processor time for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """How old events were when receivers had them, in milliseconds since they were due."""

    p50: float
    p95: float
    p99: float


def compare(directory: Path, *, seconds: int, rounds: int) -> dict[str, Forwarded]:
    """Return what hooksd does at most and what Node-RED does, where it can be had."""
    with receiver(0.0) as receiving, tempfile.TemporaryDirectory(prefix="hooksd-bench-") as place:
        compared = [hooksd(receiving.ports[0], 1)]
        try:
            compared.append(node_red_forwarding(node_red.installed(Path(place)), receiving.ports[0]))
        except SystemExit as absent:
            sys.stderr.write(f"{absent}\n")
        found: dict[str, list[Forwarded]] = {server.name: [] for server in compared}
        for number in range(rounds):
            for server in compared:
                with servers.running(server, directory / f"{server.name}-{number}") as running:
                    found[server.name].append(_forwarded(running, receiving, seconds))
    return {
        name: Forwarded(rate=median(one.rate for one in each), cpu=median(one.cpu for one in each))
        for name, each in found.items()
    }


def _forwarded(running: servers.Running, receiving: Receiver, seconds: int) -> Forwarded:
    before, began, cpu = receiving.seen().count, time.monotonic(), load.processor_seconds(running.pid)
    body = payload.push(1024)
    sent = load.offer(running.url, running.pid, body, seconds=seconds, directory=running.directory).requests
    ends = time.monotonic() + DRAIN_SECONDS
    while (seen := receiving.seen()).count - before < sent and time.monotonic() < ends:
        time.sleep(0.1)
    count = seen.count - before
    if count < sent:
        raise SystemExit(f"{running.url}: {sent} requests were answered, {count} deliveries came")
    return Forwarded(rate=count / (seen.last - began), cpu=1e6 * (load.processor_seconds(running.pid) - cpu) / count)


def ages(directory: Path, *, rate: int, endpoints: int, seconds: float) -> Ages:
    """Let events come at a constant rate and return how old they were when the receivers of all endpoints had them."""
    with (
        receiver(0.0) as receiving,
        servers.running(hooksd(receiving.ports[0], endpoints), directory / "ages") as running,
    ):
        count = uvloop.run(_call(running.url, rate, seconds))
        ends = time.monotonic() + DRAIN_SECONDS
        while len((seen := receiving.seen()).ages) < count * endpoints and time.monotonic() < ends:
            time.sleep(0.1)
    if len(seen.ages) < count * endpoints:
        raise SystemExit(f"{count} events for {endpoints} endpoints were answered, {len(seen.ages)} deliveries came")
    found = sorted(seen.ages)
    p50, p95, p99 = (1000 * found[len(found) * part // 100] for part in (50, 95, 99))
    return Ages(p50=p50, p95=p95, p99=p99)


async def _call(url: str, rate: int, seconds: float) -> int:
    """Send each request when it is due, over a few connections in turn, and return how many were answered with 202."""
    parts = urlsplit(url)
    total = int(rate * seconds)
    began = time.monotonic() + 0.2

    async def caller(first: int) -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        with contextlib.closing(writer):
            for number in range(first, total, CALLERS):
                due = began + number / rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                body = json.dumps({"due": due, "number": number, "rest": "x" * 900}, separators=(",", ":")).encode()
                head = HEAD.format(path=parts.path, number=number, signature=payload.signature(body), length=len(body))
                writer.write(head.encode() + body)
                answer = await reader.readuntil(b"\r\n\r\n")
                assert b" 202 " in answer.splitlines()[0], answer
                length = next(line for line in answer.lower().splitlines() if line.startswith(b"content-length:"))
                await reader.readexactly(int(length.partition(b":")[2]))

    async with asyncio.TaskGroup() as group:
        for first in range(CALLERS):
            group.create_task(caller(first))
    return total


def hooksd(port: int, endpoints: int) -> Server:
    """Return hooksd with a webhook, and endpoints that get all of its events."""
    plain = servers.hooksd("hooksd", 'on = "push.deploy"', "[[steps]]\nset = { seen = true }")

    def prepare(directory: Path, listen: int) -> list[str]:
        command = plain.prepare(directory, listen)
        defined = "".join(ENDPOINT.format(name=f"sink-{number}", port=port) for number in range(endpoints))
        (directory / "hooks.d" / "sinks.toml").write_text(f"version = 1\n{defined}")
        return command

    return Server(name="hooksd", path=plain.path, prepare=prepare)


def node_red_forwarding(program: str, port: int) -> Server:
    """Return Node-RED with a flow that verifies, answers and sends on."""
    flow = node_red.flow()
    check = next(node for node in flow if node["id"] == "check")
    check["func"] = str(check["func"]).replace("return msg\n", "return holds ? [msg, on] : msg\n")
    check["func"] = "const on = { payload: msg.payload, headers: { 'content-type': 'application/json' } }\n" + str(
        check["func"]
    )
    check["outputs"], check["wires"] = 2, [["out"], ["send"]]
    flow.append(
        {"id": "send", "z": "t", "type": "http request", "method": "POST", "ret": "txt",
         "url": f"http://127.0.0.1:{port}/in", "wires": [[]]}
    )  # fmt: skip
    return node_red.node_red(program, flow)
