"""`kill -9` of the whole daemon: in front of every system call that touches the disk, and at random under load.

Here a sample. `HOOKSD_KILL_EVERYWHERE=1/1` kills in front of every single call until a life ends well (about twenty
minutes), `1/4` in front of every fourth, so that `2/4` to `4/4` may run elsewhere. `HOOKSD_KILL_LOOP=200` does the
loop so often (about eight minutes).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import re
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.battery import IS_LONG, size, tell
from tests.durability.receiver import Receiver
from tests.durability.strace import needs_strace, strace
from tests.durability.work import Load, assert_nothing_is_lost, caller, finish, set_up
from tests.end_to_end.daemon import Daemon, records, unfinished

EVERYWHERE = os.environ.get("HOOKSD_KILL_EVERYWHERE") or ("1/1" if IS_LONG else "")
LOOP = size("KILL_LOOP", quick=10, long=200)
CALLERS = 12
DICE = random.Random()  # noqa: S311 - chance, no secret
PADDINGS = (0, 60_000, 70_000, 10)
"""Of the events of one life: small ones, one that fills a segment, one that is kept as a blob."""

CALLS = {
    "write": (5, 20),
    "fdatasync": (1, 6, 12),
    "fsync": (3,),
    "openat": (2,),
    "ftruncate": (2,),
    "rename": (2,),
    "unlink": (1,),
}
"""The calls, and in front of which of each the sample kills: counted for each thread."""


async def live_once(daemon: Daemon, load: Load) -> bool:
    """Let a daemon that is being started live through the work, and stop it; return whether it was killed before."""
    process = daemon.process
    assert process is not None
    if await asyncio.to_thread(daemon.opened):
        async with caller() as client:
            for padding in PADDINGS:
                if await load.post(client, daemon, padding) is None:
                    break
        while process.poll() is None and unfinished(records(daemon.log_dir)):
            await asyncio.sleep(0.02)
    if process.poll() is None:
        process.terminate()
    status = await asyncio.to_thread(process.wait, 30)
    assert status in (0, -signal.SIGKILL), daemon.stderr
    return status != 0


@pytest.fixture(scope="module")
def torn_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log as a crash leaves it, so that a start has something to cut off."""
    with Receiver() as receiver:
        daemon = Daemon(tmp_path_factory.mktemp("torn"))
        set_up(daemon, receiver)
        daemon.start()
        daemon.kill()
    (segment,) = daemon.log_dir.glob("log-*.jsonl")
    with segment.open("ab") as file:
        file.write(b'{"type":"event.acc')
    return daemon.log_dir


async def killed_at(daemon: Daemon, receiver: Receiver, call: str, number: int) -> bool:
    """Kill the daemon in front of the n-th such call of a thread; return whether it came to that."""
    daemon.variables["HOOKSD_SEGMENT_SIZE"] = "64KiB"
    load = Load()
    daemon.prefix = strace(call, f":signal=SIGKILL:when={number}", daemon.directory / "trace")
    daemon.launch()
    was_killed = await live_once(daemon, load)
    load.killed(daemon)
    await finish(daemon)
    assert_nothing_is_lost(daemon, receiver, load)
    return was_killed


def openings(daemon: Daemon) -> int:
    """Return which `openat` of the main thread is the first of the log: those before are of Python's own modules."""
    trace = daemon.directory / "openings"
    daemon.prefix = strace("openat", "", trace)
    daemon.start()
    daemon.stop()
    daemon.prefix = ()
    lines = [re.split(r"\s+", line, maxsplit=1) for line in trace.read_text().splitlines()]
    main = [call for thread, call in lines if thread == lines[0][0] and call.startswith("openat")]
    return next(number for number, call in enumerate(main, 1) if f'"{daemon.log_dir}/lock"' in call)


@needs_strace
@pytest.mark.timeout(600 if not EVERYWHERE else 7200)
@pytest.mark.parametrize(("call", "sample"), CALLS.items())
async def test_nothing_is_lost_whichever_system_call_the_daemon_is_killed_at(
    tmp_path: Path, torn_log: Path, call: str, sample: tuple[int, ...]
) -> None:
    first = openings(Daemon(tmp_path / "openings")) if call == "openat" else 1
    numbers: Iterable[int] = (first + number - 1 for number in sample)
    share = 1
    if EVERYWHERE:
        share, of = map(int, EVERYWHERE.split("/"))
        numbers = itertools.count(first + share - 1, of)
    killed = 0
    for number in numbers:
        with Receiver() as receiver:
            daemon = Daemon(tmp_path / str(number))
            set_up(daemon, receiver)
            shutil.copytree(torn_log, daemon.log_dir)
            try:
                was_killed = await killed_at(daemon, receiver, call, number)
            finally:
                daemon.kill()
        if not was_killed:
            break
        killed += 1
        shutil.rmtree(daemon.directory)
    if share > 1 and not killed:
        # Share 1 begins with the first call, and fails if there is none to be killed at.
        pytest.skip(f"no life has {share} calls of {call}: there is nothing to kill at in this share")
    tell(f"killed in front of {killed} calls of {call}, 0 lost")
    assert killed


async def load_until_killed(daemon: Daemon, load: Load, answers: int) -> None:
    """Kill the daemon in the middle once it has accepted so many more."""
    enough = len(load.accepted) + answers
    async with caller() as client, asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(load.keep_posting(client, daemon))
        try:
            async with asyncio.timeout(60):
                while len(load.accepted) < enough:
                    await asyncio.sleep(0.005)
        except TimeoutError as error:
            said = f"{len(load.accepted)} of {enough} accepted, {load.answers}, {load.broken} without an answer"
            raise AssertionError(f"{said}:\n{daemon.stderr[-4000:]}") from error
        await asyncio.sleep(DICE.random() / 2)
        daemon.kill()
    load.killed(daemon)


@pytest.mark.timeout(300 + 20 * LOOP)
async def test_nothing_is_lost_and_only_what_was_under_way_comes_twice_however_often_the_daemon_is_killed(
    daemon: Daemon, receiver: Receiver
) -> None:
    load = Load()

    for _ in range(LOOP):
        await asyncio.to_thread(daemon.start)
        await load_until_killed(daemon, load, DICE.randrange(1, 40))
    await finish(daemon)

    assert_nothing_is_lost(daemon, receiver, load)
    again = sum(receiver.again.values())
    tell(f"{LOOP} kills, {len(load.accepted)} accepted, 0 lost, {again} came again, all of them under way at a kill")
