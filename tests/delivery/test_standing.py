from __future__ import annotations

import pytest

from hooksd.delivery.agenda import Agenda
from hooksd.delivery.breaker import CONSECUTIVE, FIRST_REST
from hooksd.delivery.entry import CALL, Entry
from hooksd.delivery.gates import Gates
from hooksd.delivery.standing import BreakerState, standing
from hooksd.journal.memory import MemoryJournal
from hooksd.testing import FakeClock
from tests.delivery.house import endpoint, snapshot


@pytest.mark.parametrize("state", ["closed", "open", "probing"])
async def test_an_endpoint_shows_its_breaker_and_what_is_on_its_way(state: BreakerState) -> None:
    clock = FakeClock()
    gates = Gates(journal=MemoryJournal(), clock=clock, current=lambda: snapshot(endpoint("shop")))
    agenda: Agenda[Entry] = Agenda(total=10, each=lambda _name: 3)
    agenda.push_in(agenda.turn("shop"))
    agenda.push_in(agenda.turn(f"{CALL}shop"))
    for _ in range(0 if state == "closed" else CONSECUTIVE):
        gates.learned("shop", clock.now(), outcome="refused", status=None, patience=None)
    if state == "probing":
        await clock.advance(FIRST_REST)
        gates.passed("shop", clock.now())

    told = standing("shop", gates, agenda, 7)

    assert told.breaker == state
    assert (told.in_flight, told.waiting, told.pending) == (2, 0, 7)
    assert told.failures == (0 if state == "closed" else CONSECUTIVE)
    assert (told.hold and told.hold.reason) == (None if state == "closed" else "breaker")
    assert (told.last and told.last.outcome) == (None if state == "closed" else "refused")
