"""SIGTERM while requests and runs are under way: callers who wait are answered, and the daemon always ends."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.durability.work import caller
from tests.end_to_end.daemon import Daemon, records

PATIENT = """
version = 1
on      = "webhook:patient"
run_as  = "sleeper"
trust   = "anonymous"

[webhooks.patient]
auth.type = "none"
answer    = "wait:30s"

[[steps]]
id  = "work"
run = ["sh", "-c", "touch $0/started; UNTIL; echo done", "DIRECTORY"]

[[steps]]
respond = "{{ steps.work.output }}"
"""

STUBBORN = """
version = 1
on      = "webhook:stubborn"
run_as  = "sleeper"
trust   = "anonymous"

[webhooks.stubborn]
auth.type = "none"

[[steps]]
run = ["sh", "-c", "trap '' TERM INT HUP; touch $0/started; UNTIL", "DIRECTORY"]
"""

UNTIL = "for turn in $(seq 2400); do if test -e $0/go; then break; fi; sleep 0.05; done"
"""A program that outlives its daemon, and perhaps its test, ends after two minutes."""

ROLES = 'version = 1\n\n[roles.sleeper]\nallow = ["run:sh"]\n'


async def until_there(path: Path) -> None:
    async with asyncio.timeout(60):
        while not path.exists():
            await asyncio.sleep(0.01)


def set_up(daemon: Daemon) -> None:
    for other in daemon.hooks_dir.glob("*.toml"):
        other.unlink()
    files = {"patient.toml": PATIENT, "stubborn.toml": STUBBORN, "roles.toml": ROLES}
    place = str(daemon.directory)
    daemon.write({name: text.replace("DIRECTORY", place).replace("UNTIL", UNTIL) for name, text in files.items()})


async def test_a_caller_who_waits_for_a_run_is_answered_although_the_daemon_was_told_to_stop(daemon: Daemon) -> None:
    set_up(daemon)
    await asyncio.to_thread(daemon.start)
    process = daemon.process
    assert process is not None
    async with caller(timeout=40) as client, asyncio.TaskGroup() as group:
        asked = group.create_task(client.post(daemon.url("/hooks/patient"), json={}))
        await until_there(daemon.directory / "started")
        process.terminate()
        async with asyncio.timeout(60):
            while "daemon.stopping" not in daemon.stderr:
                await asyncio.sleep(0.02)
        (daemon.directory / "go").touch()

    assert asked.result().status_code in (200, 202)
    assert await asyncio.to_thread(process.wait, 60) == 0
    log = records(daemon.log_dir)
    assert [record["status"] for record in log if record["type"] == "step.ended"][:1] == ["ok"]
    assert log[-1]["type"] == "daemon.stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once_whatever_runs(daemon: Daemon, number: signal.Signals) -> None:
    set_up(daemon)
    await asyncio.to_thread(daemon.start)
    process = daemon.process
    assert process is not None
    async with caller() as client:
        accepted = await client.post(daemon.url("/hooks/stubborn"), json={})
    await until_there(daemon.directory / "started")
    process.send_signal(number)
    async with asyncio.timeout(60):
        while "daemon.stopping" not in daemon.stderr:
            await asyncio.sleep(0.02)
    process.send_signal(number)

    assert await asyncio.to_thread(process.wait, 15) == 0
    (daemon.directory / "go").touch()
    await asyncio.to_thread(daemon.start)
    await daemon.settled(timeout=60)
    assert await asyncio.to_thread(daemon.stop) == 0
    ended = [record for record in records(daemon.log_dir) if record["type"] == "run.ended"]
    assert [record["run"] for record in ended] == [run["id"] for run in accepted.json()["runs"]]


@pytest.mark.slow
async def test_one_signal_ends_it_in_bounded_time_although_a_program_and_a_caller_do_not_end(daemon: Daemon) -> None:
    set_up(daemon)
    await asyncio.to_thread(daemon.start)
    process = daemon.process
    assert process is not None
    _, idle = await asyncio.open_connection("127.0.0.1", daemon.port)
    idle.write(b"POST /hooks/patient HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
    async with caller(timeout=60) as client, asyncio.TaskGroup() as group:
        asked = group.create_task(client.post(daemon.url("/hooks/stubborn"), json={}))
        await until_there(daemon.directory / "started")
        process.terminate()
        # Steps get 20 s, the last resort strikes after 60.
        assert await asyncio.to_thread(process.wait, 75) == 0
    idle.close()
    (daemon.directory / "go").touch()

    assert asked.result().status_code == 202
    assert records(daemon.log_dir)[-1]["type"] == "daemon.stopped"
