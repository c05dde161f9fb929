"""The desks of an admin listener of fakes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hooksd.engine.ports import Accepted, Publisher
from hooksd.model.event import Event
from hooksd.model.outgoing import DeliveryPlan
from hooksd.testing import FakeClock, FakeIds
from hooksd.web.desk import Desk
from hooksd.web.duplicates import Duplicates
from hooksd.web.publishing import PublishingDesk
from tests.web.doubles import FakeControl, FakeIntake, plan


class FakePublisher:
    """Remembers what was published, one write for each call."""

    def __init__(self) -> None:
        self.writes: list[Sequence[Event]] = []
        self.error: BaseException | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def events(self) -> list[Event]:
        return [event for write in self.writes for event in write]

    async def accept_all(self, events: Sequence[Event]) -> Sequence[Accepted]:
        """Remember the events, or raise `error`."""
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.writes.append(events)
        return [Accepted(event.id, (plan(),), (), (DeliveryPlan(id="dlv_1", endpoint="erp"),)) for event in events]


_: type[Publisher] = FakePublisher


def every_desk() -> tuple[Desk, ...]:
    """Return the desks that the daemon has."""
    clock, control, intake = FakeClock(), FakeControl(), FakeIntake()
    return (
        PublishingDesk(
            publisher=FakePublisher(),
            intake=intake,
            duplicates=Duplicates(clock.now),
            ids=FakeIds(),
            clock=clock,
            current=control.current,
            public_url=None,
        ),
    )
