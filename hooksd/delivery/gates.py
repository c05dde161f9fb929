"""The gates of all endpoints: values of `delivery.gate`, kept in step with attempts and definitions, and logged.

`delivery.dispatcher` asks before each attempt and tells after it. What lasts over a restart is in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hooksd.clock import Clock, rfc3339, unix
from hooksd.config.snapshot import Snapshot
from hooksd.delivery.breaker import Breaker, slot_of, went_well
from hooksd.delivery.entry import CALL
from hooksd.delivery.gate import OPEN, Gate, Hold, Last, Limits, hold, learned, passed
from hooksd.journal.protocol import Journal
from hooksd.model.holding import EndpointHeld, EndpointReleased, HoldReason
from hooksd.model.record import Outcome

WORTH_NOTING = 1.0
"""Seconds: a hold that is over sooner is not logged."""


class _Good:
    """Attempts that ended well and are not in the gate yet: nothing but how many they were follows from them."""

    __slots__ = ("at", "count", "slot", "status")

    def __init__(self, slot: int) -> None:
        self.slot = slot
        """Of the breaker's window, all of them."""
        self.count = 0
        self.at = 0.0
        self.status: int | None = None
        """Both of the last one."""


class Gates:
    """Who may be called now."""

    def __init__(self, *, journal: Journal, clock: Clock, current: Callable[[], Snapshot]) -> None:
        """Take the world as arguments; they mean what they mean to `Dispatcher`."""
        self._journal = journal
        self._clock = clock
        self._current = current
        self._gates: dict[str, Gate] = {}
        self._noted: dict[str, dict[HoldReason, Hold]] = {}
        """What the log says holds each endpoint. Besides an open breaker, something else may hold it for a while."""
        self._stated: dict[str, str] = {}
        """The fingerprint of each endpoint's definition when its gate was last known to fit it."""
        self._last: dict[str, Last] = {}
        self._known: Snapshot | None = None
        self._limits_of: dict[str, Limits] = {}
        """By endpoint, as far as they were asked for under these definitions."""
        self._free: set[str] = set()
        """Endpoints at whose gate nothing holds and nothing counts under these definitions: nobody need look."""
        self._good: dict[str, _Good] = {}
        """By endpoint whose breaker is closed and knows of no failure in a row."""

    def recover(self, held: Iterable[EndpointHeld]) -> None:
        """Take up what an earlier life knew."""
        for record in held:
            gate = self._gates.get(record.endpoint, OPEN)
            until = None if record.until is None else unix(record.until)
            match record.reason:
                case "suspended":
                    gate = gate._replace(suspended=record.error or "suspended")
                    self._stated[record.endpoint] = record.fingerprint or ""
                case "breaker":
                    gate = gate._replace(breaker=Breaker(until=until or self._clock.now()))
                    self._stated[record.endpoint] = record.fingerprint or ""
                case _:
                    gate = gate._replace(not_before=until or 0.0)
            self._gates[record.endpoint] = gate
            known = self._noted.setdefault(record.endpoint, {})
            known[record.reason] = Hold(reason=record.reason, until=until, error=record.error)
        self.refresh()

    def refresh(self) -> None:
        """Look at definitions that may have changed: one that has is a new beginning for its endpoint."""
        endpoints = self._current().endpoints
        for name in list(self._gates):
            endpoint = endpoints.get(name)
            if endpoint is not None and self._stated.setdefault(name, endpoint.fingerprint) != endpoint.fingerprint:
                self.resume(name)

    def resume(self, endpoint: str) -> None:
        """Forget what is held against an endpoint; its `rate` holds on."""
        self._settle(endpoint)
        gate = self._gates.get(endpoint)
        if gate is not None:
            self._gates[endpoint] = Gate(buckets=gate.buckets)
        self._stated.pop(endpoint, None)
        self._note(endpoint, None)

    def held(self, endpoint: str) -> Hold | None:
        """Return why deliveries to an endpoint wait, for people; None when they do not."""
        return hold(self._gates.get(endpoint, OPEN), self._limits(endpoint), self._clock.now())

    def holding(self) -> list[tuple[str, HoldReason]]:
        """Return the endpoints whose deliveries wait as the log has it, each with every reason that still holds."""
        return [(endpoint, reason) for endpoint in self._noted for reason in self._holds(endpoint, self.held(endpoint))]

    def hold(self, endpoint: str, now: float) -> Hold | None:
        """Return why no attempt may begin; None when one may. Calls pass by."""
        if endpoint in self._free and self._current() is self._known:
            return None
        limits = self._limits(endpoint)
        if limits.is_call:
            self._free.add(endpoint)
            return None
        gate = self._gates.get(endpoint, OPEN)
        found = hold(gate, limits, now)
        if found is not None or gate.breaker.until is not None or endpoint in self._noted:
            self._note(endpoint, found)
        elif not limits.rates and not gate.not_before:
            self._free.add(endpoint)
        return found

    def passed(self, endpoint: str, now: float) -> None:
        """Take note that an attempt begins. Calls pass by."""
        if endpoint in self._free and self._current() is self._known:
            return
        limits = self._limits(endpoint)
        gate = self._gates.get(endpoint, OPEN)
        if limits.is_call or (gate.breaker.until is None and not limits.rates):
            return  # nothing counts how many pass
        self._gates[endpoint] = passed(gate, limits, now)

    def learned(
        self, endpoint: str, now: float, *, outcome: Outcome, status: int | None, patience: float | None
    ) -> None:
        """Take note of how an attempt ended; the arguments are those of `delivery.gate.learned`."""
        good = self._good.get(endpoint)
        if good is not None and outcome == "ok" and patience is None and good.slot == slot_of(now):
            good.count += 1
            good.at, good.status = now, status
            return
        self._settle(endpoint)
        self._last[endpoint] = Last(now, outcome, status)
        before = self._gates.get(endpoint, OPEN)
        gate = self._gates[endpoint] = learned(before, now, outcome=outcome, status=status, patience=patience)
        if gate.suspended is not None or gate.not_before or gate.breaker.is_open:
            self._free.discard(endpoint)
        if endpoint not in self._stated and (defined := self._current().endpoints.get(endpoint)) is not None:
            self._stated[endpoint] = defined.fingerprint
        if outcome != "ok" or before.breaker.is_open:
            self.hold(endpoint, now)  # what holds it has changed
        elif endpoint in self._stated and not gate.not_before:
            self._good[endpoint] = _Good(slot_of(now))

    def _settle(self, endpoint: str) -> None:
        """Bring the gate up to date: what was counted apart goes into it."""
        good = self._good.pop(endpoint, None)
        if good is None or not good.count:
            return
        gate = self._gates[endpoint]
        self._gates[endpoint] = gate._replace(breaker=went_well(gate.breaker, good.at, good.count))
        self._last[endpoint] = Last(good.at, "ok", good.status)

    def last(self, endpoint: str) -> Last | None:
        """Return how the last attempt ended; None when none has since the start."""
        self._settle(endpoint)
        return self._last.get(endpoint)

    def breaker(self, endpoint: str) -> Breaker:
        """Return the breaker of an endpoint."""
        self._settle(endpoint)
        return self._gates.get(endpoint, OPEN).breaker

    def most(self, endpoint: str) -> int:
        """Return how many attempts may be under way to an endpoint at the same time."""
        return self._limits(endpoint).most

    def _limits(self, endpoint: str) -> Limits:
        """Return what the definition in force says, which is looked up once."""
        snapshot = self._current()
        if snapshot is not self._known:
            self._known = snapshot
            self._limits_of.clear()
            self._free.clear()
        limits = self._limits_of.get(endpoint)
        if limits is None:
            limits = self._limits_of[endpoint] = _limits(endpoint, snapshot)
        return limits

    def _note(self, endpoint: str, found: Hold | None) -> None:
        """Log that deliveries begin or cease to wait. Who drops the result can do without the record."""
        holds = self._holds(endpoint, found)
        noted = self._noted.get(endpoint, {})
        if holds.keys() == noted.keys():
            return
        now = self._clock.now()
        for reason in [reason for reason in noted if reason not in holds]:
            del noted[reason]
            _ = self._journal.append([EndpointReleased(at=rfc3339(now), endpoint=endpoint, reason=reason)])
        for reason, held in holds.items():
            if reason not in noted and (held.until is None or held.until - now >= WORTH_NOTING):
                noted[reason] = held
                _ = self._journal.append([self._record(endpoint, held, now)])
        if noted:
            self._noted[endpoint] = noted
        else:
            self._noted.pop(endpoint, None)

    def _holds(self, endpoint: str, found: Hold | None) -> dict[HoldReason, Hold]:
        """Return everything that holds an endpoint.

        A breaker stays open while it lets a probe through, or while something else holds the endpoint besides.
        """
        holds = {} if found is None else {found.reason: found}
        gate = self._gates.get(endpoint)
        if gate is not None and gate.breaker.is_open:
            holds.setdefault("breaker", Hold(reason="breaker", until=gate.breaker.until))
        return holds

    def _record(self, endpoint: str, held: Hold, now: float) -> EndpointHeld:
        return EndpointHeld(
            at=rfc3339(now),
            endpoint=endpoint,
            reason=held.reason,
            until=None if held.until is None else rfc3339(held.until),
            error=held.error,
            fingerprint=self._stated.get(endpoint) if held.reason in ("suspended", "breaker") else None,
        )


def _limits(turn: str, snapshot: Snapshot) -> Limits:
    endpoint = turn.removeprefix(CALL)
    defined = snapshot.endpoints.get(endpoint)
    if defined is None:
        return Limits(is_call=endpoint != turn)
    value = defined.value
    return Limits(is_enabled=value.enabled, rates=value.rate, most=value.max_in_flight, is_call=endpoint != turn)
