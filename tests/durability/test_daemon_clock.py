"""A clock that jumps: an hour back, two days on, while the daemon works and between two of its lives."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.battery import tell
from tests.durability.receiver import Receiver
from tests.durability.work import Load, assert_nothing_is_lost, caller, finish
from tests.end_to_end.daemon import Daemon, records

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
pytestmark = pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed")

JUMPS = ["-1h", "+2d"]


def jump(daemon: Daemon, offset: str) -> None:
    """Set the clock that the daemon sees, running or not. Its monotonic clock goes on, as the kernel's does."""
    file = daemon.directory / "offset"
    fresh = file.with_suffix(".new")
    fresh.write_text(offset + "\n")
    fresh.rename(file)
    daemon.variables.update(
        LD_PRELOAD=str(LIBRARIES[0]),
        FAKETIME_TIMESTAMP_FILE=str(file),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DISABLE_SHM="1",  # what it shares with others would outlive a daemon that is killed
        DONT_FAKE_MONOTONIC="1",
    )


async def post_some(load: Load, daemon: Daemon) -> None:
    async with caller() as client, asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(load.post(client, daemon))


@pytest.mark.parametrize("offset", JUMPS)
async def test_nothing_is_lost_when_the_clock_jumps_under_a_daemon_at_work(
    daemon: Daemon, receiver: Receiver, offset: str
) -> None:
    load = Load()
    jump(daemon, "+0")
    await asyncio.to_thread(daemon.start)
    await post_some(load, daemon)
    jump(daemon, offset)
    await post_some(load, daemon)
    jump(daemon, "+0")
    await post_some(load, daemon)
    await daemon.settled(timeout=30)

    assert await asyncio.to_thread(daemon.stop) == 0
    assert load.answers == {202: 30}
    times = [record["at"] for record in records(daemon.log_dir)]
    assert times != sorted(times), "the daemon did not see the jump"
    # A run that began before a jump of two days is over its deadline of an hour, and says so; its delivery goes on.
    assert_nothing_is_lost(daemon, receiver, load, statuses=("succeeded", "timed_out"))
    tell(f"clock {offset} and back under work: 30 accepted, 0 lost")


@pytest.mark.parametrize("offset", JUMPS)
async def test_nothing_is_lost_when_the_clock_jumped_while_the_daemon_was_dead(
    daemon: Daemon, receiver: Receiver, offset: str
) -> None:
    load = Load()
    jump(daemon, "+0")
    await asyncio.to_thread(daemon.start)
    await post_some(load, daemon)
    daemon.kill()
    load.killed(daemon)
    jump(daemon, offset)
    await asyncio.to_thread(daemon.start)
    await post_some(load, daemon)
    daemon.kill()
    load.killed(daemon)
    jump(daemon, "+0")
    await finish(daemon)

    assert_nothing_is_lost(daemon, receiver, load, statuses=("succeeded", "timed_out"))
    tell(f"clock {offset} and back between lives: {len(load.accepted)} accepted, 0 lost")
