"""Measures how fast hooksd accepts, beside a bare ASGI application and another webhook server.

    python -m tests.bench [--seconds 2] [--rounds 3] [--only accept,body,disk,runs]

Every server gets one core and wrk the other. The servers of one table take turns, round after round, so that a busy
machine slows all of them alike; a figure is the median of its rounds. Needs wrk, taskset and two cores; Debian's
`webhook` is compared with where it is installed. A measurement lasts `--seconds`, and what it wrote is deleted at once.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import median

from tests.bench import load, payload, servers
from tests.bench.load import Load
from tests.bench.servers import Server

ROOM = 4 * 1024**3
"""Bytes that must be free: ten times what one measurement writes on a fast machine."""

NOTHING = "[[steps]]\nset = { seen = true }"
TRUE = '[[steps]]\nrun = ["/bin/true"]'
OTHER_TYPE = 'on = "push.deploy"'
OTHER_REF = 'on = "push.push"\nwhen = "body.ref == \'refs/heads/other\'"'
BY_ASGI = "hooksd by ASGI"
"""The daemon without the short way; what every request cost if none was plain."""
EVERY = 'on = "push.push"\nrun_as = "runner"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Servers that are compared, and the ratios that matter."""

    title: str
    size: int
    servers: tuple[Server, ...]
    ratios: tuple[tuple[str, str, float], ...]
    """Two of the servers, and how many times faster the first should be."""
    longest: int = 60
    """Seconds of a measurement at most."""


def tables() -> dict[str, tuple[Table, ...]]:
    """Return what can be measured, by the words of `--only`."""
    bare, other = servers.bare(), servers.adnanh("webhook")
    by_type = servers.hooksd("hooksd", OTHER_TYPE, NOTHING)
    by_type_asgi = servers.hooksd(BY_ASGI, OTHER_TYPE, NOTHING, program="tests.bench.by_asgi")
    by_body = servers.hooksd("hooksd", OTHER_REF, NOTHING)
    by_body_asgi = servers.hooksd(BY_ASGI, OTHER_REF, NOTHING, program="tests.bench.by_asgi")
    starts, runs = servers.adnanh("webhook", run="start"), servers.hooksd("hooksd", EVERY, TRUE)
    ends = servers.hooksd("hooksd", EVERY, TRUE, answer="wait:30s")
    return {
        "accept": (
            _table("1 KB, workflow by event type", 1024, (bare, other, by_type, by_type_asgi), (0.9, 1.4, 0.55, 0.95)),
            _table("10 KB, workflow by event type", 10240, (other, by_type, by_type_asgi), (0, 3.5, 0, 2.4)),
        ),
        "body": (
            _table("1 KB, condition on the body", 1024, (bare, other, by_body, by_body_asgi), (0, 0, 0, 0.85)),
            _table("10 KB, condition on the body", 10240, (other, by_body, by_body_asgi), (0, 0, 0, 1.6)),
        ),
        "disk": (
            Table(
                title="1 KB, with fdatasync and without",
                size=1024,
                servers=(by_type, servers.hooksd("without fdatasync", OTHER_TYPE, NOTHING, durability="none")),
                ratios=(("hooksd", "without fdatasync", 0.8),),
            ),
        ),
        "runs": (
            replace(
                _table("1 KB, each starts /bin/true: accepted", 1024, (starts, runs), (0, 8)),
                longest=1,  # with the second before, less than the 37,000 runs that may wait in memory
            ),
            _table("1 KB, each runs /bin/true: ended", 1024, (servers.adnanh("webhook", run="wait"), ends), (0, 1)),
        ),
    }


def _table(title: str, size: int, compared: Sequence[Server | None], wanted: tuple[float, ...]) -> Table:
    """Return a table in which hooksd, and hooksd by ASGI, are compared with the others."""
    found = tuple(server for server in compared if server is not None)
    names = {server.name for server in found}
    pairs = [(ours, theirs) for ours in ("hooksd", BY_ASGI) for theirs in ("bare uvicorn", "webhook")]
    ratios = tuple((*pair, least) for pair, least in zip(pairs, wanted, strict=False) if names.issuperset(pair))
    return Table(title=title, size=size, servers=found, ratios=ratios)


def say(text: str) -> None:
    """Print a line of the result."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def measure(table: Table, *, rounds: int, seconds: int) -> dict[str, Load]:
    """Let the servers of a table take turns, and return the medians by name.

    Raises:
        SystemExit: A server answered nothing in most rounds.
    """
    found: dict[str, list[Load]] = {}
    seconds = min(seconds, table.longest)
    for _ in range(rounds):
        for server in table.servers:
            directory = Path(tempfile.mkdtemp(prefix="hooksd-bench-"))
            try:
                with servers.running(server, directory / "server") as running:
                    body = payload.push(table.size)
                    load.offer(running.url, running.pid, body, seconds=1, directory=directory)  # it warms up
                    found.setdefault(server.name, []).append(
                        load.offer(running.url, running.pid, body, seconds=seconds, directory=directory)
                    )
            finally:
                shutil.rmtree(directory, ignore_errors=True)
    if silent := [name for name, loads in found.items() if not median(one.rate for one in loads)]:
        raise SystemExit(f"{silent[0]} answered nothing in most rounds")
    return {
        name: Load(
            rate=median(one.rate for one in loads),
            requests=sum(one.requests for one in loads),
            cpu=median(one.cpu for one in loads),
            p50=median(one.p50 for one in loads),
            p99=median(one.p99 for one in loads),
        )
        for name, loads in found.items()
    }


def show(table: Table, found: dict[str, Load]) -> None:
    """Print a table and its ratios."""
    say(f"\n{table.title}\n\n| server | requests/s | CPU µs/request | p50 ms | p99 ms |\n|---|---:|---:|---:|---:|")
    for name, one in found.items():
        say(f"| {name} | {one.rate:,.0f} | {one.cpu:.1f} | {one.p50:.2f} | {one.p99:.2f} |")
    for name, other, least in table.ratios:
        ours, theirs = found[name], found[other]
        goal = f" (goal {least:g})" if least else ""
        by_cpu, by_latency = theirs.cpu / ours.cpu, ours.p99 / theirs.p99
        say(f"\n{name} / {other}: {ours.rate / theirs.rate:.2f}{goal}, by CPU {by_cpu:.2f}, p99 {by_latency:.2f}")


def about() -> str:
    """Describe the machine and the versions."""
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    other = subprocess.run(["webhook", "-version"], capture_output=True, text=True, check=False).stdout.strip()
    packages = ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "uvloop", "httptools", "orjson"))
    return (
        f"{model.partition(':')[2].strip()}, {os.cpu_count()} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}, {packages}, {other}"
    )


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Compare how fast webhooks are taken.")
    parser.add_argument("--seconds", type=int, default=2, help="of load for one figure")
    parser.add_argument("--rounds", type=int, default=3, help="whose median is shown")
    parser.add_argument("--only", default="accept,body,disk,runs", help="tables, separated by commas")
    given = parser.parse_args()
    if absent := load.missing():
        sys.exit(f"install {' and '.join(absent)} first")
    if (os.cpu_count() or 1) < 2:
        sys.exit("two cores are needed: one for the server, one for wrk")
    if shutil.disk_usage(tempfile.gettempdir()).free < ROOM:
        sys.exit(f"{tempfile.gettempdir()} has less than {ROOM // 1024**3} GiB free; what is measured writes a lot")
    say(about())
    known = tables()
    for word in given.only.split(","):
        for table in known[word]:
            show(table, measure(table, rounds=given.rounds, seconds=given.seconds))


if __name__ == "__main__":
    main()
