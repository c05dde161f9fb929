from __future__ import annotations

import asyncio

import pytest

from hooksd.engine.patience import OutOfTime, Patience, Until
from hooksd.testing import NOON, FakeClock


async def test_what_takes_too_long_is_cut_off_at_its_time() -> None:
    clock = FakeClock()
    patience = Patience(clock)

    async def endless() -> float:
        with pytest.raises(OutOfTime), patience.until(clock.now() + 10):
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
    with pytest.raises(TimeoutError), Patience(FakeClock()).until(NOON + 10):
        raise TimeoutError


async def test_somebody_else_can_end_the_wait() -> None:
    clock = FakeClock()
    patience = Patience(clock)
    limits: list[Until] = []

    async def endless() -> None:
        with pytest.raises(OutOfTime), patience.until(clock.now() + 10) as limit:  # noqa: PT012 - the block is cut off
            limits.append(limit)
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(endless())
        await clock.settle()
        limits[0].cut()
        await clock.settle()

        assert task.done()
        assert clock.monotonic() == 0


async def test_who_is_cancelled_by_others_as_well_is_cancelled() -> None:
    clock = FakeClock()

    async def endless() -> None:
        with Patience(clock).until(clock.now() + 10) as limit:
            limits.append(limit)
            await asyncio.Event().wait()

    limits: list[Until] = []
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(endless())
        await clock.settle()
        limits[0].cut()
        task.cancel()
        await clock.settle()

    assert task.cancelled()


async def test_a_block_that_is_over_cannot_be_cut_off() -> None:
    clock = FakeClock()

    async def short() -> str:
        with Patience(clock).until(clock.now() + 10) as limit:
            await asyncio.sleep(0)
        limit.cut()
        await asyncio.sleep(0)
        return "done"

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(short())
    assert task.result() == "done"


async def test_a_block_that_is_cut_off_twice_ends_once() -> None:
    clock = FakeClock()

    async def endless() -> int:
        with pytest.raises(OutOfTime), Patience(clock).until(clock.now()) as limit:  # noqa: PT012 - it is cut off
            limit.cut()
            limit.cut()
            await asyncio.Event().wait()
        task = asyncio.current_task()
        return task.cancelling() if task else -1

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(endless())
    assert task.result() == 0


async def test_an_error_of_the_block_stays_what_it_is_when_the_time_is_over() -> None:
    clock = FakeClock()
    with pytest.raises(KeyError), Patience(clock).until(clock.now() + 10) as limit:  # noqa: PT012 - it is cut off
        limit.cut()
        raise KeyError
