"""From the log to the work that is not finished: what the engine and the deliveries go on with after a restart.

Pure and streaming: what has ended is dropped on the way, so memory is bounded by what has not. Called once at start,
with what `Journal.read` yields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hooksd.journal.lasting import Lasting
from hooksd.model.holding import EndpointHeld
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import (
    AttemptEnded,
    AttemptStarted,
    DeliveryCreated,
    DeliveryEnded,
    EventAccepted,
    Record,
    RunEnded,
    RunPlan,
    RunStarted,
    StepEnded,
    StepRetried,
    StepStarted,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedRun:
    """A run without its end."""

    plan: RunPlan
    accepted: EventAccepted
    """The event that started it."""
    records: tuple[Record, ...]
    """Everything about it since, in the order of the log: its own records, the `EventAccepted` of events that it
    emitted, and the `DeliveryCreated` and `DeliveryEnded` of its steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedDelivery:
    """A delivery, with what is known of it."""

    created: DeliveryCreated
    records: tuple[Record, ...]
    """Its attempts and, when it has ended, its end, in the order of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDelivery:
    """A delivery that an event goes out by and that was not created."""

    plan: DeliveryPlan
    accepted: EventAccepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """Everything that was accepted and has no recorded end."""

    events: Mapping[str, EventAccepted]
    """The events that the runs were started by, by id."""
    runs: tuple[UnfinishedRun, ...]
    """In the order in which they were accepted."""
    deliveries: tuple[UnfinishedDelivery, ...]
    """Without an end, oldest first. Their runs may have ended."""
    finished_deliveries: tuple[UnfinishedDelivery, ...]
    """With an end, of runs that have none: their step will ask what came of them."""
    held: tuple[EndpointHeld, ...] = ()
    """Endpoints whose deliveries wait, by the last record of each reason that lasts over a restart."""
    planned: tuple[PlannedDelivery, ...] = ()
    """What events go out by and what was not created, in the order in which they were accepted."""
    pinged: Mapping[str, str] = field(default_factory=dict)
    """The fingerprint of the definition of each endpoint that was pinged because it appeared or changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    plan: RunPlan
    accepted: EventAccepted
    records: list[Record]
    finished: list[UnfinishedDelivery]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    created: DeliveryCreated
    records: list[Record]


class _Fold:
    """The state of one pass over the log. A record about something unknown is about something that has ended."""

    def __init__(self) -> None:
        self.runs: dict[str, _Run] = {}
        self.deliveries: dict[str, _Delivery] = {}
        self.lasting = Lasting()
        self.planned: dict[str, PlannedDelivery] = {}

    def add(self, record: Record) -> None:
        self.lasting.note(record)
        match record:
            case EventAccepted():
                self._accept(record)
            case RunStarted() | StepStarted() | StepRetried() | StepEnded():
                self._of_run(record.run, record)
            case RunEnded():
                self.runs.pop(record.run, None)
            case DeliveryCreated():
                self.planned.pop(record.delivery, None)
                self.deliveries[record.delivery] = _Delivery(created=record, records=[])
                self._of_run(record.run, record)
            case AttemptStarted() | AttemptEnded():
                self._of_delivery(record.delivery, record)
            case DeliveryEnded():
                self._end_delivery(record)
            case _:
                pass  # about endpoints, the daemon, its definitions or its log: not work

    def _accept(self, record: EventAccepted) -> None:
        cause = record.event.cause
        if cause is not None:
            self._of_run(cause.run, record)
        for plan in record.runs:
            self.runs[plan.id] = _Run(plan=plan, accepted=record, records=[], finished=[])
        for planned in record.deliveries:
            self.planned[planned.id] = PlannedDelivery(plan=planned, accepted=record)

    def _end_delivery(self, record: DeliveryEnded) -> None:
        self.planned.pop(record.delivery, None)
        self._of_delivery(record.delivery, record)
        delivery = self.deliveries.pop(record.delivery, None)
        if delivery is None:
            return
        run = self.runs.get(delivery.created.run)
        if run is not None:
            run.records.append(record)
            run.finished.append(UnfinishedDelivery(created=delivery.created, records=tuple(delivery.records)))

    def _of_run(self, run: str, record: Record) -> None:
        if run in self.runs:
            self.runs[run].records.append(record)

    def _of_delivery(self, delivery: str, record: Record) -> None:
        if delivery in self.deliveries:
            self.deliveries[delivery].records.append(record)


def unfinished(records: Iterable[Record]) -> Unfinished:
    """Return the work that has no recorded end.

    Args:
        records: The log, oldest first. It may begin anywhere before the oldest unfinished work.
    """
    fold = _Fold()
    for record in records:
        fold.add(record)
    runs = fold.runs.values()
    return Unfinished(
        events={run.accepted.event.id: run.accepted for run in runs},
        runs=tuple(UnfinishedRun(plan=run.plan, accepted=run.accepted, records=tuple(run.records)) for run in runs),
        deliveries=tuple(
            UnfinishedDelivery(created=delivery.created, records=tuple(delivery.records))
            for delivery in fold.deliveries.values()
        ),
        finished_deliveries=tuple(delivery for run in runs for delivery in run.finished),
        held=fold.lasting.held,
        planned=tuple(fold.planned.values()),
        pinged=fold.lasting.pinged,
    )
