"""All connections of one listener: who may come in, who must go for them, and who has taken too long.

Time limits are checked by one sweep over the connections, not by timers: a timer for each request would cost more than
reading its headers does. `daemon.server` runs the sweep, `web.guard` asks for admission.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from typing import Final, Protocol

from hooksd.web.guard_limits import GuardReason, Limits
from hooksd.web.guard_names import Names
from hooksd.web.guard_turn import Turn

SWEEP_SECONDS: Final = 0.25
"""How late a time limit may strike."""
OWN_ADDRESSES: Final = frozenset({"", "127.0.0.1", "::1", "::ffff:127.0.0.1"})
"""Addresses, and none on a unix socket, behind which a proxy speaks for many callers."""
_ROOM = 16
"""The part of all connections that is closed together when room is needed: finding the oldest looks at all of them."""


class Report(Protocol):
    """Where refused requests are counted: `Refusals.add` of `web.refusals`."""

    def __call__(self, *, webhook: str | None, reason: GuardReason, status: int, peer: str) -> None:
        """Count one."""
        ...


class Member(Protocol):
    """A connection, as the crowd sees it."""

    address: str
    """Where it comes from; empty on a unix socket."""
    since: float
    """When what it does now began, on the clock of the event loop."""

    def standing(self) -> int | None:
        """Tell what it waits for: 0 for a request, 1 for a body; None: a request of it is being answered."""
        ...

    def check(self, now: float) -> None:
        """End what has taken too long."""
        ...

    def dismiss(self) -> None:
        """Close, because room is needed."""
        ...


class Crowd:
    """The connections of one listener."""

    def __init__(self, limits: Limits, report: Report) -> None:
        """Start with none.

        Args:
            limits: What they may take.
            report: Told of refused requests.
        """
        self.limits = limits
        self.report = report
        self.buffered = 0
        """Bytes of bodies whose requests are not answered yet."""
        self.turn = Turn()
        """What was read and is not heard yet."""
        self.names = Names()
        """Of headers, as text."""
        self._members: set[Member] = set()
        self._by_address: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._members)

    def enter(self, member: Member) -> bool:
        """Let a connection in, or tell that there is no room for it."""
        address = member.address
        if address not in OWN_ADDRESSES and self._by_address[address] >= self.limits.connections_per_address:
            return False
        if len(self._members) >= self.limits.connections:
            self._make_room()
            if len(self._members) >= self.limits.connections:
                return False
        self._members.add(member)
        self._by_address[address] += 1
        return True

    def leave(self, member: Member) -> None:
        """Forget a connection; one that was never let in, or has left, is no mistake."""
        if member not in self._members:
            return
        self._members.remove(member)
        self._by_address[member.address] -= 1
        if not self._by_address[member.address]:
            del self._by_address[member.address]

    def sweep(self, now: float) -> None:
        """Let every connection look at the time."""
        for member in list(self._members):
            member.check(now)

    async def run(self) -> None:
        """Sweep until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep(loop.time())

    def _make_room(self) -> None:
        """Close the connections that have waited longest for their callers, of those that do what most are doing.

        An honest caller sends its headers within milliseconds, and then its turn is over: whoever fills a listener
        with connections that send nothing pushes out its own, and so does who fills it with slow bodies.
        """
        waiting: dict[int, list[Member]] = {}
        for member in self._members:
            if (standing := member.standing()) is not None:
                waiting.setdefault(standing, []).append(member)
        if not waiting:
            return
        most = max(sorted(waiting), key=lambda standing: len(waiting[standing]))
        count = max(1, self.limits.connections // _ROOM)
        for member in heapq.nsmallest(count, waiting[most], key=lambda one: one.since):
            self.leave(member)
            member.dismiss()
