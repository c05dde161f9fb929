from __future__ import annotations

import asyncio

import pytest

from hooksd.engine.patience import OutOfTime, Patience, cut
from hooksd.testing import NOON, FakeClock


async def test_what_takes_too_long_is_cut_off_at_its_time() -> None:
    clock = FakeClock()
    patience = Patience(clock)

    async def endless() -> float:
        with pytest.raises(OutOfTime):
            async with patience.until(clock.now() + 10):
                await asyncio.Event().wait()
        return clock.monotonic()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(endless())
        await clock.advance(9)
        assert not task.done()
        await clock.advance(5)

    assert task.result() == 10


async def test_what_is_done_in_time_leaves_no_timer() -> None:
    clock = FakeClock()
    assert await Patience(clock).wait_for(asyncio.sleep(0), 10)
    await clock.settle()

    assert clock.sleeping == 0


async def test_a_timeout_of_what_was_waited_for_is_not_ours() -> None:
    with pytest.raises(TimeoutError):
        async with Patience(FakeClock()).until(NOON + 10):
            raise TimeoutError


async def test_somebody_else_can_end_the_wait() -> None:
    clock = FakeClock()
    patience = Patience(clock)
    limits: list[asyncio.Timeout] = []

    async def endless() -> None:
        with pytest.raises(OutOfTime):  # noqa: PT012 - the block is what is cut off
            async with patience.until(clock.now() + 10) as limit:
                limits.append(limit)
                await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(endless())
        await clock.settle()
        cut(limits[0])
        await clock.settle()

        assert task.done()
        assert clock.monotonic() == 0
