from __future__ import annotations

import asyncio
import math

from hypothesis import given
from hypothesis import strategies as st

from hooksd.delivery.transport_deadlines import Deadlines


class Late:
    """Remembers when it was ended."""

    def __init__(self, deadlines: Deadlines, wait: float) -> None:
        self.ends = asyncio.get_running_loop().time() + wait
        self.ended: list[float] = []
        deadlines.enter(self)
        if self.ends < deadlines.next:
            deadlines.look_at(self.ends)

    def expire(self) -> None:
        self.ended.append(asyncio.get_running_loop().time())
        self.ends = math.inf


async def over(*waiting: Late) -> None:
    async with asyncio.timeout(30):
        while not all(one.ended for one in waiting):
            await asyncio.sleep(0.001)


async def test_each_is_ended_when_its_time_is_over_and_not_before() -> None:
    deadlines = Deadlines(asyncio.get_running_loop().time)
    late = [Late(deadlines, wait) for wait in (0.03, 0.01, 0.05, 0.01001)]
    ends = [one.ends for one in late]

    await over(*late)

    assert all(len(one.ended) == 1 and one.ended[0] >= end for one, end in zip(late, ends, strict=True))


async def test_what_was_over_before_its_time_is_left_alone() -> None:
    deadlines = Deadlines(asyncio.get_running_loop().time)
    done, gone, late = Late(deadlines, 0.005), Late(deadlines, 0.005), Late(deadlines, 0.02)
    done.ends = math.inf
    deadlines.leave(gone)
    deadlines.leave(gone)

    await over(late)

    assert (done.ended, gone.ended, len(deadlines)) == ([], [], 2)


async def test_time_that_is_over_already_ends_soon_and_not_at_once() -> None:
    late = Late(Deadlines(asyncio.get_running_loop().time), -1)

    assert late.ended == []
    await over(late)


async def test_one_that_begins_again_has_its_new_time_alone() -> None:
    deadlines = Deadlines(asyncio.get_running_loop().time)
    one, other = Late(deadlines, 0.005), Late(deadlines, 0.02)
    one.ends += 60

    await over(other)

    assert one.ended == []


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), max_size=20))
def test_whatever_comes_and_goes_each_that_stays_is_ended_once(steps: list[tuple[int, bool]]) -> None:
    async def work() -> None:
        deadlines, waiting, gone = Deadlines(asyncio.get_running_loop().time), list[Late](), list[Late]()
        for millis, stays in steps:
            (waiting if stays else gone).append(Late(deadlines, millis / 1000))
        for one in gone:
            one.ends = math.inf
        await over(*waiting)
        assert [len(one.ended) for one in waiting] == [1] * len(waiting)
        assert not any(one.ended for one in gone)

    asyncio.run(work())
