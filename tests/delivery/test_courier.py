from __future__ import annotations

from dataclasses import replace

import pytest

from hooksd.delivery.attempt import Attempted
from hooksd.delivery.courier import Courier
from hooksd.delivery.entry import Entry
from hooksd.delivery.gates import Gates
from hooksd.delivery.ledger import Ledger
from hooksd.delivery.multipart import MEDIA, multipart
from hooksd.delivery.policy import Over
from hooksd.delivery.request import Prepared
from hooksd.model.effect import Deliver
from hooksd.model.ids import DeliveryId
from hooksd.model.received import ReceivedFile
from hooksd.telemetry.observer import Observer
from tests.delivery.house import House, answered, effect, endpoint, snapshot

SHOP = ("run_1", "send", "shop")


class Unit:
    def __init__(self, house: House) -> None:
        self.house = house
        self.observer = Observer()
        self.courier = Courier(
            ledger=Ledger(house.journal, house.clock),
            clock=house.clock,
            current=lambda: house.snapshot,
            sender=house.sender,
            gates=Gates(journal=house.journal, clock=house.clock, current=lambda: house.snapshot),
            jitter=lambda: 0.0,
            observer=self.observer,
        )

    async def create(self) -> Entry:
        entry = Entry(DeliveryId("dlv_1"), SHOP, None)
        await self.courier.create([(effect(), [entry])])
        return entry


@pytest.fixture
def unit(house: House) -> Unit:
    return Unit(house)


async def test_a_created_delivery_is_in_the_log_and_due(unit: Unit) -> None:
    entry = await unit.create()

    assert unit.house.kinds() == ["delivery.created"]
    assert entry.known.due == unit.house.clock.now()


async def test_a_failed_attempt_says_when_the_next_is_due(unit: Unit) -> None:
    unit.house.sender.answers = [500]
    entry = await unit.create()

    await unit.courier.attempt(entry, lambda: None)

    assert (entry.known.ended, entry.known.due) == (None, unit.house.clock.now() + 2)


async def test_the_last_attempt_and_the_end_are_written_together(unit: Unit) -> None:
    entry = await unit.create()

    await unit.courier.attempt(entry, lambda: None)

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
    entry = await unit.create()

    await unit.courier.attempt(entry, lambda: None)

    assert entry.known.ended is None


async def test_an_end_can_be_written_alone(unit: Unit) -> None:
    entry = await unit.create()

    await unit.courier.end(entry, Over(status="exhausted"))

    assert unit.house.kinds() == ["delivery.created", "delivery.ended"]
    assert entry.known.ended is not None


async def test_attempts_and_ends_are_counted(unit: Unit) -> None:
    unit.house.sender.answers = [500, 200]
    entry = await unit.create()

    await unit.courier.attempt(entry, lambda: None)
    await unit.courier.attempt(entry, lambda: None)

    text = unit.observer.metrics.render().decode()
    assert 'endpoint="shop",outcome="http_5xx"} 1.0' in text
    assert 'endpoint="shop",outcome="ok"} 1.0' in text
    assert 'endpoint="shop",status="delivered"} 1.0' in text


def upload(digest: str, body: bytes = b'{"a":"1"}') -> Deliver:
    """Return a form with a file, as `delivery.format` leaves it."""
    file = ReceivedFile(field="doc", name="a.pdf", filename="a.pdf", media="application/pdf", size=4, digest=digest)
    return replace(effect(media=MEDIA, body=body), files={"doc": file})


async def test_the_files_of_an_event_are_part_of_the_form_that_every_attempt_sends(unit: Unit) -> None:
    digest = await unit.house.journal.put_blob(b"%PDF")
    entry = Entry(DeliveryId("dlv_1"), SHOP, None)
    unit.house.sender.answers = [500]

    assert unit.courier.needs_blob(upload(digest), [entry])
    await unit.courier.create([(upload(digest), [entry])])
    for _ in range(2):
        await unit.courier.attempt(entry, lambda: None)

    first, second = unit.house.sender.sent
    assert first.body == second.body == multipart({"a": "1"}, [(upload(digest).files["doc"], b"%PDF")])[1]
    assert dict(first.headers)["Content-Type"].startswith("multipart/form-data; boundary=")


async def test_a_file_that_is_gone_is_told_by_the_attempts_so_that_there_is_an_end(unit: Unit) -> None:
    gone = "sha256:" + "00" * 32
    entry = Entry(DeliveryId("dlv_1"), SHOP, None)

    await unit.courier.create([(replace(upload(gone), retry="none"), [entry])])
    await unit.courier.attempt(entry, lambda: None)

    assert unit.house.sender.sent == []
    assert entry.known.ended is not None
    assert (entry.known.ended.status, gone in str(entry.known.ended.error)) == ("exhausted", True)
