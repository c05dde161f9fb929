from __future__ import annotations

import asyncio

import pytest

from hooksd.auth.verdict import Reason
from hooksd.clock import rfc3339
from hooksd.errors import JournalBroken, JournalFull
from hooksd.journal.memory import MemoryJournal
from hooksd.model.record import RequestRefused
from hooksd.telemetry.observer import Observer
from hooksd.testing import FakeClock
from hooksd.web.refusals import Refusals


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def refusals(journal: MemoryJournal, clock: FakeClock) -> Refusals:
    return Refusals(journal=journal, clock=clock, observer=Observer())


def refuse(refusals: Refusals, times: int = 1, *, reason: Reason = "bad_signature", peer: str = "192.0.2.1") -> None:
    for _ in range(times):
        refusals.add(webhook="github", reason=reason, status=401, peer=peer)


async def test_a_flood_of_one_kind_is_one_record_a_second(
    refusals: Refusals, journal: MemoryJournal, clock: FakeClock
) -> None:
    async with asyncio.TaskGroup() as group:
        flushing = group.create_task(refusals.run())
        refuse(refusals, 1000)
        refuse(refusals, peer="192.0.2.9")
        await clock.advance(1.0)
        refuse(refusals, 3)
        await clock.advance(5.0)
        flushing.cancel()

    refused = [record for record in journal.records if isinstance(record, RequestRefused)]
    assert [(record.count, record.peer) for record in refused] == [(1001, "192.0.2.9"), (3, "192.0.2.1")]
    assert refused[0].webhook == "github"
    assert refused[0].reason == "bad_signature"
    assert refused[0].at == rfc3339(clock.now() - 5.0)


async def test_reasons_are_kept_apart(refusals: Refusals, journal: MemoryJournal) -> None:
    refuse(refusals)
    refuse(refusals, reason="stale_timestamp")

    await refusals.flush()

    assert len(journal.records) == 2


async def test_nothing_is_written_when_nothing_was_refused(refusals: Refusals, journal: MemoryJournal) -> None:
    await refusals.flush()

    assert journal.records == []


async def test_what_a_full_log_did_not_take_is_written_later(refusals: Refusals, journal: MemoryJournal) -> None:
    refuse(refusals, 2)
    refuse(refusals, reason="stale_timestamp")
    journal.fail_with(JournalFull("no room"))
    await refusals.flush()
    refuse(refusals, 3, peer="192.0.2.9")
    journal.fail_with(None)

    await refusals.flush()

    refused = {record.reason: record for record in journal.records if isinstance(record, RequestRefused)}
    assert refused["bad_signature"].count == 5
    assert refused["bad_signature"].peer == "192.0.2.9"
    assert refused["stale_timestamp"].count == 1


async def test_a_broken_log_ends_the_task(refusals: Refusals, journal: MemoryJournal) -> None:
    refuse(refusals)
    journal.fail_with(JournalBroken("input/output error"))

    with pytest.raises(JournalBroken):
        await refusals.flush()
