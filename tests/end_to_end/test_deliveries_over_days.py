"""Three days of deliveries in a second: the decisions alone, in virtual time, with outages that real receivers have."""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from hooksd.delivery.agenda import Agenda
from hooksd.delivery.gate import OPEN, Gate, Hold, Limits, hold, learned, passed
from hooksd.delivery.policy import Over, TryAgain, next_step, outcome_of
from hooksd.model.record import Outcome

HOUR = 3600.0
DAYS = 72 * HOUR
DELIVERIES = 10_000
ENDPOINTS = [f"endpoint-{number:02}" for number in range(50)]
EACH, TOTAL = 8, 256
LATENCY = 0.2
"""Seconds that an answer takes; an endpoint that is down takes a timeout."""
TIMEOUT = 15.0
FREE = Limits()
FAILURES: list[tuple[Outcome, int | None, float]] = [
    ("timeout_total", None, TIMEOUT),
    ("refused", None, 0.01),
    ("http_5xx", 503, LATENCY),
]


@dataclass(kw_only=True)
class Parcel:
    endpoint: str
    created: float
    failed: int = 0
    sent: int = 0
    ended: float | None = None
    status: str = ""


@dataclass(kw_only=True)
class World:
    """Everything that decides, a clock that jumps, and receivers that are down when it is their turn."""

    chance: random.Random
    outages: dict[str, list[tuple[float, float]]]
    now: float = 0.0
    gates: dict[str, Gate] = field(default_factory=dict)
    parcels: dict[str, Parcel] = field(default_factory=dict)
    attempts: list[tuple[float, str]] = field(default_factory=list)
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)
    agenda: Agenda[str] = field(init=False)

    def __post_init__(self) -> None:
        self.agenda = Agenda(total=TOTAL, each=lambda _: EACH, hold=self._hold)

    def _hold(self, endpoint: str, now: float) -> Hold | None:
        return hold(self.gates.get(endpoint, OPEN), FREE, now)

    def at(self, moment: float, happens: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._order), happens))

    def create(self, name: str, endpoint: str) -> None:
        self.parcels[name] = Parcel(endpoint=endpoint, created=self.now)
        self.agenda.add(name, self.agenda.turn(endpoint), self.now, self.now)

    def is_down(self, endpoint: str) -> bool:
        return any(begin <= self.now < end for begin, end in self.outages.get(endpoint, ()))

    def run(self) -> None:
        while self._events or self.agenda.next_due is not None:
            moments = [self._events[0][0]] if self._events else []
            if self.agenda.next_due is not None:
                moments.append(self.agenda.next_due)
            self.now = max(self.now, min(moments))
            while self._events and self._events[0][0] <= self.now:
                heapq.heappop(self._events)[2]()
            self.agenda.ripen(self.now)
            while (taken := self.agenda.take(self.now)) is not None:
                self._send(taken, self.parcels[taken].endpoint)

    def _send(self, name: str, endpoint: str) -> None:
        assert self.agenda.under_way <= TOTAL
        self.gates[endpoint] = passed(self.gates.get(endpoint, OPEN), FREE, self.now)
        self.parcels[name].sent += 1
        self.attempts.append((self.now, endpoint))
        if self.is_down(endpoint):
            outcome, status, takes = self.chance.choice(FAILURES)
            patience = 60.0 if status == 503 else None
        else:
            status = 500 if self.chance.random() < 0.01 else 200
            outcome, takes, patience = outcome_of(status), LATENCY, None
        self.at(self.now + takes, partial(self._ends, name, outcome, status, patience))

    def _ends(self, name: str, outcome: Outcome, status: int | None, patience: float | None) -> None:
        parcel = self.parcels[name]
        gate = self.gates.get(parcel.endpoint, OPEN)
        self.gates[parcel.endpoint] = learned(gate, self.now, outcome=outcome, status=status, patience=patience)
        self.agenda.done(self.agenda.turn(parcel.endpoint))
        following = next_step(
            outcome=outcome,
            status=status,
            rule="standard",
            attempt=parcel.failed + 1,
            jitter=self.chance.random(),
            patience=patience,
        )
        match following:
            case Over(status=end):
                parcel.ended, parcel.status = self.now, end
            case TryAgain(wait=wait):
                parcel.failed += 1
                self.agenda.add(name, self.agenda.turn(parcel.endpoint), self.now + wait, self.now)


def three_days(outages: dict[str, list[tuple[float, float]]]) -> World:
    chance = random.Random(7)  # noqa: S311 - the same in every run
    world = World(chance=chance, outages=outages)
    for number in range(DELIVERIES):
        endpoint = chance.choice(ENDPOINTS)
        world.at(chance.uniform(0, DAYS), partial(world.create, f"dlv-{number}", endpoint))
    world.run()
    return world


def delays(world: World, *, to: Callable[[str], bool]) -> list[float]:
    return sorted((parcel.ended or 1e9) - parcel.created for parcel in world.parcels.values() if to(parcel.endpoint))


DOWN = {
    ENDPOINTS[0]: [(0.0, 30 * HOUR)],
    ENDPOINTS[1]: [(start * HOUR, (start + 3) * HOUR) for start in (5, 29, 53)],
    ENDPOINTS[2]: [(minutes * 60.0, minutes * 60.0 + 120) for minutes in range(0, 72 * 60, 60)],
    **{name: [(40 * HOUR, 41 * HOUR)] for name in ENDPOINTS[3:20]},
}


def test_nothing_is_lost_in_three_days_with_outages_and_it_takes_seconds_to_know() -> None:
    began = time.process_time()
    world = three_days(DOWN)
    took = time.process_time() - began

    assert len(world.parcels) == DELIVERIES
    assert Counter(parcel.status for parcel in world.parcels.values()) == {"delivered": DELIVERIES}
    assert took < 10


def test_an_endpoint_that_is_down_is_asked_seldom_and_gets_all_when_it_is_back() -> None:
    world = three_days(DOWN)
    asked = [moment for moment, endpoint in world.attempts if endpoint == ENDPOINTS[0] and moment < 30 * HOUR]
    back = [parcel.ended for parcel in world.parcels.values() if parcel.endpoint == ENDPOINTS[0]]

    # About 80 deliveries are created meanwhile, and each would have 8 attempts in 30 hours.
    assert len(asked) <= 30 * 12 + 40
    assert max(moment or 0.0 for moment in back) < DAYS + 24 * HOUR


def test_endpoints_that_work_do_not_notice_those_that_do_not() -> None:
    def works(endpoint: str) -> bool:
        return endpoint not in DOWN

    alone, beside = delays(three_days({}), to=works), delays(three_days(DOWN), to=works)

    assert beside[len(beside) // 2] == alone[len(alone) // 2]
    assert beside[int(len(beside) * 0.97)] <= 1.2 * alone[int(len(alone) * 0.97)]
