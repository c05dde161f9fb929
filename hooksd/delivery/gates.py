"""The gates of all endpoints: values of `delivery.gate`, kept in step with attempts and definitions, and logged.

`delivery.dispatcher` asks before each attempt and tells after it. What lasts over a restart is in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from hooksd.clock import Clock, rfc3339, unix
from hooksd.config.snapshot import CompiledEndpoint, Snapshot
from hooksd.delivery.entry import CALL
from hooksd.delivery.gate import OPEN, Gate, Hold, Limits, hold, learned, passed
from hooksd.journal.protocol import Journal
from hooksd.model.holding import EndpointHeld, EndpointReleased
from hooksd.model.record import Outcome

EACH = 8
"""Attempts under way to one endpoint at the same time, when its definition is gone."""
WORTH_NOTING = 1.0
"""Seconds: a hold that is over sooner is not logged."""

_ANYWHERE = Limits()


class Gates:
    """Who may be called now."""

    def __init__(self, *, journal: Journal, clock: Clock, current: Callable[[], Snapshot]) -> None:
        """Take the world as arguments; they mean what they mean to `Dispatcher`."""
        self._journal = journal
        self._clock = clock
        self._current = current
        self._gates: dict[str, Gate] = {}
        self._noted: dict[str, Hold] = {}
        self._stated: dict[str, str] = {}
        """The fingerprint of each endpoint's definition when its gate was last known to fit it."""

    def recover(self, held: Iterable[EndpointHeld]) -> None:
        """Take up what an earlier life knew."""
        for record in held:
            gate = self._gates.get(record.endpoint, OPEN)
            if record.reason == "suspended":
                gate = replace(gate, suspended=record.error or "suspended")
                self._stated[record.endpoint] = record.fingerprint or ""
            elif record.until is not None:
                gate = replace(gate, not_before=unix(record.until))
            self._gates[record.endpoint] = gate
            self._noted[record.endpoint] = Hold(reason=record.reason, error=record.error)
        self.refresh()

    def refresh(self) -> None:
        """Look at definitions that may have changed: one that has is a new beginning for its endpoint."""
        endpoints = self._current().endpoints
        for name in list(self._gates):
            endpoint = endpoints.get(name)
            if endpoint is not None and self._stated.setdefault(name, _fingerprint(endpoint)) != _fingerprint(endpoint):
                self.resume(name)

    def resume(self, endpoint: str) -> None:
        """Forget what is held against an endpoint; its `rate` holds on."""
        gate = self._gates.get(endpoint)
        if gate is not None:
            self._gates[endpoint] = Gate(buckets=gate.buckets)
        self._stated.pop(endpoint, None)
        self._note(endpoint, None)

    def held(self, endpoint: str) -> Hold | None:
        """Return why deliveries to an endpoint wait, for people; None when they do not."""
        return hold(self._gates.get(endpoint, OPEN), self._limits(endpoint), self._clock.now())

    def hold(self, endpoint: str, now: float) -> Hold | None:
        """Return why no attempt may begin; None when one may."""
        if endpoint.startswith(CALL):
            return None
        gate = self._gates.get(endpoint, OPEN)
        found = hold(gate, self._limits(endpoint), now)
        # A breaker that lets a probe through is still open.
        if found is not None or not gate.breaker.is_open:
            self._note(endpoint, found)
        return found

    def passed(self, endpoint: str, now: float) -> None:
        """Take note that an attempt begins. Calls pass by."""
        if endpoint.startswith(CALL):
            return
        gate = self._gates.get(endpoint, OPEN)
        after = passed(gate, self._limits(endpoint), now)
        if after is not gate:
            self._gates[endpoint] = after

    def learned(self, endpoint: str, *, outcome: Outcome, status: int | None, patience: float | None) -> None:
        """Take note of how an attempt ended; the arguments are those of `delivery.gate.learned`."""
        now = self._clock.now()
        gate = self._gates.get(endpoint, OPEN)
        after = learned(gate, now, outcome=outcome, status=status, patience=patience)
        if after is gate:
            return
        self._gates[endpoint] = after
        defined = self._current().endpoints.get(endpoint)
        if defined is not None:
            self._stated.setdefault(endpoint, _fingerprint(defined))
        self.hold(endpoint, now)

    def most(self, endpoint: str) -> int:
        """Return how many attempts may be under way to an endpoint at the same time."""
        defined = self._current().endpoints.get(endpoint.removeprefix(CALL))
        return EACH if defined is None else defined.value.max_in_flight

    def _limits(self, endpoint: str) -> Limits:
        defined = self._current().endpoints.get(endpoint)
        if defined is None or (defined.value.enabled and not defined.value.rate):
            return _ANYWHERE
        return Limits(is_enabled=defined.value.enabled, rates=defined.value.rate)

    def _note(self, endpoint: str, found: Hold | None) -> None:
        """Log that deliveries begin or cease to wait. Who drops the result can do without the record."""
        noted = self._noted.get(endpoint)
        if (noted and noted.reason) == (found and found.reason):
            return
        now = self._clock.now()
        at = rfc3339(now)
        if noted is not None:
            del self._noted[endpoint]
            _ = self._journal.append([EndpointReleased(at=at, endpoint=endpoint, reason=noted.reason)])
        if found is None or (found.until is not None and found.until - now < WORTH_NOTING):
            return
        self._noted[endpoint] = found
        until = None if found.until is None else rfc3339(found.until)
        fingerprint = self._stated.get(endpoint) if found.reason == "suspended" else None
        record = EndpointHeld(
            at=at, endpoint=endpoint, reason=found.reason, until=until, error=found.error, fingerprint=fingerprint
        )
        _ = self._journal.append([record])


def _fingerprint(endpoint: CompiledEndpoint) -> str:
    """Return what tells two definitions apart. Without the prefix of digests: nothing is kept under it."""
    return endpoint.digest.rpartition(":")[2]
