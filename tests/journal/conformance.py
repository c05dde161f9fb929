"""What every journal promises, whatever it keeps records in. Run by `test_memory` and `test_file`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import orjson
import pytest

from hooksd.errors import JournalBroken, JournalError
from hooksd.journal import codec
from hooksd.journal.protocol import Journal
from hooksd.model.arrival import EventLine
from hooksd.model.record import LogDamaged, Record, SegmentStarted
from hooksd.model.stored import StoredBody
from tests.journal import samples


class Place(Protocol):
    """Where a journal keeps its records, over restarts of the process."""

    def open(self) -> Journal:
        """Return the journal as a new process finds it. The one before has been closed."""
        ...


Promise = Callable[[Place], Awaitable[None]]


def read(journal: Journal) -> list[Record]:
    """Return what recovery reads of the work; journals may add records about themselves."""
    return [record for record in journal.read() if not isinstance(record, SegmentStarted | LogDamaged)]


async def a_new_journal_is_empty(place: Place) -> None:
    journal = place.open()

    assert read(journal) == []
    await journal.close()


async def what_was_appended_is_read_by_the_next_process_in_order(place: Place) -> None:
    first = place.open()
    assert read(first) == []
    written = [samples.refused(number) for number in range(100)]
    await first.append(written[:40])
    for record in written[40:]:
        await first.append([record])
    await first.close()

    second = place.open()
    assert read(second) == written
    await second.close()


async def records_that_nobody_waited_for_are_there_after_a_close(place: Place) -> None:
    first = place.open()
    for number in range(10):
        _ = first.append([samples.refused(number)])
    await first.close()

    second = place.open()
    assert read(second) == [samples.refused(number) for number in range(10)]
    await second.close()


async def records_of_many_tasks_keep_the_order_of_their_calls(place: Place) -> None:
    first = place.open()
    order: list[Record] = []

    async def write(task: int) -> None:
        for number in range(20):
            records: Sequence[Record] = [samples.refused(1000 * task + 2 * number + part) for part in range(2)]
            receipt = first.append(records)
            order.extend(records)
            await receipt

    async with asyncio.TaskGroup() as tasks:
        for task in range(8):
            tasks.create_task(write(task))
    await first.close()

    second = place.open()
    assert read(second) == order
    await second.close()


async def a_result_may_be_awaited_by_several_and_more_than_once(place: Place) -> None:
    journal = place.open()
    receipt = journal.append([samples.refused()])

    async def wait() -> None:
        await receipt

    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(wait())
    await wait()
    await journal.close()


async def cancelling_one_who_waits_does_not_disturb_the_others(place: Place) -> None:
    journal = place.open()
    receipt = journal.append([samples.refused()])

    async def wait() -> str:
        await receipt
        return "durable"

    async with asyncio.TaskGroup() as tasks:
        impatient = tasks.create_task(wait())
        patient = tasks.create_task(wait())
        await asyncio.sleep(0)
        impatient.cancel()
    assert patient.result() == "durable"
    await journal.close()


async def no_records_at_all_are_durable_at_once(place: Place) -> None:
    journal = place.open()
    async with asyncio.timeout(30):
        await journal.append([])
    await journal.close()


async def every_body_comes_back_as_json_data(place: Place) -> None:
    first = place.open()
    raw = b'{"a": [1, 2.5, "\\u00e4", null, true]}'
    body = StoredBody(media="application/json", size=len(raw), encoding="json", content=orjson.Fragment(raw))
    await first.append([samples.accepted(body=body)])
    await first.close()

    second = place.open()
    (record,) = read(second)
    assert record.event.body.content == orjson.loads(raw)  # type: ignore[union-attr] # an event was written
    await second.close()


async def a_record_that_cannot_be_written_is_refused_whole_and_harms_no_other(place: Place) -> None:
    first = place.open()
    bad = samples.accepted(body=StoredBody(media="application/json", size=1, encoding="json", content=2**70))
    with pytest.raises(ValueError, match="cannot be written"):
        await first.append([samples.refused(1), bad])
    await first.append([samples.refused(2)])
    await first.close()

    second = place.open()
    assert read(second) == [samples.refused(2)]
    await second.close()


async def nothing_is_taken_after_a_close(place: Place) -> None:
    journal = place.open()
    await journal.close()

    with pytest.raises(JournalError):
        await journal.append([samples.refused()])
    with pytest.raises(JournalError):
        await journal.put_blob(b"late")


async def closing_twice_is_closing_once(place: Place) -> None:
    journal = place.open()
    await journal.append([samples.refused()])
    await journal.close()
    await journal.close()


async def a_blob_is_found_by_its_digest_by_the_next_process(place: Place) -> None:
    first = place.open()
    digest = await first.put_blob(b"a large body")
    assert digest == "sha256:9ffbf09dc6d8179a48ec104b4ca78c4dd5dfadf5d2f9ec155013d18360b5d13d"
    assert await first.put_blob(b"a large body") == digest
    assert first.blob(digest) == b"a large body"
    await first.close()

    second = place.open()
    assert second.blob(digest) == b"a large body"
    await second.close()


async def a_blob_that_is_not_there_is_a_key_error(place: Place) -> None:
    journal = place.open()

    with pytest.raises(KeyError):
        journal.blob("sha256:" + 64 * "0")
    await journal.close()


async def records_are_read_back_as_the_codec_reads_them(place: Place) -> None:
    first = place.open()
    written: list[Record] = [
        samples.accepted(),
        samples.step_ended(),
        samples.attempt_ended(),
        samples.delivery_created(),
    ]
    await first.append(written)
    await first.close()

    second = place.open()
    assert read(second) == [codec.record_of(orjson.loads(codec.dump(record))) for record in written]
    await second.close()


async def a_function_is_told_when_records_are_durable_or_will_not_be(place: Place) -> None:
    journal = place.open()
    told: list[object] = []
    durable = journal.append([samples.refused(1)])
    durable.then(told.append)
    assert told == []
    await durable
    assert told == [None]

    await journal.close()
    journal.append([samples.refused(2)]).then(told.append)
    assert isinstance(told[1], JournalBroken)


async def an_event_that_is_a_line_already_is_read_as_the_record_that_it_stands_for(place: Place) -> None:
    first = place.open()
    record = samples.accepted("evt_1", ("run_1",))
    await first.append([EventLine(codec.dump(record), record.runs)])
    await first.close()

    second = place.open()
    assert read(second) == [codec.record_of(orjson.loads(codec.dump(record)))]
    await second.close()


PROMISES: tuple[Promise, ...] = (
    a_new_journal_is_empty,
    what_was_appended_is_read_by_the_next_process_in_order,
    records_that_nobody_waited_for_are_there_after_a_close,
    records_of_many_tasks_keep_the_order_of_their_calls,
    a_result_may_be_awaited_by_several_and_more_than_once,
    cancelling_one_who_waits_does_not_disturb_the_others,
    no_records_at_all_are_durable_at_once,
    every_body_comes_back_as_json_data,
    a_record_that_cannot_be_written_is_refused_whole_and_harms_no_other,
    nothing_is_taken_after_a_close,
    closing_twice_is_closing_once,
    a_blob_is_found_by_its_digest_by_the_next_process,
    a_blob_that_is_not_there_is_a_key_error,
    records_are_read_back_as_the_codec_reads_them,
    a_function_is_told_when_records_are_durable_or_will_not_be,
    an_event_that_is_a_line_already_is_read_as_the_record_that_it_stands_for,
)
