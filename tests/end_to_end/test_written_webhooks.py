"""Webhooks that the admin API writes: many at once, while people commit, and through kills."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from pathlib import Path

import httpx
import pytest
import tomli

from tests.end_to_end.daemon import Daemon

KILLS = 3
WRITERS = 4


def admin(daemon: Daemon) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(daemon.directory / "state" / "admin.sock"))
    return httpx.AsyncClient(transport=transport, base_url="http://hooksd/api/v1", timeout=30)


async def test_many_who_write_at_once_and_one_who_commits_lose_nothing(daemon: Daemon) -> None:
    daemon.variables["HOOKSD_ADMIN_WRITE"] = "true"
    daemon.start()

    async def write(caller: httpx.AsyncClient, number: int) -> int:
        answer = await caller.put(f"/webhooks/w{number}", json={"auth": {"type": "none"}})
        return answer.status_code

    async with admin(daemon) as caller, asyncio.TaskGroup() as group:
        written = [group.create_task(write(caller, number)) for number in range(20)]
        for number in range(5):
            daemon.write({f"mine/{number}.toml": f"version = 1\n[webhooks.mine{number}]\nauth.type = 'none'\n"})
            await asyncio.sleep(0.1)
    async with admin(daemon) as caller:
        await caller.post("/reload")
        names = {one["name"] for one in (await caller.get("/webhooks")).json()["webhooks"]}

    assert {task.result() for task in written} == {201}
    assert names == {f"w{number}" for number in range(20)} | {f"mine{number}" for number in range(5)}


@pytest.mark.slow
async def test_what_was_answered_is_there_after_a_kill_and_no_file_is_half_written(daemon: Daemon) -> None:
    daemon.variables["HOOKSD_ADMIN_WRITE"] = "true"
    answered: dict[str, int] = {}
    chance = random.Random(7)  # noqa: S311 - when to kill is no secret

    async def write(caller: httpx.AsyncClient, name: str) -> None:
        number = answered.get(name, 0)
        while True:
            number += 1
            content = {"auth": {"type": "none"}, "description": str(number)}
            answer = await caller.put(f"/webhooks/{name}", json=content)
            assert answer.status_code in {200, 201}, answer.text
            answered[name] = number

    for _ in range(KILLS):
        daemon.start()
        async with admin(daemon) as caller, asyncio.TaskGroup() as group:
            writers = [group.create_task(_until_gone(write(caller, f"w{number}"))) for number in range(WRITERS)]
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            daemon.kill()
            await asyncio.wait(writers)
        found = {path.stem: described(path) for path in (daemon.hooks_dir / "webhooks").glob("*.toml")}
        # What was under way may be there too: it is whole, or it is not there.
        assert all(number <= found[name] <= number + 1 for name, number in answered.items())
        answered = dict(found)

    daemon.start()
    assert answered


async def _until_gone(work: Awaitable[None]) -> None:
    try:
        await work
    except httpx.TransportError:
        return


def described(path: Path) -> int:
    return int(tomli.loads(path.read_text())["webhooks"][path.stem]["description"])
