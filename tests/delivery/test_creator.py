from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace

import orjson
import pytest

from hooksd.delivery.creator import Creator
from hooksd.delivery.entry import Entry
from hooksd.delivery.ledger import Ledger
from hooksd.delivery.multipart import MEDIA, multipart
from hooksd.errors import JournalFull
from hooksd.model.effect import Deliver
from hooksd.model.ids import DeliveryId
from hooksd.model.received import ReceivedFile
from hooksd.model.record import DeliveryCreated
from hooksd.model.stored import BLOB_THRESHOLD
from tests.delivery.house import House, effect, endpoint, snapshot


class Unit:
    def __init__(self, house: House) -> None:
        self.house = house
        self.ready: list[Entry] = []
        self.spawned: list[Coroutine[None, None, None]] = []
        self.ledger = Ledger(house.journal, house.clock)
        self.creator = Creator(
            ledger=self.ledger,
            clock=house.clock,
            current=lambda: house.snapshot,
            ready=self.ready.extend,
            spawn=self.spawned.append,
        )

    def create(self, *entries: Entry, what: Deliver | None = None) -> list[Entry]:
        self.creator.ask(what or effect(), entries)
        free = self.creator.create()
        self.ledger.pass_on()
        return free

    def created(self) -> list[DeliveryCreated]:
        return [record for record in self.house.journal.records if isinstance(record, DeliveryCreated)]


def entry(number: int = 1, *, is_durable: bool = False) -> Entry:
    return Entry(DeliveryId(f"dlv_{number}"), ("run_1", "send", "shop"), None, is_durable=is_durable)


@pytest.fixture
def unit(house: House) -> Unit:
    return Unit(house)


async def test_what_a_step_asks_for_waits_for_its_turn_when_it_is_in_the_log(unit: Unit) -> None:
    one, other = entry(1), entry(2)

    assert unit.create(one, other) == []
    assert unit.ready == []
    await unit.house.clock.settle()

    assert unit.ready == [one, other]
    assert [record.delivery for record in unit.created()] == [one.id, other.id]
    assert (one.unwritten, one.is_durable, one.known.due) == ([], True, unit.house.clock.now())


async def test_each_delivery_holds_what_it_was_given_though_others_are_created_together_with_it(unit: Unit) -> None:
    body = b'{"order":1}'
    given = [("application/json", body), ("application/json", body), ("text/plain", body), ("text/plain", b"other")]
    entries = [entry(number) for number in range(len(given))]

    for (media, raw), one in zip(given, entries, strict=True):
        unit.creator.ask(effect(media=media, body=raw), [one])
    unit.creator.create()
    unit.ledger.pass_on()

    kept = [record.body for record in unit.created()]
    assert [(stored.media, await unit.ledger.body(stored)) for stored in kept] == given


async def test_what_the_log_promises_may_leave_at_once_and_takes_its_record_along(unit: Unit) -> None:
    one = entry(is_durable=True)

    assert unit.create(one) == [one]

    assert unit.created() == []
    assert [record.type for record in one.unwritten] == ["delivery.created"]


async def test_what_waits_for_the_log_before_its_attempt_does_not_wait_twice(unit: Unit) -> None:
    unit.house.snapshot = snapshot(endpoint("shop", at_most_once=True))
    one = entry()

    assert unit.create(one) == [one]

    assert (unit.created(), one.is_durable) == ([], False)


async def test_what_does_not_leave_at_once_is_written_while_it_waits(unit: Unit) -> None:
    one = entry(is_durable=True)

    unit.creator.keep(unit.create(one))
    unit.ledger.pass_on()
    assert one.unwritten == []
    await unit.house.clock.settle()

    assert [record.delivery for record in unit.created()] == [one.id]
    assert one.is_durable


async def test_what_a_full_log_refuses_while_it_waits_is_written_with_its_first_attempt(unit: Unit) -> None:
    unit.house.snapshot = snapshot(endpoint("shop", at_most_once=True))
    unit.house.journal.fail_with(JournalFull("no room"))
    one, promised = entry(1), entry(2, is_durable=True)

    unit.creator.keep(unit.create(one, promised))
    unit.ledger.pass_on()
    await unit.house.clock.settle()

    assert (one.unwritten, one.is_durable) == ([one.known.created], False)
    assert (promised.unwritten, promised.is_durable) == ([promised.known.created], True)


async def test_a_full_log_is_asked_until_it_takes_what_a_step_asks_for(unit: Unit) -> None:
    unit.house.journal.fail_with(JournalFull("no room"))
    one = entry()

    unit.create(one)
    await unit.house.clock.settle()
    assert unit.ready == []
    unit.house.journal.fail_with(None)
    for work in unit.spawned:
        await work

    assert unit.ready == [one]
    assert [record.delivery for record in unit.created()] == [one.id]


async def test_a_long_body_is_beside_the_log_before_the_record_that_names_it(unit: Unit) -> None:
    one = entry(is_durable=True)
    body = orjson.dumps("x" * BLOB_THRESHOLD)

    assert unit.create(one, what=effect(body=body)) == []
    for work in unit.spawned:
        await work

    (record,) = unit.created()
    assert unit.house.journal.blobs[record.body.content] == body
    assert unit.ready == [one]


def upload(digest: str, body: bytes = b'{"a":"1"}') -> Deliver:
    """Return a form with a file, as `delivery.format` leaves it."""
    file = ReceivedFile(field="doc", name="a.pdf", filename="a.pdf", media="application/pdf", size=4, digest=digest)
    return replace(effect(media=MEDIA, body=body), files={"doc": file})


async def test_the_files_of_an_event_are_part_of_the_form_that_every_attempt_sends(unit: Unit) -> None:
    digest = await unit.house.journal.put_blob(b"%PDF")
    one = entry()

    assert unit.create(one, what=upload(digest)) == []
    for work in unit.spawned:
        await work

    body = multipart({"a": "1"}, [(upload(digest).files["doc"], b"%PDF")])[1]
    assert await unit.ledger.body(one.known.created.body) == body
    assert one.known.created.body.media.startswith("multipart/form-data; boundary=")


async def test_a_file_that_is_gone_is_told_by_the_attempts_so_that_there_is_an_end(unit: Unit) -> None:
    gone = "sha256:" + "00" * 32
    one = entry()

    unit.create(one, what=upload(gone))
    for work in unit.spawned:
        await work

    assert (one.known.created.body.encoding, one.known.created.body.content) == ("blob", gone)
    assert unit.ready == [one]
