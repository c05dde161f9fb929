"""Measures how long an accept takes at 1,000 requests a second when every sync of the disk takes 5 ms.

    python -m tests.bench.slow_disk [--seconds 10] [--rate 1000] [--delay 5000]

The log is in memory (`--directory`) and strace delays fdatasync, so that the disk is exactly as slow as it says. Each
request is sent when it is due, whether those before it have been answered or not, and its latency counts from then: a
stall is seen by everyone who would have come meanwhile. Needs strace and two cores; what is written is deleted.
"""

from __future__ import annotations

import argparse
import os
import selectors
import shutil
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench import payload, servers
from tests.bench.load import CLIENT_CORE
from tests.bench.servers import Server

CONNECTIONS = 256
"""More than are ever busy: 5 ms of sync and 5 ms of waiting for the one before keep ten requests under way."""
PATIENCE = 30.0
"""Seconds after which an answer counts as lost."""
GOAL = 50.0
"""Milliseconds of the 99th percentile."""

WORKFLOW = 'on = "push.deploy"'
STEPS = "[[steps]]\nset = { seen = true }"
REQUEST = (
    "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\n"
    "X-GitHub-Delivery: {{number:08x}}-cc78-11e3-81ab-4c9367dc0958\r\nX-Hub-Signature-256: {signature}\r\n"
    "Content-Length: {length}\r\n\r\n"
)


@dataclass(slots=True, kw_only=True)
class Door:
    """One connection."""

    socket: socket.socket
    due: float = 0.0
    """When the request that it carries should have been sent."""
    answer: bytes = b""


class Caller:
    """Sends requests at a constant rate and keeps how long after its time each was answered."""

    def __init__(self, url: str, body: bytes) -> None:
        """Connect.

        Args:
            url: Where to.
            body: What to send, again and again.
        """
        target = urlsplit(url)
        self._head = REQUEST.format(path=target.path, signature=payload.signature(body), length=len(body))
        self._body = body
        self._sent = 0
        self._doors = selectors.DefaultSelector()
        self._free: list[Door] = []
        self.milliseconds: list[float] = []
        for _ in range(CONNECTIONS):
            door = Door(socket=socket.create_connection((target.hostname, target.port), PATIENCE))
            door.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._doors.register(door.socket, selectors.EVENT_READ, door)
            self._free.append(door)

    def call(self, rate: int, count: int) -> None:
        """Send so many requests, and wait for the last answer.

        Raises:
            SystemExit: An answer was not 202, or there was none: such a figure would mean nothing.
        """
        waiting: deque[float] = deque()
        began = time.perf_counter()
        dated = 0
        while len(self.milliseconds) < count:
            now = time.perf_counter()
            if now - began > count / rate + PATIENCE:
                raise SystemExit(f"{count - len(self.milliseconds)} of {count} answers did not come")
            while dated < count and began + dated / rate <= now:
                waiting.append(began + dated / rate)
                dated += 1
            while waiting and self._free:
                self._send(self._free.pop(), waiting.popleft())
            rest = began + dated / rate - time.perf_counter() if dated < count else PATIENCE
            for key, _ in self._doors.select(max(0.0, rest)):
                self._receive(key.data)

    def _send(self, door: Door, due: float) -> None:
        door.due = due
        self._sent += 1
        door.socket.sendall(self._head.format(number=self._sent).encode() + self._body)

    def _receive(self, door: Door) -> None:
        piece = door.socket.recv(65536)
        if not piece and door in self._free:  # never needed: the daemon closes those that ask nothing
            self._free.remove(door)
            self._doors.unregister(door.socket)
            door.socket.close()
            return
        door.answer += piece
        if not piece or not door.answer.startswith(b"HTTP/1.1 202"[: len(door.answer)]):
            raise SystemExit(f"not accepted: {door.answer[:200]!r}")
        head, end, body = door.answer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if end and len(body) >= int(length):
            self.milliseconds.append((time.perf_counter() - door.due) * 1000)
            door.answer = b""
            self._free.append(door)

    def close(self) -> None:
        """Disconnect."""
        for key in list(self._doors.get_map().values()):
            key.data.socket.close()
        self._doors.close()


def delayed(server: Server, microseconds: int) -> Server:
    """Return a server whose syncs take longer."""
    fault = f"inject=fdatasync:delay_enter={microseconds}"
    tracer = ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", fault]

    def prepare(directory: Path, port: int) -> list[str]:
        return [*tracer, "-e", "signal=none", *server.prepare(directory, port)]

    return replace(server, prepare=prepare)


def measure(server: Server, directory: Path, *, rate: int, seconds: int) -> list[float]:
    """Return the milliseconds of every request, the shortest first."""
    with servers.running(server, directory / "server") as running:
        caller = Caller(running.url, payload.push(1024))
        try:
            caller.call(rate, rate * seconds)
        finally:
            caller.close()
    return sorted(caller.milliseconds)


def row(what: str, found: Sequence[float], wanted: str) -> None:
    """Print one row of the table."""
    p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
    sys.stdout.write(f"| {what} | {len(found):,} | {p50:.1f} | {p99:.1f} | {found[-1]:.1f} | {wanted} |\n")
    sys.stdout.flush()


def main() -> None:
    """Measure without a delay and with it, and print both."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.slow_disk", description="Accept on a slow disk.")
    parser.add_argument("--seconds", type=int, default=10, help="of load for each row")
    parser.add_argument("--rate", type=int, default=1000, help="requests a second")
    parser.add_argument("--delay", type=int, default=5000, help="microseconds that a sync takes")
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    parser.add_argument("--directory", default=memory, help="where the log is written and removed")
    given = parser.parse_args()
    if shutil.which("strace") is None:
        sys.exit("install strace first")
    os.sched_setaffinity(0, {CLIENT_CORE})
    server = servers.hooksd("hooksd", WORKFLOW, STEPS)
    load = f"1 KB, {given.rate:,} requests/s"
    sys.stdout.write(
        "| load | requests | p50 ms | p99 ms | longest ms | goal of p99 |\n|---|---:|---:|---:|---:|---:|\n"
    )
    with tempfile.TemporaryDirectory(prefix="hooksd-bench-", dir=given.directory) as directory:
        row(load, measure(server, Path(directory), rate=given.rate, seconds=given.seconds), "")
        slow = measure(delayed(server, given.delay), Path(directory), rate=given.rate, seconds=given.seconds)
    if slow[0] < given.delay / 1000:
        sys.exit(f"strace delays nothing: an answer came after {slow[0]:.1f} ms")
    row(f"{load}, fdatasync {given.delay / 1000:g} ms", slow, f"{GOAL:g}")


if __name__ == "__main__":
    main()
