from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
import uvloop

from hooksd.web.guard_local import user_of


async def seen(unix: str | None = None) -> int | None:
    """Return the user that a server sees behind a connection of ours."""
    found: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    def met(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.set_result(user_of(writer.transport))
        writer.close()

    if unix is not None:
        listener = await asyncio.start_unix_server(met, unix)
        _, writer = await asyncio.open_unix_connection(unix)
    else:
        listener = await asyncio.start_server(met, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*listener.sockets[0].getsockname()[:2])
    async with listener:
        user = await asyncio.wait_for(found, 10)
        writer.close()
        return user


@pytest.mark.parametrize("factory", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def test_whoever_connects_to_a_unix_socket_is_known_by_user(factory: Any, tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(seen(str(tmp_path / "s"))) == os.getuid()


def test_nobody_is_known_over_tcp() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(seen()) is None


def test_a_connection_without_a_socket_is_nobodys() -> None:
    class Transport(asyncio.BaseTransport):
        pass

    assert user_of(Transport()) is None
