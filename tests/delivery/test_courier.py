from __future__ import annotations

import asyncio

import pytest

from hooksd.delivery.attempt import Attempted
from hooksd.delivery.courier import Courier
from hooksd.delivery.creator import Creator
from hooksd.delivery.entry import Conclusion, Entry
from hooksd.delivery.gates import Gates
from hooksd.delivery.ledger import Ledger
from hooksd.delivery.policy import Over
from hooksd.delivery.request import Prepared
from hooksd.errors import JournalFull
from hooksd.model.ids import DeliveryId
from hooksd.model.record import AttemptStarted
from hooksd.telemetry.observer import Observer
from tests.delivery.house import House, answered, effect, endpoint, snapshot

SHOP = ("run_1", "send", "shop")


class Unit:
    def __init__(self, house: House) -> None:
        self.house = house
        self.observer = Observer()
        self.ledger = Ledger(house.journal, house.clock)
        self.creator = Creator(
            ledger=self.ledger,
            clock=house.clock,
            current=lambda: house.snapshot,
            ready=lambda entries: None,
            spawn=lambda work: work.close(),
        )
        self.courier = Courier(
            ledger=self.ledger,
            clock=house.clock,
            current=lambda: house.snapshot,
            sender=house.sender,
            gates=Gates(journal=house.journal, clock=house.clock, current=lambda: house.snapshot),
            jitter=lambda: 0.0,
            observer=self.observer,
        )

    def create(self, *, is_durable: bool = True) -> Entry:
        entry = Entry(DeliveryId("dlv_1"), SHOP, None, is_durable=is_durable)
        self.creator.ask(effect(), [entry])
        self.creator.create()
        return entry

    async def attempt(self, entry: Entry) -> None:
        """Make an attempt, and write down what came of it."""
        started, attempted = await self.sent(entry)
        await self.write(entry, self.courier.conclude(entry, started, attempted))

    async def sent(self, entry: Entry) -> tuple[AttemptStarted, Attempted]:
        """Make an attempt."""
        started = self.courier.begin(entry)
        self.ledger.pass_on()
        return started, await self.courier.attempt(entry, started)

    async def write(self, entry: Entry, conclusion: Conclusion) -> None:
        await self.ledger.write(entry.unwritten)
        self.courier.concluded(entry, conclusion)


@pytest.fixture
def unit(house: House) -> Unit:
    return Unit(house)


async def test_what_the_log_promises_leaves_while_its_records_are_on_their_way(unit: Unit) -> None:
    unit.house.journal.fail_with(JournalFull("no room"))
    entry = unit.create()

    await unit.sent(entry)

    assert len(unit.house.sender.sent) == 1
    assert [record.type for record in entry.unwritten] == ["delivery.created", "attempt.started"]


@pytest.mark.parametrize(("is_durable", "at_most_once"), [(False, False), (True, True)])
async def test_what_must_be_in_the_log_before_anything_leaves_is_waited_for(
    unit: Unit, *, is_durable: bool, at_most_once: bool
) -> None:
    house = unit.house
    house.snapshot = snapshot(endpoint("shop", at_most_once=at_most_once))
    house.journal.fail_with(JournalFull("no room"))
    entry = unit.create(is_durable=is_durable)
    entry.unwritten[:] = [entry.known.created]

    async with asyncio.TaskGroup() as group:
        task = group.create_task(unit.sent(entry))
        await house.clock.advance(100)
        assert house.sender.sent == []
        house.journal.fail_with(None)
        await house.clock.advance(31)
        await task

    assert len(house.sender.sent) == 1
    assert house.kinds() == ["delivery.created", "attempt.started"]
    assert (entry.unwritten, entry.is_durable) == ([], True)


async def test_a_failed_attempt_says_when_the_next_is_due(unit: Unit) -> None:
    unit.house.sender.answers = [500]
    entry = unit.create()

    await unit.attempt(entry)

    assert (entry.known.ended, entry.known.due) == (None, unit.house.clock.now() + 2)


async def test_the_last_attempt_and_the_end_are_written_together(unit: Unit) -> None:
    entry = unit.create()

    await unit.attempt(entry)

    assert unit.house.kinds() == ["delivery.created", "attempt.started", "attempt.ended", "delivery.ended"]
    assert entry.known.ended is not None
    assert (entry.known.ended.status, entry.known.ended.attempts, entry.known.ended.error) == ("delivered", 1, None)


async def test_the_endpoint_as_it_is_when_the_attempt_ends_says_what_follows(unit: Unit) -> None:
    house = unit.house
    house.snapshot = snapshot(endpoint("shop", retry="none"))

    def reloaded_meanwhile(prepared: Prepared) -> Attempted:
        house.snapshot = snapshot(endpoint("shop", retry="quick"))
        return answered(prepared, 500)

    house.sender.answers = [reloaded_meanwhile]
    entry = unit.create()

    await unit.attempt(entry)

    assert entry.known.ended is None


async def test_the_first_attempt_is_begun_as_the_state_of_its_delivery_says(unit: Unit) -> None:
    fresh = unit.create()
    looked_at = unit.create()
    looked_at.know(looked_at.known)
    assert not looked_at.is_fresh

    first, other = unit.courier.begin(fresh), unit.courier.begin(looked_at)

    assert fresh.is_fresh
    assert first == other
    assert (first.number, first.reason) == (1, "first")


async def test_an_end_can_be_written_alone(unit: Unit) -> None:
    entry = unit.create()

    await unit.write(entry, unit.courier.end(entry, Over(status="exhausted")))

    assert unit.house.kinds() == ["delivery.created", "delivery.ended"]
    assert entry.known.ended is not None


async def test_attempts_and_ends_are_counted(unit: Unit) -> None:
    unit.house.sender.answers = [500, 200]
    entry = unit.create()

    await unit.attempt(entry)
    await unit.attempt(entry)

    text = unit.observer.metrics.render().decode()
    assert 'endpoint="shop",outcome="http_5xx"} 1.0' in text
    assert 'endpoint="shop",outcome="ok"} 1.0' in text
    assert 'endpoint="shop",status="delivered"} 1.0' in text
