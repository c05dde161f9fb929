"""Measures how fast hooksd delivers, beside HTTP clients without a log and beside Node-RED; prints tables of Markdown.

    python -m tests.bench.deliver [--only at_once,slow,dead,ages,forward] [--seconds 1.5] [--rounds 3]

at_once  Every client POSTs 1 KB, signed, to a receiver in a process and on a core of its own that answers at once, so
         many at the same time. Clients take turns, round after round; a figure is the median of its rounds, with the
         processor time of each delivery beside it, which moves less with what else the machine does. hooksd delivers
         through its dispatcher and its log, with fdatasync. aiohttp is compared where it is installed.
slow     1,000 at the same time to a receiver that takes 100 ms.
dead     100 endpoints, of which one never answers, and the same without it.
ages     300 events a second into a webhook of the daemon and out to 3 endpoints, with fdatasync.
forward  As many events as the daemon takes, in and out to one endpoint, and the same with Node-RED, which npm installs
         where it is not; wrk calls.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import uvloop

from hooksd.daemon.memory import collect_seldom
from tests.bench import __main__ as bench
from tests.bench import dead_endpoint, forward
from tests.bench.clients import AIOHTTP, BARE, HOOKSD, HTTPX, SENDER, Client, Send
from tests.bench.sink import SENDER_CORE, keep_to, receiver

LEVELS = (50, 200, 1000)
WARM_SECONDS = 10.0
HTTPX_MOST = 50
"""With more at the same time httpx's pool does hardly anything else than walk: nothing would be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    rate: float
    cpu: float
    """Microseconds of processor time for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the command was told, and where logs go."""

    seconds: float
    rounds: int
    directory: Path


Row = tuple[str, str, str]
"""What was measured, what was found, and what was wanted."""


async def measure(client: Client, port: int, at_once: int, given: Given) -> Figure:
    """Keep so many under way for so long. What comes before is not counted: until everybody has sent once."""
    count, is_over = 0, False

    async def work(send: Send) -> None:
        nonlocal count
        while not is_over:
            await send()
            count += 1

    async with client.make(port, at_once, given.directory) as send, asyncio.TaskGroup() as group:
        for _ in range(client.asking(at_once)):
            group.create_task(work(send))
        warm = time.monotonic() + WARM_SECONDS
        while count < client.asking(at_once) and time.monotonic() < warm:
            await asyncio.sleep(0.05)
        before, began, cpu = count, time.perf_counter(), time.process_time()
        await asyncio.sleep(given.seconds)
        done, took, cpu = count - before, time.perf_counter() - began, time.process_time() - cpu
        is_over = True
    return Figure(rate=done / took, cpu=1e6 * cpu / max(done, 1))


def compared(clients: Sequence[Client], at_once: int, delay: float, given: Given) -> Mapping[str, Figure]:
    """Measure clients in turns and return the medians."""
    figures: dict[str, list[Figure]] = {client.name: [] for client in clients}
    with receiver(delay) as receiving:
        for _ in range(given.rounds):
            for client in clients:
                figures[client.name].append(uvloop.run(measure(client, receiving.ports[0], at_once, given)))
    return {
        name: Figure(rate=median(one.rate for one in found), cpu=median(one.cpu for one in found))
        for name, found in figures.items()
    }


def at_once(given: Given) -> list[Row]:
    """Compare clients with so many deliveries at the same time, and print what each did."""
    clients = [HTTPX, *([AIOHTTP] if importlib.util.find_spec("aiohttp") else []), BARE, SENDER, HOOKSD]
    rows: list[Row] = []
    costs: dict[int, float] = {}
    _say("| signed POSTs of 1 KB, at the same time | " + " | ".join(f"{level:,}" for level in LEVELS) + " |")
    _say("|---|" + "---:|" * len(LEVELS))
    cells: dict[str, list[str]] = {client.name: [] for client in clients}
    for level in LEVELS:
        able = [client for client in clients if client is not HTTPX or level <= HTTPX_MOST]
        found = compared(able, level, 0.0, given)
        for name, cell in cells.items():
            figure = found.get(name)
            cell.append("" if figure is None else f"{figure.rate:,.0f}/s, {figure.cpu:,.0f} µs")
        costs[level] = found[HOOKSD.name].cpu
        for other, goal in ((HTTPX, 40.0), (AIOHTTP, 0.6)):
            if level == LEVELS[0] and other.name in found:
                rows.append(_ratio(f"hooksd / {other.name}, {level} at the same time", found, other, goal))
    for name, cell in cells.items():
        _say(f"| {name} | {' | '.join(cell)} |")
    _say("")
    most, least = LEVELS[-1], LEVELS[0]
    rows.append((f"processor time of a delivery, {most:,} / {least}", f"{costs[most] / costs[least]:.2f}", "1"))
    return rows


def _ratio(name: str, found: Mapping[str, Figure], other: Client, goal: float) -> Row:
    ours, theirs = found[HOOKSD.name], found[other.name]
    return name, f"{ours.rate / theirs.rate:.2f}, by CPU {theirs.cpu / ours.cpu:.2f}", f"{goal:g}"


def slow(given: Given) -> list[Row]:
    """Deliver to a receiver that takes its time."""
    found = compared([SENDER, HOOKSD], 1000, 0.1, given)
    names = {
        SENDER.name: "1,000 at the same time, the receiver takes 100 ms: the sender alone",
        HOOKSD.name: "the same with the log",
    }
    goals = {SENDER.name: "", HOOKSD.name: "9,000/s"}
    return [(names[name], f"{one.rate:,.0f}/s, {one.cpu:,.0f} µs each", goals[name]) for name, one in found.items()]


def dead(given: Given) -> list[Row]:
    """Deliver to 100 endpoints of which one is dead."""
    without, beside = dead_endpoint.measure(given.directory, seconds=3 * given.seconds, rounds=given.rounds)
    name = f"p99 of 99 endpoints beside a dead one / without it, {dead_endpoint.RATE}/s"
    return [(name, f"{beside / without:.2f} ({beside:.1f} and {without:.1f} ms)", "1.2")]


def ages(given: Given) -> list[Row]:
    """Let events in and out at a constant rate."""
    found = forward.ages(given.directory, rate=300, endpoints=3, seconds=6 * given.seconds)
    name = "p95 from the webhook to the receiver, 300 events/s, 3 endpoints"
    return [(name, f"{found.p95:.1f} ms (p50 {found.p50:.1f}, p99 {found.p99:.1f})", "125 ms")]


def forwarding(given: Given) -> list[Row]:
    """Let as many events in and out as can be, and compare with Node-RED."""
    found = forward.compare(given.directory, seconds=max(1, round(given.seconds)), rounds=given.rounds)
    ours, other = found["hooksd"], found.get("Node-RED")
    rows = [("events in and out to one endpoint", f"{ours.rate:,.0f}/s, {ours.cpu:,.0f} µs each", "")]
    if other is not None:
        rows.append(("the same with Node-RED", f"{other.rate:,.0f}/s, {other.cpu:,.0f} µs each", ""))
        found_ratio = f"{ours.rate / other.rate:.2f}, by CPU {other.cpu / ours.cpu:.2f}"
        rows.append(("hooksd / Node-RED", found_ratio, "6"))
    return rows


PARTS: Mapping[str, Callable[[Given], list[Row]]] = {
    "at_once": at_once,
    "slow": slow,
    "dead": dead,
    "ages": ages,
    "forward": forwarding,
}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.deliver", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(PARTS), help="what is measured, separated by commas")
    parser.add_argument("--seconds", type=float, default=1.5, help="of load for one figure")
    parser.add_argument("--rounds", type=int, default=3, help="whose median is shown")
    parser.add_argument("--directory", default=None, help="where logs are written; default: the temporary directory")
    options = parser.parse_args()
    keep_to(SENDER_CORE)
    collect_seldom()  # as the daemon does; for all clients alike
    rows: list[Row] = []
    _say(f"{bench.about()}\n")
    with tempfile.TemporaryDirectory(prefix="hooksd-deliver-", dir=options.directory) as directory:
        given = Given(seconds=options.seconds, rounds=options.rounds, directory=Path(directory))
        for name in options.only.split(","):
            rows += PARTS[name](given)
    _say("| figure | found | goal |")
    _say("|---|---:|---:|")
    for row in rows:
        _say(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
