"""The state of a delivery, as the fold of its records. Pure: after a restart it is the same state.

`delivery.dispatcher` applies every record it writes, and at its start those that `journal.replay` found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hooksd.clock import unix
from hooksd.delivery.policy import Over, verdict
from hooksd.model.record import AttemptEnded, AttemptReason, AttemptStarted, DeliveryCreated, DeliveryEnded, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery, from creation to end."""

    created: DeliveryCreated
    sent: int = 0
    """The number of the last attempt that was started."""
    failed: int = 0
    """Attempts with a recorded outcome: the place in the schedule. An attempt that a crash cut off does not count."""
    is_in_flight: bool = False
    """The last attempt has no recorded outcome: it is under way, or a crash cut it off."""
    due: float
    """Unix seconds at which the next attempt may be sent."""
    code: int | None = None
    """The HTTP status of the last answer."""
    error: str | None = None
    """Of the last attempt."""
    over: Over | None = None
    """What the last attempt decided."""
    ended: DeliveryEnded | None = None

    @property
    def reason(self) -> AttemptReason:
        """Why the next attempt is sent."""
        if self.is_in_flight:
            return "recovery"
        return "retry" if self.sent else "first"


def begin(created: DeliveryCreated) -> Delivery:
    """Return the state of a delivery that was just created: its first attempt is due at once."""
    return Delivery(created=created, due=unix(created.at))


def apply(delivery: Delivery, record: Record) -> Delivery:
    """Return the state after a record of this delivery."""
    match record:
        case AttemptStarted():
            return replace(delivery, sent=record.number, is_in_flight=True)
        case AttemptEnded():
            status = record.exchange.status
            return replace(
                delivery,
                is_in_flight=False,
                failed=delivery.failed + 1,
                code=status,
                error=record.error,
                due=delivery.due if record.retry_at is None else unix(record.retry_at),
                over=verdict(record.outcome, status) if record.retry_at is None else None,
            )
        case DeliveryEnded():
            return replace(delivery, is_in_flight=False, ended=record, over=Over(status=record.status))
        case _:
            return delivery


def fold(created: DeliveryCreated, records: Iterable[Record]) -> Delivery:
    """Return the state after all of these."""
    delivery = begin(created)
    for record in records:
        delivery = apply(delivery, record)
    return delivery
