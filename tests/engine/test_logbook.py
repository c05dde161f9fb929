from __future__ import annotations

import asyncio

import pytest

from hooksd.engine.logbook import Logbook
from hooksd.errors import JournalBroken, JournalFull
from hooksd.journal.memory import MemoryJournal
from hooksd.model.record import RunStarted
from hooksd.testing import FakeClock

RECORD = RunStarted(at="2026-11-22T12:00:00.000Z", run="run_1", workflow="w", revision="r")


async def test_records_wait_for_room_at_most_five_seconds_too_long() -> None:
    clock = FakeClock()
    journal = MemoryJournal()
    journal.fail_with(JournalFull("no room"))
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(Logbook(journal, clock).write((RECORD,)))
        await clock.advance(3600)
        assert not writing.done()
        journal.fail_with(None)
        await clock.advance(5)

        assert writing.done()
        assert journal.records == [RECORD]


async def test_a_broken_log_is_not_waited_for() -> None:
    journal = MemoryJournal()
    journal.fail_with(JournalBroken("EIO"))

    with pytest.raises(JournalBroken):
        await Logbook(journal, FakeClock()).keep(b"x")
