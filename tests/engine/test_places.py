from __future__ import annotations

import asyncio

import pytest

from hooksd.engine.places import Places


async def test_so_many_take_a_place_at_once_and_no_more() -> None:
    places = Places(2)

    assert [places.take(), places.take(), places.take()] == [True, True, False]
    places.leave()
    assert [places.take(), places.take()] == [True, False]


async def test_who_waits_gets_the_next_place_in_the_order_of_coming() -> None:
    places, got = Places(1), list[str]()

    async def wait(name: str) -> None:
        await places.wait()
        got.append(name)

    async with asyncio.TaskGroup() as group:
        for name in "abc":
            group.create_task(wait(name))
        await asyncio.sleep(0)
        assert got == ["a"]
        places.leave()
        assert not places.take(), "it belongs to the one who waited"
        places.leave()

    assert got == ["a", "b", "c"]


@pytest.mark.parametrize("given_first", [True, False])
async def test_the_place_of_somebody_who_is_cancelled_goes_to_the_next(*, given_first: bool) -> None:
    places = Places(1)
    assert places.take()
    first, second = (asyncio.ensure_future(places.wait()) for _ in range(2))
    await asyncio.sleep(0)

    if given_first:
        places.leave()
    first.cancel()
    if not given_first:
        await asyncio.sleep(0)
        places.leave()

    await asyncio.wait_for(second, 1)
    assert first.cancelled()
    places.leave()
    assert [places.take(), places.take()] == [True, False]
