from __future__ import annotations

import pytest

from hooksd.errors import JournalFull
from hooksd.journal.memory import MemoryJournal
from tests.journal import conformance, samples


class Memory:
    """Hands what one journal held to the next."""

    def __init__(self) -> None:
        self._last = MemoryJournal()

    def open(self) -> MemoryJournal:
        self._last = MemoryJournal(self._last.records, self._last.blobs)
        return self._last


@pytest.mark.parametrize("promise", conformance.PROMISES, ids=lambda promise: promise.__name__)
async def test_a_journal_in_memory_keeps_what_journals_promise(promise: conformance.Promise) -> None:
    await promise(Memory())


async def test_a_test_can_look_at_the_records() -> None:
    journal = MemoryJournal([samples.refused(1)])
    await journal.append([samples.refused(2)])

    assert journal.records == [samples.refused(1), samples.refused(2)]


async def test_a_test_can_make_it_refuse_and_take_again() -> None:
    journal = MemoryJournal()
    journal.fail_with(JournalFull("no room"))

    with pytest.raises(JournalFull, match="no room"):
        await journal.append([samples.refused(1)])
    with pytest.raises(JournalFull, match="no room"):
        await journal.put_blob(b"x")
    journal.fail_with(None)
    await journal.append([samples.refused(2)])

    assert journal.records == [samples.refused(2)]
    assert journal.blobs == {}


async def test_a_refused_record_that_nobody_waits_for_disturbs_nobody() -> None:
    journal = MemoryJournal()
    journal.fail_with(JournalFull("no room"))

    _ = journal.append([samples.refused()])

    assert journal.records == []
