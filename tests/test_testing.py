from __future__ import annotations

import asyncio

import pytest

from hooksd.engine.commands import Attempt
from hooksd.model.effect import Performed, StartProcess
from hooksd.model.step import verb_of
from hooksd.model.trust import Trust
from hooksd.testing import NOON, FakeClock, FakeIds, Playbook, RecordingPerformer, event_of, snapshot_of, workflow_of

EFFECT = StartProcess(argv=("x",), env={}, stdin=b"", cwd="/", timeout=1.0)
DEPLOY = {"steps": [{"id": "build", "run": ["make"]}, {"id": "ship", "send": "shop"}]}


async def test_a_clock_moves_only_when_it_is_told() -> None:
    clock = FakeClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sleeper("late", 10))
        tasks.create_task(sleeper("early", 5))
        await clock.settle()
        assert (clock.sleeping, clock.next_due) == (2, NOON + 5)
        await clock.advance(7)
        assert woken == [("early", 5)]
        assert clock.now() == NOON + 7
        await clock.advance(3)

    assert woken == [("early", 5), ("late", 10)]
    assert clock.next_due is None


async def test_a_sleeper_that_sleeps_again_is_woken_at_each_of_its_times() -> None:
    clock = FakeClock()
    period = 2.0
    times: list[float] = []

    async def ticking() -> None:
        while len(times) < 3:
            await clock.sleep(period)
            times.append(clock.monotonic())

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ticking())
        await clock.advance(10)

    assert times == [2, 4, 6]


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = FakeClock()
    async with asyncio.TaskGroup() as tasks:
        due = 5.0
        task = tasks.create_task(clock.sleep(due))
        await clock.settle()
        task.cancel()
        await clock.settle()

        assert clock.sleeping == 0
        await clock.advance(10)


async def test_no_time_at_all_is_slept_at_once() -> None:
    await FakeClock().sleep(-1)


def test_identifiers_repeat_from_test_to_test_and_rise_within_one() -> None:
    ids = FakeIds()
    made = [ids.run(), ids.run(), ids.run()]

    assert made == sorted(made)
    assert FakeIds().run() == made[0]


async def test_a_performer_answers_as_it_was_told_and_then_succeeds() -> None:
    failed = Performed(ok=False)
    performer = RecordingPerformer(failed, lambda effect: Performed(ok=True, output=type(effect).__name__))

    answers = [await performer.perform(EFFECT) for _ in range(3)]

    assert answers == [failed, Performed(ok=True, output="StartProcess"), Performed(ok=True, code=0)]
    assert performer.effects == [EFFECT] * 3


async def test_a_held_performer_takes_for_ever_and_remembers_who_gave_up() -> None:
    performer = RecordingPerformer()
    performer.hold()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(performer.perform(EFFECT))
        await FakeClock().settle()
        assert not task.done()
        task.cancel()

    assert performer.cancelled == [EFFECT]


def test_definitions_and_events_are_made_from_what_a_file_says() -> None:
    snapshot = snapshot_of({"workflows": {"w": {"on": "x", "steps": [{"sleep": "1s"}]}}, "roles": {"r": {}}})
    workflow = workflow_of(DEPLOY, "w")

    assert set(snapshot.workflows) == {"w"}
    assert set(snapshot.roles) == {"r"}
    assert [verb_of(step.value) for step in workflow.steps] == ["run", "send"]
    assert event_of({"a": 1}, trust=Trust.TOKEN, webhook="shop").source == "webhook/shop"


def test_a_playbook_follows_a_run_to_its_end() -> None:
    (
        Playbook(DEPLOY)
        .does("build", output="made")
        .asks(Attempt(step="ship", number=1))
        .due(3600)
        .began("ship")
        .ended("ship", "failed", error="gave up")
        .ends("failed", step="ship", error="gave up")
    )


def test_a_playbook_that_is_wrong_shows_what_was_wanted_what_was_found_and_what_came_before() -> None:
    with pytest.raises(AssertionError, match="step='build'") as caught:
        Playbook(DEPLOY).asks(Attempt(step="ship", number=1))

    text = str(caught.value)
    assert "RunStarted" in text
    assert text.index("wanted Attempt(step='ship'") < text.index("found  Attempt(step='build'")


def test_a_playbook_does_not_take_another_end_for_the_right_one() -> None:
    with pytest.raises(AssertionError):
        Playbook(DEPLOY).does("build").does("ship").ends("failed")
    with pytest.raises(AssertionError):
        Playbook(DEPLOY).does("build").ends("succeeded")
    with pytest.raises(AssertionError):
        Playbook(DEPLOY).due(60)


async def test_a_call_is_made_when_its_time_has_come_unless_it_was_cancelled() -> None:
    clock = FakeClock()
    made: list[str] = []
    clock.call_later(5, lambda: made.append("first"))
    second = clock.call_later(7, lambda: made.append("second"))
    clock.call_later(0, lambda: made.append("at once"))

    await clock.advance(6)
    assert made == ["at once", "first"]
    second.cancel()
    assert clock.next_due is None
    await clock.advance(6)

    assert made == ["at once", "first"]
