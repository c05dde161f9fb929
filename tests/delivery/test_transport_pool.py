from __future__ import annotations

import asyncio

import pytest

from hooksd.delivery import transport_pool
from hooksd.delivery.transport_connection import Connection
from hooksd.delivery.transport_deadlines import Deadlines
from hooksd.delivery.transport_heads import Heads
from hooksd.delivery.transport_pool import KEEP_ALIVE, Pool
from hooksd.testing import FakeClock


def idle(leads_to: str = "a") -> Connection:
    connection = Connection(Deadlines(FakeClock().monotonic), Heads(), leads_to)
    connection.is_usable = True
    return connection


async def test_the_connection_used_last_is_used_first() -> None:
    pool = Pool(FakeClock().monotonic)
    old, new = idle(), idle()
    pool.put(old)
    pool.put(new)

    assert pool.take("b", 0.0) is None
    assert pool.take("a", 0.0) is new
    assert pool.take("a", 0.0) is old
    assert (pool.take("a", 0.0), len(pool)) == (None, 0)
    pool.close()


async def test_a_connection_that_waited_too_long_or_was_closed_is_not_used() -> None:
    clock = FakeClock()
    pool = Pool(clock.monotonic)
    late, closed = idle(), idle("b")
    pool.put(late)
    pool.put(closed)
    closed.is_usable = False
    await clock.advance(KEEP_ALIVE)

    assert pool.take("a", clock.monotonic()) is None
    assert pool.take("b", clock.monotonic()) is None
    assert not late.is_usable
    pool.close()


async def test_what_waits_is_swept_up_without_being_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_pool, "KEEP_ALIVE", 0.02)
    pool = Pool(asyncio.get_running_loop().time)
    connection = idle()
    connection.idle_since = asyncio.get_running_loop().time()
    pool.put(connection)

    async with asyncio.timeout(30):
        while len(pool):
            await asyncio.sleep(0.005)

    assert not connection.is_usable
    assert pool._idle == {}
    pool.close()


async def test_how_many_wait_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_pool, "MOST", 2)
    pool = Pool(FakeClock().monotonic)
    connections = [idle() for _ in range(3)]
    for connection in connections:
        pool.put(connection)

    assert [connection.is_usable for connection in connections] == [True, True, False]
    assert len(pool) == 2
    pool.close()
    assert [connection.is_usable for connection in connections] == [False] * 3
