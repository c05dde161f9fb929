"""Pings of endpoints with `ping = true`: one when a definition appears, and one whenever it changes.

What was pinged is in the log with the ping itself (`journal.lasting` folds it), so that neither a crash nor a restart
sends one again. `daemon.wiring` makes a `Pinger`, tells it of every new set of definitions and lets it run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from hooksd.clock import Clock
from hooksd.config.snapshot import CompiledEndpoint, Snapshot
from hooksd.engine.ports import Intake
from hooksd.errors import JournalFull
from hooksd.model.ids import IdFactory
from hooksd.web.manual import ping_event

RETRY = 2.0
"""Seconds to wait when the log has no room for an event."""


class Pinger:
    """Sends each new definition its ping, by the way of every event."""

    def __init__(self, *, intake: Intake, ids: IdFactory, clock: Clock, current: Callable[[], Snapshot]) -> None:
        """Take the collaborators.

        Args:
            intake: Where events go.
            ids: Names events.
            clock: The time.
            current: Returns the definitions in force.
        """
        self._intake = intake
        self._ids = ids
        self._clock = clock
        self._current = current
        self._pinged: dict[str, str] = {}
        """The fingerprints of the definitions that had their ping, by endpoint."""
        self._wake = asyncio.Event()

    def recover(self, pinged: Mapping[str, str]) -> None:
        """Take up what earlier lives sent. Called once, when definitions are in force."""
        self._pinged.update(pinged)
        self.reloaded()

    def reloaded(self) -> None:
        """Look at the definitions again: they have changed. One that is gone or another forgets its ping."""
        for name in list(self._pinged):
            self._forget(name)
        self._wake.set()

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            JournalBroken: The log is at its end; the process must stop.
        """
        while True:
            self._wake.clear()
            for name in [name for name in self._current().endpoints if name not in self._pinged]:
                endpoint = self._wanted(name)
                if endpoint is not None and not await self._ping(endpoint):
                    break
            else:
                await self._wake.wait()

    def _wanted(self, name: str) -> CompiledEndpoint | None:
        """Return an endpoint that gets pings. A disabled one will be another definition when it is not any more."""
        endpoint = self._current().endpoints.get(name)
        return endpoint if endpoint is not None and endpoint.value.ping and endpoint.value.enabled else None

    async def _ping(self, endpoint: CompiledEndpoint) -> bool:
        """Send one, or wait a while when there is no room for it: false."""
        name, fingerprint = endpoint.name, endpoint.fingerprint
        event = ping_event(self._ids.event(), name, endpoint.value, self._clock.now())
        try:
            await self._intake.send(event, name, fingerprint=fingerprint)
        except JournalFull:
            await self._clock.sleep(RETRY)
            return False
        self._pinged[name] = fingerprint
        self._forget(name)  # it may be another one by now
        return True

    def _forget(self, name: str) -> None:
        """Forget the ping of a definition that is gone, or another one."""
        endpoint = self._wanted(name)
        if endpoint is None or endpoint.fingerprint != self._pinged[name]:
            del self._pinged[name]
