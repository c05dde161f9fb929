"""How things stand with an endpoint, for people: what holds it, what is on its way to it, what it said last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hooksd.delivery.agenda import Agenda
from hooksd.delivery.entry import CALL, Entry
from hooksd.delivery.gate import Hold, Last
from hooksd.delivery.gates import Gates

BreakerState = Literal["closed", "open", "probing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One endpoint."""

    hold: Hold | None
    """Why deliveries wait, the most lasting reason first."""
    breaker: BreakerState
    failures: int
    """In a row."""
    in_flight: int
    """Attempts under way, calls included."""
    waiting: int
    """Deliveries that are due and wait for their turn."""
    pending: int
    """Deliveries without an end, those two included."""
    last: Last | None


def standing(endpoint: str, gates: Gates, agenda: Agenda[Entry], pending: int) -> Standing:
    """Return how things stand with an endpoint.

    Args:
        endpoint: Its name.
        gates: All gates.
        agenda: Who waits for a turn.
        pending: How many deliveries to it have no end.
    """
    breaker = gates.breaker(endpoint)
    return Standing(
        hold=gates.held(endpoint),
        breaker="probing" if breaker.is_probing else "open" if breaker.is_open else "closed",
        failures=breaker.failures,
        in_flight=agenda.in_flight(endpoint) + agenda.in_flight(f"{CALL}{endpoint}"),
        waiting=agenda.waiting(endpoint),
        pending=pending,
        last=gates.last(endpoint),
    )
