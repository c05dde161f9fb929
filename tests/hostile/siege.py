"""A daemon under attack, and what honest callers notice of it.

The attacks of the quick part are small, so that they can run beside others. Those of the long part (see `battery`) are
as large as docs/reliability.md tells, and their bounds as narrow: they want a machine that does nothing else.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.battery import IS_LONG, tell
from tests.end_to_end.daemon import Daemon

GROWTH = 10.0 if IS_LONG else 40.0
"""MiB by which the memory of the daemon may grow."""
P99 = 100.0 if IS_LONG else 2000.0
"""Milliseconds within which 99 of 100 honest requests are answered."""
SECONDS = 10.0 if IS_LONG else 0.7
"""How long an attack is kept up."""
CALM_SECONDS = 2.0 if IS_LONG else 0.3
"""How long honest callers are measured before it."""
PATIENCE = 10.0
DEFINITIONS = {
    "honest.toml": """
        version = 1

        [webhooks.honest]
        auth.type   = "none"
        limits.body = "1MiB"

        [webhooks.smuggled]
        auth.type = "none"
        methods   = ["GET", "POST"]
        """
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What honest callers and the system saw."""

    growth: float
    """MiB that the daemon grew by at most."""
    count: int
    failed: tuple[str, ...]
    p50: float
    p99: float
    calm: float
    """`p99` before the attack: what else happens on this machine delays honest callers too."""

    def check(self, name: str) -> None:
        """Hold the promise, and say what was measured."""
        tell(f"{name}: {self}")
        assert self.failed == ()
        assert self.count > 0
        assert self.p99 < P99
        assert self.growth < GROWTH


def size(full: int, quick: int) -> int:
    """Return how large an attack is."""
    return full if IS_LONG else quick


def start(daemon: Daemon, **variables: str) -> Daemon:
    """Start a daemon for honest callers."""
    daemon.variables.update({f"HOOKSD_{name.upper()}": value for name, value in variables.items()})
    daemon.write(DEFINITIONS)
    daemon.start()
    return daemon


@contextlib.contextmanager
def siege(daemon: Daemon) -> Iterator[list[Outcome]]:
    """Measure while the block attacks; the outcome stands in the list after it."""
    assert daemon.process is not None
    pid = daemon.process.pid
    outcomes: list[Outcome] = []
    with honest(daemon.port) as calm:
        time.sleep(CALM_SECONDS)
    before = memory(pid, "VmRSS")
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # VmHWM starts anew (proc(5))
    with honest(daemon.port) as told:
        yield outcomes
    seen = told[0]
    outcomes.append(
        Outcome(
            growth=memory(pid, "VmHWM") - before,
            count=seen["count"],
            failed=tuple(seen["failed"]),
            p50=round(seen["p50"], 1),
            p99=round(seen["p99"], 1),
            calm=round(calm[0]["p99"], 1),
        )
    )
    assert "Traceback" not in daemon.stderr, daemon.stderr[-4000:]


@contextlib.contextmanager
def honest(port: int) -> Iterator[list[dict[str, Any]]]:
    """Call honestly beside the block."""
    told: list[dict[str, Any]] = []
    script = Path(__file__).parent / "honest.py"
    with subprocess.Popen(
        [sys.executable, str(script), str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as caller:
        try:
            yield told
        finally:
            out, _ = caller.communicate(timeout=60)
    assert caller.returncode == 0
    told.append(json.loads(out))


def memory(pid: int, what: str) -> float:
    """Return a figure of proc(5) in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    raise AssertionError(what)


def connect(port: int, address: str = "127.0.0.2") -> socket.socket:
    """Connect from another address of this machine, as a stranger."""
    return socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=(address, 0))


def throw(port: int, pieces: Iterable[bytes]) -> bytes:
    """Send until the daemon has had enough, and return what it said."""
    with connect(port) as door:
        with contextlib.suppress(ConnectionError, TimeoutError):
            for piece in pieces:
                door.sendall(piece)
        return said(door)


def said(door: socket.socket, seconds: float = PATIENCE) -> bytes:
    """Return everything up to the end of the connection."""
    door.settimeout(seconds)
    answer = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        while piece := door.recv(65536):
            answer += piece
    return answer


def keep_up(attack: Callable[[], bytes], attackers: int = 2) -> list[bytes]:
    """Attack again and again from several threads at once, and return every answer."""
    until = time.monotonic() + SECONDS
    answers: list[bytes] = []

    def one() -> None:
        while time.monotonic() < until:
            answers.append(attack())

    threads = [threading.Thread(target=one) for _ in range(attackers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def statuses(answer: bytes) -> list[int]:
    """Return the status of every answer."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
