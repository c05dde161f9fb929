"""Deliveries that failed are delivered again from the command line, after an interruption the rest."""

from __future__ import annotations

import asyncio
import fcntl
import signal
import subprocess
import sys
from collections import Counter

import orjson
import pytest

from tests.delivery.receiver import answer, read_request
from tests.delivery.receiver import receiver as serving
from tests.end_to_end.daemon import Daemon, records

COUNT = 120
DEFINITIONS = """
version = 1

[endpoints.erp]
url       = "URL"
subscribe = "order.*"
retry     = "none"
"""


class Moody:
    """A receiver that fails until it is told to work."""

    def __init__(self) -> None:
        self.works = False
        self.got: list[tuple[bool, str]] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer for as long as somebody asks."""
        while True:
            request = await read_request(reader)
            self.got.append((self.works, request.headers["webhook-id"]))
            writer.write(answer("204 No Content" if self.works else "422 Unprocessable Content"))
            await writer.drain()


async def run(daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(daemon.command, *arguments)


@pytest.mark.timeout(600)
async def test_what_failed_is_delivered_once_more_and_an_interruption_costs_nothing(daemon: Daemon) -> None:
    moody = Moody()
    async with serving(moody.talk) as here:
        daemon.write({"all.toml": DEFINITIONS.replace("URL", here.url())})
        daemon.start()
        events = (
            b"["
            + b",".join(
                b'{"specversion":"1.0","id":"%d","source":"/shop","type":"order.paid","data":%d}' % (number, number)
                for number in range(COUNT)
            )
            + b"]"
        )
        (daemon.directory / "batch.json").write_bytes(events)
        published = await asyncio.to_thread(
            subprocess.run,
            ["curl", "-sS", "--unix-socket", str(daemon.directory / "state" / "admin.sock"),
             "http://hooksd/api/v1/events", "-H", "Content-Type: application/cloudevents-batch+json",
             "--data-binary", f"@{daemon.directory / 'batch.json'}"],
            capture_output=True, check=True, timeout=60,
        )  # fmt: skip
        assert len(orjson.loads(published.stdout)["events"]) == COUNT
        async with asyncio.timeout(120):
            while len(moody.got) < COUNT:
                await asyncio.sleep(0.05)
        await daemon.settled(timeout=120)

        moody.works = True
        looked = await run(daemon, "redeliver", "--endpoint", "erp", "--since", "1h", "--dry-run")
        assert f"erp       exhausted  {COUNT}" in looked.stdout
        await asyncio.to_thread(interrupted, daemon)
        some = len({name for worked, name in moody.got if worked})
        rest = await run(daemon, "redeliver", "--endpoint", "erp", "--since", "1h", "--yes")
        await daemon.settled(timeout=120)
        nothing = await run(daemon, "redeliver", "--endpoint", "erp", "--since", "1h", "--yes")
        listed = await run(daemon, "endpoints", "--json")
        await check_one(daemon, moody)
        daemon.stop()

    assert rest.returncode == nothing.returncode == 0, rest.stderr
    assert "nothing of that kind" in nothing.stderr
    assert orjson.loads(listed.stdout)["state"]["last"]["status"] == 204
    times = Counter(name for worked, name in moody.got if worked)
    assert some < COUNT
    assert (len(times), max(times.values())) == (COUNT, 2)
    assert sum(count == 2 for count in times.values()) == 1


def interrupted(daemon: Daemon) -> None:
    """Redeliver all, and press Ctrl-C after a moment."""
    command = [sys.executable, "-m", "hooksd", "redeliver", "--endpoint", "erp", "--since", "1h", "--yes", "--json"]
    with subprocess.Popen(
        ["env", "--default-signal=INT", *command],  # programs in the background of a shell ignore it, tests too
        env=daemon.environment,
        cwd=daemon.directory,
        bufsize=0,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        # It cannot get further ahead of what is read than a page holds, however long nobody has time to interrupt it.
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        for _ in range(10):
            assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130
    assert b"the same command goes on with the rest" in said


async def check_one(daemon: Daemon, moody: Moody) -> None:
    """One that arrived is asked for once more, shown whole, and repeated by curl."""
    name = moody.got[-1][1]
    again = await run(daemon, "redeliver", name, "--wait")
    assert (again.returncode, "delivered after 3 attempts, answered 204" in again.stderr) == (0, True), again.stderr
    shown = await run(daemon, "deliveries", "show", name)
    assert [line for line in shown.stdout.splitlines() if line.startswith("< HTTP")] == [
        "< HTTP/1.1 422 Unprocessable Entity" if sys.version_info < (3, 13) else "< HTTP/1.1 422 Unprocessable Content",
        "< HTTP/1.1 204 No Content",
        "< HTTP/1.1 204 No Content",
    ]
    kinds = [tree["type"] for tree in records(daemon.log_dir) if tree.get("delivery") == name]
    assert kinds.count("delivery.created") == kinds.count("delivery.ended") == 3
