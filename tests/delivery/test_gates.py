from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hooksd.config.snapshot import Snapshot
from hooksd.delivery.breaker import CLOSED, CONSECUTIVE, ENOUGH, FIRST_REST
from hooksd.delivery.gate import EACH, OPEN, Gate, Last, Limits, hold, learned, passed
from hooksd.delivery.gates import Gates
from hooksd.journal.memory import MemoryJournal
from hooksd.journal.replay import unfinished
from hooksd.model.holding import EndpointHeld, EndpointReleased
from hooksd.model.record import Outcome
from hooksd.testing import FakeClock
from tests.delivery.house import endpoint, snapshot


class Yard:
    def __init__(self, journal: MemoryJournal | None = None) -> None:
        self.clock = FakeClock()
        self.journal = journal or MemoryJournal()
        self.snapshot: Snapshot = snapshot(replace(endpoint("shop"), digest="sha256:1"))
        self.gates = Gates(journal=self.journal, clock=self.clock, current=lambda: self.snapshot)

    @property
    def reason(self) -> str | None:
        held = self.gates.held("shop")
        return held.reason if held else None

    def told(self) -> list[tuple[str, str]]:
        records = [record for record in self.journal.records if isinstance(record, EndpointHeld | EndpointReleased)]
        return [(record.type, record.reason) for record in records]

    def gone(self) -> None:
        self.gates.learned("shop", self.clock.now(), outcome="gone", status=410, patience=None)


async def test_a_suspended_endpoint_is_logged_and_a_changed_definition_resumes_it() -> None:
    yard = Yard()
    yard.gone()
    assert yard.reason == "suspended"

    yard.snapshot = replace(yard.snapshot)
    yard.gates.refresh()
    assert yard.reason == "suspended"
    yard.snapshot = snapshot(replace(endpoint("shop"), digest="sha256:2"))
    yard.gates.refresh()

    assert yard.reason is None
    assert yard.told() == [("endpoint.held", "suspended"), ("endpoint.released", "suspended")]


async def test_a_suspended_endpoint_stays_suspended_over_a_restart_until_its_definition_changes() -> None:
    yard = Yard()
    yard.gone()

    again = Yard(MemoryJournal(yard.journal.records))
    again.gates.recover(unfinished(again.journal.read()).held)
    assert again.reason == "suspended"
    again.snapshot = snapshot(replace(endpoint("shop"), digest="sha256:2"))
    again.gates.refresh()
    assert again.reason is None
    assert unfinished(again.journal.read()).held == ()


async def test_somebody_may_resume_it() -> None:
    yard = Yard()
    yard.gone()

    yard.gates.resume("shop")
    yard.gates.resume("never seen")

    assert yard.reason is None
    assert yard.told()[-1] == ("endpoint.released", "suspended")


async def test_patience_that_a_receiver_asked_for_lasts_over_a_restart() -> None:
    yard = Yard()
    yard.gates.learned("shop", yard.clock.now(), outcome="http_4xx", status=429, patience=100)
    again = Yard(MemoryJournal(yard.journal.records))
    again.gates.recover(unfinished(again.journal.read()).held)

    assert again.reason == "receiver"
    await again.clock.advance(101)
    assert again.reason is None


async def test_a_breaker_is_logged_when_it_opens_and_closes_and_not_for_every_probe() -> None:
    yard = Yard()
    for _ in range(CONSECUTIVE):
        yard.gates.learned("shop", yard.clock.now(), outcome="refused", status=None, patience=None)
    for _ in range(3):
        await yard.clock.advance(10 * FIRST_REST)
        assert yard.gates.hold("shop", yard.clock.now()) is None
        yard.gates.passed("shop", yard.clock.now())
        assert yard.reason == "breaker"
        yard.gates.learned("shop", yard.clock.now(), outcome="refused", status=None, patience=None)
    assert yard.told() == [("endpoint.held", "breaker")]

    await yard.clock.advance(10 * FIRST_REST)
    yard.gates.passed("shop", yard.clock.now())
    yard.gates.learned("shop", yard.clock.now(), outcome="ok", status=200, patience=None)
    assert yard.told()[1:] == [("endpoint.released", "breaker")]


def broken(yard: Yard) -> None:
    for _ in range(CONSECUTIVE):
        yard.gates.learned("shop", yard.clock.now(), outcome="refused", status=None, patience=None)


def next_life(yard: Yard) -> Yard:
    again = Yard(MemoryJournal(yard.journal.records))
    again.gates.recover(unfinished(again.journal.read()).held)
    return again


async def test_a_breaker_that_was_open_is_open_after_a_restart_and_lets_one_probe_through() -> None:
    yard = Yard()
    broken(yard)

    again = next_life(yard)
    assert again.reason == "breaker"
    await again.clock.advance(FIRST_REST)
    assert again.gates.hold("shop", again.clock.now()) is None
    again.gates.passed("shop", again.clock.now())
    assert again.gates.hold("shop", again.clock.now()) is not None

    again.gates.learned("shop", yard.clock.now(), outcome="refused", status=None, patience=None)
    assert again.reason == "breaker"
    await again.clock.advance(10 * FIRST_REST)
    again.gates.passed("shop", again.clock.now())
    again.gates.learned("shop", yard.clock.now(), outcome="ok", status=200, patience=None)
    assert again.told() == [("endpoint.held", "breaker"), ("endpoint.released", "breaker")]
    assert next_life(again).reason is None


async def test_a_breaker_is_forgotten_over_a_restart_when_the_definition_changed_meanwhile() -> None:
    yard = Yard()
    broken(yard)

    again = Yard(MemoryJournal(yard.journal.records))
    again.snapshot = snapshot(replace(endpoint("shop"), digest="sha256:2"))
    again.gates.recover(unfinished(again.journal.read()).held)

    assert again.reason is None
    assert again.told()[-1] == ("endpoint.released", "breaker")


async def test_a_breaker_behind_a_receiver_who_asked_for_patience_is_open_after_a_restart_too() -> None:
    yard = Yard()
    for _ in range(CONSECUTIVE):
        yard.gates.learned("shop", yard.clock.now(), outcome="http_5xx", status=503, patience=5)
    assert sorted(reason for _, reason in yard.told()) == ["breaker", "receiver"]
    assert sorted(yard.gates.holding()) == [("shop", "breaker"), ("shop", "receiver")]

    again = next_life(yard)
    assert again.reason == "receiver"
    await again.clock.advance(6)
    assert again.reason == "breaker"
    assert again.gates.holding() == [("shop", "breaker")]
    again.gates.hold("shop", again.clock.now())
    assert again.told()[2:] == [("endpoint.released", "receiver")]


async def test_limits_are_those_of_the_definition_in_force() -> None:
    yard = Yard()
    assert (yard.gates.most("shop"), yard.gates.most("removed")) == (8, EACH)

    yard.snapshot = snapshot(endpoint("shop", max_in_flight=2, rate="1/1m", enabled=False))
    assert yard.gates.most("shop") == 2
    assert yard.reason == "disabled"
    yard.snapshot = snapshot(endpoint("shop", rate="1/1m"))
    yard.gates.passed("shop", yard.clock.now())
    assert yard.reason == "rate"
    yard.snapshot = snapshot(endpoint("shop"))
    assert yard.reason is None


async def test_a_short_hold_is_not_worth_a_record() -> None:
    yard = Yard()
    yard.snapshot = snapshot(endpoint("shop", rate="10/1s"))
    for _ in range(10):
        yard.gates.passed("shop", yard.clock.now())

    assert yard.gates.hold("shop", yard.clock.now()) is not None
    assert yard.told() == []


ENDED = st.tuples(
    st.sampled_from(("shop", "ledger")),
    st.sampled_from((("ok", 200), ("ok", 204), ("http_5xx", 500), ("http_4xx", 422), ("refused", None), ("gone", 410))),
    st.sampled_from((None, None, None, 5.0, 40.0)),
    st.sampled_from((0.0, 0.0, 0.1, 3.0, 9.9, 31.0, -2.0)),
    st.booleans(),
)
"""Of attempts: where to, how they end, the patience that is asked for, the seconds since the one before, and whether
somebody looks meanwhile."""


@given(attempts=st.lists(ENDED, max_size=60), is_rated=st.booleans())
async def test_a_gate_is_the_fold_of_all_attempts_whether_they_are_counted_together_or_one_by_one(
    attempts: list[tuple[str, tuple[Outcome, int | None], float | None, float, bool]], *, is_rated: bool
) -> None:
    yard = Yard()
    yard.snapshot = snapshot(endpoint("shop", rate=["3/10s"] if is_rated else []), endpoint("ledger"))
    limits = {"shop": Limits(rates=yard.snapshot.endpoints["shop"].value.rate), "ledger": Limits()}
    gates: dict[str, Gate] = {}
    last: dict[str, Last] = {}
    for name, (outcome, status), patience, seconds, somebody_looks in attempts:
        await yard.clock.advance(seconds)
        now, gate = yard.clock.now(), gates.get(name, OPEN)
        held = hold(gate, limits[name], now)
        assert yard.gates.hold(name, now) == held
        if held is None:
            gate = passed(gate, limits[name], now)
            yard.gates.passed(name, now)
        gates[name] = learned(gate, now, outcome=outcome, status=status, patience=patience)
        last[name] = Last(now, outcome, status)
        yard.gates.learned(name, now, outcome=outcome, status=status, patience=patience)
        if somebody_looks:
            assert (yard.gates.breaker(name), yard.gates.last(name)) == (gates[name].breaker, last[name])
            assert yard.gates.held(name) == hold(gates[name], limits[name], now)
    for name, gate in gates.items():
        assert (yard.gates.breaker(name), yard.gates.last(name)) == (gate.breaker, last[name])
        assert yard.gates.held(name) == hold(gate, limits[name], yard.clock.now())


async def test_what_was_counted_of_another_definition_is_forgotten_with_it() -> None:
    yard = Yard()
    for _ in range(ENOUGH):
        yard.gates.learned("shop", yard.clock.now(), outcome="ok", status=200, patience=None)

    yard.snapshot = snapshot(replace(endpoint("shop"), digest="sha256:2"))
    yard.gates.refresh()

    assert yard.gates.breaker("shop") == CLOSED


async def test_a_definition_that_holds_is_in_force_for_an_endpoint_that_nothing_held_until_now() -> None:
    yard = Yard()
    now = yard.clock.now()
    assert yard.gates.hold("shop", now) is None

    yard.snapshot = snapshot(endpoint("shop", rate="1/1m"))
    yard.gates.passed("shop", now)
    assert yard.gates.hold("shop", now) is not None
    yard.snapshot = snapshot(endpoint("shop", enabled=False))
    held = yard.gates.hold("shop", now)
    assert held is not None
    assert held.reason == "disabled"
