"""Measures what it costs to run a program, part by part, in processor time on one core.

    python -m tests.bench.programs [--count 2000]

`/bin/true` by a loop of posix_spawn(3) and waitpid(2), which is what no server can go below; by `subprocess.Popen`; by
hooksd's `ProcessRunner`, 16 at a time; and a whole run in the engine with its log, with a program and with none. What
HTTP adds is in `python -m tests.bench --only runs`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import uvloop

from hooksd.clock import SystemClock
from hooksd.engine.ports import Performer
from hooksd.engine.process import ProcessRunner
from hooksd.engine.runner import Engine
from hooksd.journal.file import FileJournal
from hooksd.model.effect import Effect, Performed, StartProcess
from hooksd.model.ids import IdFactory
from hooksd.testing import event_of, snapshot_of

TRUE = "/bin/true"
EVENT = b'{"x": "' + b"x" * 1000 + b'"}'
AT_ONCE = 16
CONNECTIONS = 64


def used() -> tuple[float, float]:
    """Return the seconds of processor time that this process took, and that its children took."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime, children.ru_utime + children.ru_stime


def spawn(count: int) -> None:
    """Run the program again and again, with nothing around it."""
    for _ in range(count):
        os.waitpid(os.posix_spawn(TRUE, [TRUE], {}), 0)


def popen(count: int) -> None:
    """Run it in a session of its own, without a descriptor of ours."""
    for _ in range(count):
        subprocess.run([TRUE], env={}, cwd="/", stdin=subprocess.DEVNULL, start_new_session=True, check=True)


class Runner:
    """The performer of a daemon that has programs only."""

    def __init__(self) -> None:
        self._processes = ProcessRunner()

    async def perform(self, effect: Effect) -> Performed:
        """Run a program."""
        if not isinstance(effect, StartProcess):
            raise TypeError(effect)
        return await self._processes.perform(effect)


class Nobody:
    """A performer that says at once that a program has ended well."""

    async def perform(self, _: Effect) -> Performed:
        """Do nothing."""
        await asyncio.sleep(0)
        return Performed(ok=True, code=0)


async def programs(count: int) -> None:
    """Run it by hooksd's own part for programs."""
    runner = Runner()
    effect = StartProcess(argv=(TRUE,), env={"HOOKSD_RUN_ID": "run_1"}, stdin=EVENT, cwd="/", timeout=60)
    await together(AT_ONCE, count, lambda: runner.perform(effect))


async def together(workers: int, count: int, work: Callable[[], Awaitable[object]]) -> None:
    """Do something `count` times, `workers` at a time."""

    async def worker() -> None:
        for _ in range(count // workers):
            await work()

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(worker())


async def runs(count: int, performer: Performer) -> None:
    """Accept events whose run runs it, and wait for the runs, with a log on the disk."""
    workflow = {"on": "push", "run_as": "runner", "steps": [{"run": [TRUE]}]}
    snapshot = snapshot_of({"roles": {"runner": {"allow": [f"run:{TRUE}"]}}, "workflows": {"true": workflow}})
    clock = SystemClock()
    ids = IdFactory(clock.now, lambda: random.getrandbits(74))
    with tempfile.TemporaryDirectory(prefix="hooksd-bench-") as directory:
        journal = FileJournal(Path(directory) / "log")
        journal.open()
        list(journal.read())
        engine = Engine(
            journal=journal,
            performer=performer,
            clock=clock,
            ids=ids,
            current=lambda: snapshot,
            jitter=random.random,
            public_url="",
        )
        event = event_of({"x": "x" * 1000}, kind="push")

        async def once() -> None:
            accepted = await engine.accept(replace(event, id=ids.event()), origin=None)
            await engine.response(accepted.event, 60)

        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(engine.run())
            await asyncio.sleep(0.1)
            await together(CONNECTIONS, count, once)
            running.cancel()
        await journal.close()


def measure(name: str, count: int, work: Callable[[int], None]) -> None:
    """Do something `count` times and print what each took."""
    work(CONNECTIONS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    own, children = used()
    work(count)
    own, children = (after - before for after, before in zip(used(), (own, children), strict=True))
    sys.stdout.write(f"| {name} | {own / count * 1e6:,.0f} | {children / count * 1e6:,.0f} |\n")
    sys.stdout.flush()


def on_a_loop(work: Callable[[int], Awaitable[None]]) -> Callable[[int], None]:
    """Return what does something on an event loop like the daemon's."""

    async def wait(count: int) -> None:
        await work(count)

    def run(count: int) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(wait(count))

    return run


def main() -> None:
    """Measure all and print them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.programs", description="What running a program costs.")
    parser.add_argument("--count", type=int, default=2000, help="how often")
    count = parser.parse_args().count
    os.sched_setaffinity(0, {0})
    sys.stdout.write(f"| {TRUE} by | own µs | the program's µs |\n|---|---:|---:|\n")
    measure("posix_spawn and waitpid", count, spawn)
    measure("subprocess.run", count, popen)
    measure("hooksd's ProcessRunner", count, on_a_loop(programs))
    measure("a run of the engine, with its log", count, on_a_loop(lambda count: runs(count, Runner())))
    measure("the same without a program", count, on_a_loop(lambda count: runs(count, Nobody())))


if __name__ == "__main__":
    main()
