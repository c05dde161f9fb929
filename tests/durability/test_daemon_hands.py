"""Foreign hands on the log of a running daemon, a second daemon beside it, and a log that an older version left."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import orjson
import pytest

from tests.durability.receiver import Receiver
from tests.durability.work import Load, assert_nothing_is_lost, caller, finish
from tests.end_to_end.daemon import Daemon, records

BROKEN = 74


def segment(daemon: Daemon) -> Path:
    """Return the file that is being written."""
    return max(daemon.log_dir.glob("log-*.jsonl"))


def remove(daemon: Daemon) -> None:
    segment(daemon).unlink()


def move(daemon: Daemon) -> None:
    file = segment(daemon)
    file.rename(file.with_suffix(".jsonl.1"))


def move_away(daemon: Daemon) -> None:
    shutil.move(segment(daemon), daemon.directory / "elsewhere.jsonl")


def replace(daemon: Daemon) -> None:
    """Do what an editor does that saves by renaming."""
    file = segment(daemon)
    copy = file.with_suffix(".swp")
    shutil.copy(file, copy)
    copy.rename(file)


def empty(daemon: Daemon) -> None:
    with segment(daemon).open("r+b") as file:
        file.truncate(0)


def shorten(daemon: Daemon) -> None:
    with segment(daemon).open("r+b") as file:
        file.truncate(segment(daemon).stat().st_size - 30)


def add(daemon: Daemon) -> None:
    with segment(daemon).open("ab") as file:
        file.write(b"a note of the operator\n")


@pytest.mark.parametrize("hand", [remove, move, move_away, replace, empty, shorten, add])
async def test_what_is_accepted_after_somebody_took_the_log_away_is_not_lost(
    daemon: Daemon, receiver: Receiver, hand: Callable[[Daemon], None]
) -> None:
    load, later = Load(), Load(next_number=1000)
    await asyncio.to_thread(daemon.start)
    async with caller() as client:
        for _ in range(5):
            assert await load.post(client, daemon) == 202
        await daemon.settled(timeout=60)
        hand(daemon)
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(later.post(client, daemon))
    daemon.kill()
    await restarted(daemon)

    ended = {record["run"] for record in intact(daemon) if record["type"] == "run.ended"}
    assert len(later.accepted) == 20
    assert set(later.accepted.values()) <= ended
    assert later.numbers <= set(receiver.ids)


def intact(daemon: Daemon) -> list[dict[str, object]]:
    """Return the records that `hooksd` itself can still read."""
    listed = daemon.command("tail", "--no-follow", "--json", "-n", "100000")
    assert listed.returncode == 0, listed.stderr
    return [orjson.loads(line) for line in listed.stdout.splitlines()]


async def restarted(daemon: Daemon) -> None:
    """Start again and wait until no run has work left, as `status` sees it."""
    await asyncio.to_thread(daemon.start)
    async with asyncio.timeout(30):
        while (status := await asyncio.to_thread(daemon.command, "status", "--json")).returncode == 0:
            told = orjson.loads(status.stdout)
            if told["unfinished_runs"] == told["unfinished_deliveries"] == 0:
                return
            await asyncio.sleep(0.1)
    raise AssertionError(status.stderr)


async def test_a_log_that_was_made_read_only_is_written_on_and_read_again(daemon: Daemon, receiver: Receiver) -> None:
    load = Load()
    await asyncio.to_thread(daemon.start)
    async with caller() as client:
        assert await load.post(client, daemon) == 202
        segment(daemon).chmod(0o444)
        for _ in range(5):
            assert await load.post(client, daemon) == 202
    daemon.kill()
    load.killed(daemon)
    await finish(daemon)

    assert_nothing_is_lost(daemon, receiver, load)


async def test_a_log_that_nobody_may_change_any_more_is_refused_not_lied_about(
    daemon: Daemon, receiver: Receiver
) -> None:
    load = Load()
    await asyncio.to_thread(daemon.start)
    process = daemon.process
    assert process is not None
    file = segment(daemon)
    async with caller() as client:
        assert await load.post(client, daemon) == 202
        await daemon.settled(timeout=60)
        if subprocess.run(["chattr", "+i", file], capture_output=True, check=False).returncode:
            pytest.skip("this file system has no immutable files, or we may not make one")
        try:
            status = await load.post(client, daemon)
            ended = await asyncio.to_thread(process.wait, 40)
            load.killed(daemon)
            await finish(daemon)
        finally:
            subprocess.run(["chattr", "-i", file], check=True)

    assert status == 503
    assert ended == BROKEN
    assert "cannot be written" in daemon.stderr
    assert_nothing_is_lost(daemon, receiver, load)


async def test_a_second_daemon_on_the_same_log_is_refused_and_disturbs_nobody(
    daemon: Daemon, receiver: Receiver
) -> None:
    load = Load()
    await asyncio.to_thread(daemon.start)
    assert daemon.process is not None
    async with caller() as client:
        assert await load.post(client, daemon) == 202
        before = sorted(daemon.log_dir.iterdir())
        second = await asyncio.to_thread(
            daemon.command, "serve", "--listen", "127.0.0.1:0", "--state-dir", str(daemon.directory / "other")
        )
        assert await load.post(client, daemon) == 202
    await daemon.settled(timeout=60)

    assert second.returncode == BROKEN
    assert f"process {daemon.process.pid} is writing this log" in second.stderr
    assert "Traceback" not in second.stderr
    assert sorted(daemon.log_dir.iterdir()) == before
    assert httpx.get(daemon.url("/readyz"), trust_env=False).status_code == 200
    assert await asyncio.to_thread(daemon.stop) == 0
    assert_nothing_is_lost(daemon, receiver, load)


LEFTOVER = Path(__file__).parent / "leftover"
"""The log of a daemon of version 0.1.0 that was killed at work. Never written anew: it stands for what is out there."""

DEFINITIONS = """
version = 1

[endpoints.receiver]
url    = "RECEIVER/hook"
retry  = { max = 8, delay = "50ms" }
"""


async def test_what_an_older_version_left_is_finished_as_it_was_begun(tmp_path: Path) -> None:
    with Receiver(stumbles=False) as receiver:
        daemon = Daemon(tmp_path)
        daemon.write(
            {
                "receiver.toml": DEFINITIONS.replace("RECEIVER", receiver.url),
                "roles.toml": 'version = 1\n\n[roles.worker]\nallow = ["run:true", "send:receiver"]\n',
            }
        )
        shutil.copytree(LEFTOVER, daemon.log_dir)
        before = records(daemon.log_dir)
        try:
            await finish(daemon)
        finally:
            daemon.kill()

    runs = {run["id"] for record in before if record["type"] == "event.accepted" for run in record["runs"]}
    deliveries = {record["delivery"] for record in before if record["type"] == "delivery.created"}
    ended = [record for record in records(daemon.log_dir) if record["type"] == "run.ended"]
    assert len(runs) == 4
    assert {record["run"]: record["status"] for record in ended} == dict.fromkeys(runs, "succeeded")
    assert len(ended) == len(runs)
    assert set(receiver.ids) == {0, 1, 2, 3}
    # Those that were under way came under the id that the older version gave them.
    assert deliveries < {identifier for ids in receiver.ids.values() for identifier in ids}
    assert not any(receiver.again.values())
    assert (daemon.log_dir / "log-0000000001.jsonl.torn").exists()
