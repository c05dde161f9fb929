"""One measurement: wrk on the core that the server does not have, every answer counted."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.bench.payload import signature

CLIENT_CORE = 1
CONNECTIONS = 64

_SCRIPT = """
local file = io.open("{body}", "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["User-Agent"] = "GitHub-Hookshot/044aadd"
wrk.headers["Accept"] = "*/*"
wrk.headers["X-GitHub-Event"] = "push"
wrk.headers["X-Hub-Signature-256"] = "{signature}"
local number = 0
request = function()
  number = number + 1  -- the same delivery twice would be answered as a duplicate
  wrk.headers["X-GitHub-Delivery"] = string.format("{load}-cc78-11e3-81ab-%012x", number)
  return wrk.format()
end
done = function(summary, latency, requests)
  local form = '\\n{{"requests": %d, "microseconds": %d, "refused": %d, "lost": %d, "p50": %d, "p99": %d}}\\n'
  io.write(string.format(form,
    summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a server did under load."""

    rate: float
    """Requests answered with 2xx in a second; 0 of a server that stood still all the time, as `webhook` does at times
    when it starts programs."""
    requests: int
    """How many were."""
    cpu: float
    """Microseconds of processor time of the server for one request: hardly moved by what else the machine does."""
    p50: float
    """Milliseconds."""
    p99: float
    """Milliseconds."""


def offer(url: str, pid: int, body: bytes, *, seconds: int, directory: Path) -> Load:
    """Send one request after the other on every connection.

    Args:
        url: Where to.
        pid: The process that serves it.
        body: What to send.
        seconds: How long.
        directory: For files of wrk.

    Raises:
        SystemExit: An answer was not 2xx, or did not come: such a figure would mean nothing.
    """
    given = directory / "body"
    given.write_bytes(body)
    script = directory / "post.lua"
    script.write_text(_SCRIPT.format(body=given, signature=signature(body), load=secrets.token_hex(4)))
    command = [
        "taskset", "-c", str(CLIENT_CORE), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s",
        "-s", str(script), url,
    ]  # fmt: skip
    began = processor_seconds(pid)
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    spent = processor_seconds(pid) - began
    said = json.loads(done.stdout.splitlines()[-1])
    if said["refused"] or said["lost"]:
        raise SystemExit(f"{url}: {said['refused']} answers were not 2xx, {said['lost']} did not come")
    return Load(
        rate=said["requests"] / said["microseconds"] * 1e6,
        requests=said["requests"],
        cpu=spent / said["requests"] * 1e6 if said["requests"] else float("inf"),
        p50=said["p50"] / 1000,
        p99=said["p99"] / 1000,
    )


def processor_seconds(pid: int) -> float:
    """Return what a process and those it waited for have taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def missing() -> list[str]:
    """Return the programs that are not installed."""
    return [program for program in ("wrk", "taskset") if shutil.which(program) is None]
