"""A daemon that may open 64 files, under more callers than that."""

from __future__ import annotations

import asyncio
import shutil

import httpx
import pytest

from tests.battery import tell
from tests.durability.receiver import Receiver
from tests.durability.work import Load, assert_nothing_is_lost, caller, finish
from tests.end_to_end.daemon import Daemon

DESCRIPTORS = 64
CALLERS = 200
ROUNDS = 3

pytestmark = pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit is not installed")


async def test_more_callers_than_files_wait_or_are_refused_and_nothing_is_lost(
    daemon: Daemon, receiver: Receiver
) -> None:
    load = Load()
    # Small segments: each new one needs a file while all are taken.
    daemon.variables["HOOKSD_SEGMENT_SIZE"] = "64KiB"
    daemon.prefix = ("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}")
    await asyncio.to_thread(daemon.start)
    process = daemon.process
    assert process is not None

    async with caller() as client:
        for _ in range(ROUNDS):
            async with asyncio.TaskGroup() as group:
                for number in range(CALLERS):
                    # Every tenth is too large for a line of the log and needs a file of its own.
                    group.create_task(load.post(client, daemon, padding=70_000 if number % 10 == 0 else 10))
        assert process.poll() is None, daemon.stderr
        async with asyncio.timeout(20):
            while await load.post(client, daemon) != 202:
                await asyncio.sleep(0.1)
    await daemon.settled(timeout=60)
    assert httpx.get(daemon.url("/readyz"), trust_env=False).status_code == 200
    assert await asyncio.to_thread(daemon.stop) == 0

    assert set(load.answers) <= {202, 503}
    assert load.broken + load.answers[503], "there were descriptors for all of them"
    assert_nothing_is_lost(daemon, receiver, load)
    tell(
        f"{DESCRIPTORS} descriptors, {ROUNDS} x {CALLERS} callers at once: {load.answers[202]} accepted, "
        f"{load.answers[503]} refused, {load.broken} turned away, 0 lost"
    )


async def test_connections_that_say_nothing_do_not_keep_the_others_out(daemon: Daemon, receiver: Receiver) -> None:
    load = Load()
    daemon.prefix = ("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}")
    await asyncio.to_thread(daemon.start)

    silent = []
    for _ in range(CALLERS):
        _, writer = await asyncio.open_connection("127.0.0.1", daemon.port)
        silent.append(writer)
    async with caller() as client:
        for _ in range(10):
            await load.post(client, daemon)
    for writer in silent:
        writer.close()
    daemon.kill()
    load.killed(daemon)
    daemon.prefix = ()
    await finish(daemon)

    assert len(load.accepted) == 10
    assert_nothing_is_lost(daemon, receiver, load)
