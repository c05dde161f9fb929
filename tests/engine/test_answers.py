from __future__ import annotations

import asyncio

from hooksd.engine.answers import KEPT, Answers
from hooksd.engine.patience import Patience
from hooksd.engine.ports import Response
from hooksd.model.ids import EventId
from hooksd.testing import FakeClock

EVENT = EventId("evt_1")
YES = Response(status=200, headers={}, body="yes")
NO = Response(status=200, headers={}, body="no")


async def test_the_first_answer_wins_and_everybody_gets_it() -> None:
    clock = FakeClock()
    patience = Patience(clock)
    answers = Answers(patience)
    answers.expect(EVENT, 2)
    async with asyncio.TaskGroup() as tasks:
        callers = [tasks.create_task(answers.wait(EVENT, 10)) for _ in range(2)]
        await clock.settle()
        answers.give(EVENT, YES)
        answers.give(EVENT, NO)

    assert [caller.result() for caller in callers] == [YES, YES]


async def test_the_last_run_to_end_sends_callers_away() -> None:
    clock = FakeClock()
    patience = Patience(clock)
    answers = Answers(patience)
    answers.expect(EVENT, 2)
    async with asyncio.TaskGroup() as tasks:
        caller = tasks.create_task(answers.wait(EVENT, 10))
        await clock.settle()
        answers.release(EVENT)
        await clock.settle()
        assert not caller.done()
        answers.release(EVENT)

    assert caller.result() is None
    assert clock.monotonic() == 0


async def test_closing_sends_callers_away() -> None:
    clock = FakeClock()
    patience = Patience(clock)
    answers = Answers(patience)
    answers.expect(EVENT, 1)
    async with asyncio.TaskGroup() as tasks:
        caller = tasks.create_task(answers.wait(EVENT, 10))
        await clock.settle()
        answers.close()

    assert caller.result() is None


async def test_answers_are_kept_for_a_while_and_not_for_ever() -> None:
    answers = Answers(Patience(FakeClock()))
    for number in range(KEPT + 1):
        event = EventId(f"evt_{number}")
        answers.expect(event, 1)
        answers.give(event, YES)
        answers.release(event)

    assert await answers.wait(EventId(f"evt_{KEPT}"), 10) == YES
    assert await answers.wait(EventId("evt_0"), 10) is None


async def test_an_answer_nobody_can_wait_for_is_let_go() -> None:
    answers = Answers(Patience(FakeClock()))
    answers.give(EVENT, YES)
    answers.release(EVENT)

    assert await answers.wait(EVENT, 10) is None
