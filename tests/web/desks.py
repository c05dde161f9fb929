"""The desks of an admin listener of fakes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hooksd.delivery.standing import Standing
from hooksd.engine.ports import Accepted, Publisher
from hooksd.journal.memory import MemoryJournal
from hooksd.model.base import Json
from hooksd.model.effect import Deliver, Performed
from hooksd.model.event import Event
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import DeliveryCreated, RequestRefused
from hooksd.telemetry.observer import Observer
from hooksd.testing import FakeClock, FakeIds
from hooksd.web.admin import Admin
from hooksd.web.desk import Desk
from hooksd.web.duplicates import Duplicates
from hooksd.web.editing import Editor
from hooksd.web.outgoing import Gatekeeper, OutgoingDesk
from hooksd.web.publishing import PublishingDesk
from hooksd.web.redelivering import Outbox, RedeliveryDesk
from hooksd.web.refusals import Refusals
from hooksd.web.triggering import TriggerDesk
from tests.web.doubles import FakeControl, FakeIntake, plan


class Refused:
    """Requests that were refused, and the log that they are written to."""

    def __init__(self) -> None:
        self._journal = MemoryJournal()
        self.refusals = Refusals(journal=self._journal, clock=FakeClock(), observer=Observer())

    async def records(self) -> list[RequestRefused]:
        """Return what is in the log after what was refused is written."""
        await self.refusals.flush()
        return [record for record in self._journal.records if isinstance(record, RequestRefused)]


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


class FakeOutbox:
    """Remembers what was asked for; things stand well with every endpoint."""

    def __init__(self) -> None:
        self.asked: list[tuple[DeliveryCreated, int, bool]] = []
        self.resumed: list[str] = []
        self.open: set[str] = set()
        self.error: Exception | None = None
        self.standing = Standing(hold=None, breaker="closed", failures=0, in_flight=0, waiting=0, pending=0, last=None)

    def standings(self, endpoints: Iterable[str]) -> dict[str, Standing]:
        """Return `standing` for each."""
        return dict.fromkeys(endpoints, self.standing)

    def is_open(self, delivery: str) -> bool:
        """Tell whether it is in `open`."""
        return delivery in self.open

    async def redeliver(self, created: DeliveryCreated, attempts: int, *, in_turn: bool = False) -> None:
        """Remember the delivery, or raise `error`."""
        if self.error is not None:
            raise self.error
        self.asked.append((created, attempts, in_turn))

    def resume(self, endpoint: str) -> None:
        """Remember the endpoint, which is held no longer."""
        self.resumed.append(endpoint)
        self.standing = replace(self.standing, hold=None)


_outbox: type[Outbox] = FakeOutbox
_gatekeeper: type[Gatekeeper] = FakeOutbox


def admin_of(
    control: FakeControl,
    *desks: Desk,
    editor: Editor | None = None,
    public_url: str | None = None,
    refused: Refused | None = None,
) -> Admin:
    """Return what serves operators of a daemon that is a fake, and so is all beside it."""
    return Admin(
        control=control,
        intake=FakeIntake(),
        ids=FakeIds(),
        clock=FakeClock(),
        observer=Observer(),
        public_url=public_url,
        refusals=(refused or Refused()).refusals,
        editor=editor,
        desks=desks,
    )


async def unknown(delivery: str) -> None:
    """Know no delivery."""


def every_desk() -> tuple[Desk, ...]:
    """Return the desks that the daemon has."""
    clock, control, intake = FakeClock(), FakeControl(), FakeIntake()
    refusals = Refusals(journal=MemoryJournal(), clock=clock, observer=Observer())
    return (
        OutgoingDesk(control=control, outbox=FakeOutbox(), public_url=None),
        RedeliveryDesk(control=control, outbox=FakeOutbox(), created=unknown),
        PublishingDesk(
            publisher=FakePublisher(),
            intake=intake,
            duplicates=Duplicates(clock.now),
            ids=FakeIds(),
            clock=clock,
            current=control.current,
            public_url=None,
        ),
        TriggerDesk(deliver=told, current=control.current, is_ready=lambda: True, refusals=refusals),
    )


async def told(_: Deliver) -> Performed:
    """Answer every call."""
    output: dict[str, Json] = {"referenceId": "dlv_1", "status": 200, "data": None, "error": False}
    return Performed(ok=True, code=200, output=output)
