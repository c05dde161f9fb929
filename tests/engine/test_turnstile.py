from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from hooksd.clock import Alarm, SystemClock
from hooksd.engine.turnstile import COST, FEW, IDLE, PAUSE, SHARE, InTurns, Turnstile


async def test_they_go_on_in_the_order_in_which_they_came() -> None:
    gone: list[int] = []
    turnstile = Turnstile(gone.append)

    for number in range(FEW):
        turnstile.add(number)
    assert gone == []
    while len(turnstile):
        await asyncio.sleep(0)

    assert gone == list(range(FEW))


async def test_only_some_go_on_in_one_turn_of_the_loop() -> None:
    gone: list[int] = []
    turnstile = Turnstile(gone.append, at_once=3)
    for number in range(10):
        turnstile.add(number)

    sizes = []
    while len(turnstile):
        before = len(gone)
        await asyncio.sleep(0)
        sizes.append(len(gone) - before)

    assert max(sizes) == 3


class Loop(SystemClock):
    """What an event loop does in one turn, on a clock of its own."""

    def __init__(self) -> None:
        self.time = 0.0
        self.gone: list[int] = []
        self.waited_for: object | None = None
        self.turnstile = Turnstile(self.gone.append, few=5, clock=self, waited_for=lambda: self.waited_for)
        self.looks = 0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def monotonic(self) -> float:
        self.looks += 1
        return self.time

    def call_later(self, seconds: float, function: Callable[[], None]) -> Alarm:
        self._due.append((self.time + seconds, function))
        return asyncio.get_running_loop().call_soon(int)  # nobody cancels it

    async def turns(self, count: int, *, seconds: float, arrivals: int = 0) -> None:
        for turn in range(count):
            for _ in range(arrivals):
                self.turnstile.add(turn)
            self.time += seconds
            await asyncio.sleep(0)
            due = [function for when, function in self._due if when <= self.time]
            self._due = [(when, function) for when, function in self._due if when > self.time]
            for function in due:
                function()


@pytest.mark.parametrize("seconds", [0.0005, 0.005, 0.05])
async def test_when_many_wait_and_the_loop_is_busy_they_get_a_fixed_share_of_its_time(seconds: float) -> None:
    loop = Loop()
    await loop.turns(2, seconds=seconds, arrivals=100)
    before = len(loop.gone)

    await loop.turns(1000, seconds=seconds, arrivals=1)

    most = min(1000 * seconds * SHARE / COST, 1000)
    assert most * 0.9 <= len(loop.gone) - before <= most * 1.1 + 1


async def test_when_many_wait_and_the_loop_has_nothing_else_to_do_one_goes_on_in_every_turn() -> None:
    loop = Loop()
    for number in range(1000):
        loop.turnstile.add(number)

    await loop.turns(995, seconds=IDLE / 2)
    assert len(loop.gone) >= 990
    await loop.turns(10, seconds=IDLE / 2)

    assert loop.gone == list(range(1000))


async def test_a_busy_loop_is_not_asked_in_every_turn_and_one_that_rests_again_is_made_use_of() -> None:
    loop = Loop()
    await loop.turns(3, seconds=2 * IDLE, arrivals=100)
    before = loop.looks
    await loop.turns(1000, seconds=2 * IDLE)
    assert loop.looks - before <= 3 * 1000 * 2 * IDLE / PAUSE

    gone = len(loop.gone)
    await loop.turns(int(PAUSE / IDLE) + 100, seconds=IDLE / 2)
    assert len(loop.gone) - gone >= 50


async def test_a_loop_without_work_is_busy_while_many_wait_for_one_batch_after_the_other() -> None:
    loop = Loop()
    for number in range(1000):
        loop.turnstile.add(number)

    for turn in range(1000):
        loop.waited_for = turn
        await loop.turns(1, seconds=IDLE / 2)

    most = 1000 * IDLE / 2 * SHARE / COST
    assert most * 0.5 <= len(loop.gone) <= most * 1.1 + 1


async def test_the_time_that_a_slow_disk_takes_is_made_use_of() -> None:
    loop = Loop()
    for number in range(3000):
        loop.turnstile.add(number)

    for turn in range(20):
        loop.waited_for = turn
        await loop.turns(100, seconds=IDLE / 2)  # 5 ms for each batch

    assert len(loop.gone) >= 20 * (100 - 2 * PAUSE / IDLE) * 0.9


async def test_while_the_disk_stands_still_no_more_than_a_few_begin_beyond_the_fixed_share() -> None:
    loop = Loop()
    loop.waited_for = "a batch"
    for number in range(1000):
        loop.turnstile.add(number)

    await loop.turns(2000, seconds=IDLE / 2)

    share = 2000 * IDLE / 2 * SHARE / COST
    assert FEW <= len(loop.gone) <= FEW + share + 2


async def test_few_never_wait_for_others_who_wait() -> None:
    loop = Loop()
    loop.waited_for = "a batch"
    for number in range(5):
        loop.turnstile.add(number)

    await loop.turns(2, seconds=IDLE / 2)

    assert loop.gone == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("at_once", [1, 4])
async def test_a_few_tasks_go_through_in_one_turn_and_a_cancelled_one_holds_up_nobody(at_once: int) -> None:
    turnstile = InTurns(at_once)
    through: list[int] = []
    turns = 0

    async def go() -> None:
        await turnstile.turn()
        through.append(turns)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(go()) for _ in range(11)]
        await asyncio.sleep(0)
        tasks[2].cancel()
        while len(through) < 10:
            turns += 1
            await asyncio.sleep(0)

    assert max(Counter(through).values()) == at_once
