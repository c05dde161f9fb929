from __future__ import annotations

import asyncio
import time

from hooksd.engine.turnstile import FEW, GAP, OneByOne, Turnstile


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


async def test_when_many_wait_those_who_come_go_first_and_nobody_stands_still() -> None:
    gone: list[int] = []
    turnstile = Turnstile(gone.append, at_once=2, few=5)
    began = time.monotonic()
    came = 0
    while time.monotonic() - began < 0.3:
        for _ in range(5):
            turnstile.add(came)
            came += 1
        await asyncio.sleep(0)
    took = time.monotonic() - began

    assert 2 <= len(gone) <= took / GAP + 10
    assert len(turnstile) == came - len(gone)


async def test_when_nobody_comes_any_more_all_go_on() -> None:
    gone: list[int] = []
    turnstile = Turnstile(gone.append, few=5)
    for number in range(2000):
        turnstile.add(number)

    async with asyncio.timeout(5):
        while len(turnstile):
            await asyncio.sleep(0.001)

    assert gone == list(range(2000))


async def test_one_task_goes_through_in_one_turn_and_a_cancelled_one_holds_up_nobody() -> None:
    turnstile = OneByOne()
    through: list[int] = []
    turns = 0

    async def go() -> None:
        await turnstile.turn()
        through.append(turns)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(go()) for _ in range(6)]
        await asyncio.sleep(0)
        tasks[2].cancel()
        while len(through) < 5:
            turns += 1
            await asyncio.sleep(0)

    assert len(set(through)) == 5
