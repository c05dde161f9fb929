from __future__ import annotations

import asyncio
import gc

import pytest

from hooksd.errors import JournalBroken, JournalFull
from hooksd.journal.receipt import Receipt, settled


async def test_awaiting_ends_when_it_is_settled_and_not_before() -> None:
    receipt = Receipt()
    seen: list[str] = []

    async def wait() -> None:
        await receipt
        seen.append("durable")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(wait())
        await asyncio.sleep(0)
        assert seen == []
        receipt.settle(None)
    assert seen == ["durable"]


async def test_a_settled_receipt_is_awaited_at_once() -> None:
    receipt = Receipt()
    receipt.settle(None)

    await receipt


async def test_everyone_gets_the_error_as_an_exception_of_their_own() -> None:
    receipt = settled(JournalFull("no room"))
    caught = []
    for _ in range(2):
        try:
            await receipt
        except JournalFull as error:
            caught.append(error)

    assert [str(error) for error in caught] == ["no room", "no room"]
    assert caught[0] is not caught[1]


async def test_cancelling_one_waiter_leaves_the_others_waiting() -> None:
    receipt = Receipt()

    async def wait() -> None:
        await receipt

    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(wait())
        second = tasks.create_task(wait())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        assert first.cancelled()
        assert not second.done()
        receipt.settle(None)


async def test_the_first_word_counts() -> None:
    receipt = Receipt()
    receipt.settle(None)
    receipt.settle(JournalBroken("too late"))

    await receipt


async def test_an_error_that_nobody_awaits_is_not_reported_as_a_bug() -> None:
    reports: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))
    receipt = settled(JournalFull("no room"))
    del receipt
    gc.collect()
    await asyncio.sleep(0)

    assert reports == []


async def test_an_error_reaches_those_who_wait_already() -> None:
    receipt = Receipt()
    asyncio.get_running_loop().call_soon(receipt.settle, JournalBroken("gone"))

    with pytest.raises(JournalBroken, match="gone"):
        await receipt


async def test_functions_are_told_in_order_when_it_is_settled_and_at_once_afterwards() -> None:
    receipt, told = Receipt(), list[object]()
    error = JournalFull("no room")
    receipt.then(lambda why: told.append(("first", why)))
    receipt.then(lambda why: told.append(("second", why)))
    assert told == []

    receipt.settle(error)
    receipt.then(lambda why: told.append(("late", why)))

    assert told == [("first", error), ("second", error), ("late", error)]


async def test_a_function_with_a_bug_is_reported_and_does_not_keep_the_others_from_being_told() -> None:
    receipt, told, reports = Receipt(), list[object](), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context["exception"]))
    bug = RuntimeError("a bug")

    def stumble(_: object) -> None:
        raise bug

    receipt.then(stumble)
    receipt.then(told.append)
    receipt.settle(None)

    assert told == [None]
    assert reports == [bug]
