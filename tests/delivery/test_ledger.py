from __future__ import annotations

import asyncio

import pytest

from hooksd.delivery.ledger import LONGEST_WAIT, Ledger, put_back
from hooksd.errors import JournalBroken, JournalError, JournalFull
from hooksd.journal.memory import MemoryJournal
from hooksd.model.record import AttemptStarted, DaemonStopped, DeliveryEnded, Record
from hooksd.model.stored import BLOB_THRESHOLD, StoredBody
from hooksd.testing import FakeClock
from tests.journal import samples

RECORD = DaemonStopped(at="2026-11-22T00:00:00.000Z", reason="test")


class Unit:
    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.clock = FakeClock()
        self.ledger = Ledger(self.journal, self.clock)


@pytest.fixture
def unit() -> Unit:
    return Unit()


async def test_what_is_written_is_in_the_log(unit: Unit) -> None:
    await unit.ledger.write([RECORD])

    assert unit.journal.records == [RECORD]


async def test_a_full_log_is_asked_again_after_a_growing_wait_and_takes_the_records_once(unit: Unit) -> None:
    unit.journal.fail_with(JournalFull("no room"))

    async with asyncio.TaskGroup() as group:
        writing = group.create_task(unit.ledger.write([RECORD]))
        await unit.clock.advance(3600)
        assert not writing.done()
        unit.journal.fail_with(None)
        await unit.clock.advance(LONGEST_WAIT)

    assert unit.journal.records == [RECORD]


async def test_a_broken_log_is_not_asked_again(unit: Unit) -> None:
    unit.journal.fail_with(JournalBroken("input/output error"))

    with pytest.raises(JournalBroken):
        await unit.ledger.write([RECORD])


def test_what_was_refused_of_a_delivery_is_put_back_in_its_order() -> None:
    created = samples.delivery_created("dlv_1", "")
    started = AttemptStarted(at=samples.AT, delivery="dlv_1", number=1, reason="first")
    ended = DeliveryEnded(at=samples.AT, delivery="dlv_1", endpoint="shop", status="gone", attempts=1)
    records: list[Record] = [ended]

    put_back(records, [created], None)
    assert records == [ended], "it was written"
    put_back(records, [created], JournalFull("no room"))
    put_back(records, [started], JournalFull("no room"))

    assert records == [created, started, ended]


async def test_what_is_handed_in_is_written_together_and_everybody_is_told(unit: Unit) -> None:
    told: list[JournalError | None] = []
    unit.ledger.pass_on()
    unit.ledger.hand_in([RECORD], told.append)
    unit.ledger.hand_in([RECORD, RECORD], told.append)
    assert unit.journal.records == []

    unit.ledger.pass_on()
    await unit.clock.settle()

    assert (unit.journal.records, told) == ([RECORD] * 3, [None, None])


async def test_who_makes_an_error_when_told_does_not_keep_the_others_from_being_told(unit: Unit) -> None:
    told: list[JournalError | None] = []
    reports: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context["exception"]))
    bug = ZeroDivisionError()

    def wrong(_: JournalError | None) -> None:
        raise bug

    unit.ledger.hand_in([RECORD], wrong)
    unit.ledger.hand_in([RECORD], told.append)
    unit.ledger.pass_on()
    await unit.clock.settle()

    assert (told, reports) == ([None], [bug])


async def test_who_handed_something_in_is_told_why_it_was_refused(unit: Unit) -> None:
    refusal = JournalFull("no room")
    told: list[JournalError | None] = []
    unit.journal.fail_with(refusal)

    unit.ledger.hand_in([RECORD], told.append)
    unit.ledger.pass_on()

    assert told == [refusal]


async def test_what_is_taken_from_a_list_is_in_it_again_when_it_was_refused(unit: Unit) -> None:
    created = samples.delivery_created("dlv_1", "")
    started = AttemptStarted(at=samples.AT, delivery="dlv_1", number=1, reason="first")
    ended = DeliveryEnded(at=samples.AT, delivery="dlv_1", endpoint="shop", status="gone", attempts=1)
    unwritten: list[Record] = [created, started]

    unit.ledger.take_from(unwritten)
    unit.journal.fail_with(JournalFull("no room"))
    unwritten.append(ended)
    unit.ledger.pass_on()
    assert unwritten == [created, started, ended]

    unit.journal.fail_with(None)
    unit.ledger.take_from(unwritten)
    unit.ledger.pass_on()
    await unit.clock.settle()
    assert (unwritten, unit.journal.records) == ([], [created, started, ended])


def test_a_body_that_is_a_blob_is_not_at_hand(unit: Unit) -> None:
    assert unit.ledger.body_at_hand(StoredBody(media="", size=9, encoding="blob", content="sha256:00")) is None
    assert unit.ledger.body_at_hand(StoredBody(media="", size=0, encoding="none")) == b""


@pytest.mark.parametrize("size", [0, 1, BLOB_THRESHOLD, BLOB_THRESHOLD + 1])
async def test_a_body_comes_back_byte_for_byte_whatever_its_size(unit: Unit, size: int) -> None:
    body = b"\xff" * size

    kept = await unit.ledger.keep("image/png", body)

    assert (kept.encoding == "blob") == (size > BLOB_THRESHOLD)
    assert await unit.ledger.body(kept) == body


async def test_a_blob_waits_for_room_too(unit: Unit) -> None:
    unit.journal.fail_with(JournalFull("no room"))

    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(unit.ledger.keep("text/plain", b"x" * 70_000))
        await unit.clock.advance(10)
        unit.journal.fail_with(None)
        await unit.clock.advance(LONGEST_WAIT)

    assert keeping.result().encoding == "blob"


async def test_a_lost_blob_is_a_key_error(unit: Unit) -> None:
    with pytest.raises(KeyError):
        await unit.ledger.body(StoredBody(media="", size=9, encoding="blob", content="sha256:00"))
