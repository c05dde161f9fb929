"""The state of a delivery, as the fold of its records. Pure: after a restart it is the same state.

`delivery.dispatcher` applies every record it writes, and at its start those that `journal.replay` found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hooksd.clock import unix
from hooksd.config.snapshot import CompiledEndpoint
from hooksd.delivery.policy import ANSWERED, Over, verdict
from hooksd.delivery.transport_wire import IDEMPOTENT
from hooksd.model.record import (
    AttemptEnded,
    AttemptReason,
    AttemptStarted,
    DeliveryCreated,
    DeliveryEnded,
    Outcome,
    Record,
)

WORDS: Mapping[Outcome, str] = {
    "timeout_connect": "no connection in time",
    "timeout_total": "no whole answer in time",
    "dns": "the host is not known",
    "refused": "the connection was refused",
    "reset": "the connection broke off",
    "tls": "there is no trusted connection",
    "protocol": "the answer is not HTTP",
    "blocked": "it may not be called",
    "interrupted": "it was cut off",
}
"""What is said of an attempt without an answer."""


class Delivery(NamedTuple):
    """One delivery, from creation to end. A tuple, because it is replaced for every record."""

    created: DeliveryCreated
    due: float
    """Unix seconds at which the next attempt may be sent."""
    sent: int = 0
    """The number of the last attempt that was started."""
    is_manual: bool = False
    """Somebody asked for the next attempt, or for the one under way."""
    is_once: bool = False
    """The attempt under way must not be made again when nobody knows how it ended."""
    failed: int = 0
    """Attempts with a recorded outcome: the place in the schedule. One that a crash cut off does not count, nor one
    that somebody asked for."""
    is_in_flight: bool = False
    """The last attempt has no recorded outcome: it is under way, or a crash cut it off."""
    wait: float = 0.0
    """How many seconds off `due` was when it was decided: after a clock was set back it is no further off than this."""
    code: int | None = None
    """The HTTP status of the last answer."""
    error: str | None = None
    """Of the last attempt."""
    told: str | None = None
    """Of a call: the same in words that say nothing of where it went."""
    answer: tuple[str, str] | None = None
    """Of a call: media type and text of the last answer, as they are in the log."""
    over: Over | None = None
    """What the last attempt decided."""
    ended: DeliveryEnded | None = None

    @property
    def reason(self) -> AttemptReason:
        """Why the next attempt is sent."""
        if self.is_manual:
            return "manual"
        if self.is_in_flight:
            return "recovery"
        return "retry" if self.sent else "first"

    @property
    def begins_again(self) -> bool:
        """Tell whether somebody asked for it after its end: the attempt that was asked for begins the schedule."""
        return self.created.attempts > 0 and self.failed == 0


def is_once(created: DeliveryCreated, endpoint: CompiledEndpoint | None) -> bool:
    """Tell whether an attempt must not be made again when nobody knows how it ended.

    Args:
        created: The delivery.
        endpoint: As it is defined now; None: it is not.
    """
    if endpoint is None:
        return False
    return endpoint.value.at_most_once or (created.is_call and endpoint.value.method not in IDEMPOTENT)


def begin(created: DeliveryCreated) -> Delivery:
    """Return the state of a delivery that was just created: its first attempt is due at once."""
    return Delivery(created=created, due=unix(created.at), sent=created.attempts, is_manual=created.attempts > 0)


def due(delivery: Delivery, now: float) -> float:
    """Return when the next attempt is due. What a crash cut off is due at once: nobody knows whether it arrived."""
    return now if delivery.is_in_flight else min(delivery.due, now + delivery.wait)


def apply(delivery: Delivery, record: Record) -> Delivery:
    """Return the state after a record of this delivery."""
    match record:
        case AttemptStarted():
            is_manual = record.reason == "manual"
            return delivery._replace(sent=record.number, is_in_flight=True, is_manual=is_manual, is_once=record.is_once)
        case AttemptEnded():
            status = record.exchange.status
            # Made anew, which takes half the time of replacing most of it.
            return Delivery(
                created=delivery.created,
                sent=max(delivery.sent, record.number),
                is_once=delivery.is_once,
                failed=delivery.failed + _counts(delivery, record),
                code=status,
                error=record.error,
                told=_told(record) if delivery.created.is_call else None,
                answer=_answer(record) if delivery.created.is_call else None,
                due=delivery.due if record.retry_at is None else unix(record.retry_at),
                wait=delivery.wait if record.retry_at is None else unix(record.retry_at) - unix(record.at),
                over=_over(delivery, record) if record.retry_at is None else None,
                ended=delivery.ended,
            )
        case DeliveryEnded():
            return delivery._replace(is_in_flight=False, ended=record, over=Over(status=record.status))
        case _:
            return delivery


def _answer(record: AttemptEnded) -> tuple[str, str] | None:
    exchange = record.exchange
    if exchange.status is None:
        return None
    media = exchange.response_headers.get("content-type", "").partition(";")[0].strip().lower()
    return "" if exchange.response_truncated else media, exchange.response_body


def _told(record: AttemptEnded) -> str | None:
    """Return an error for whoever asked: errors name hosts and addresses, which callers need not know."""
    if record.outcome in ANSWERED or not record.exchange.url:
        return record.error
    return WORDS.get(record.outcome, "no request could be made")


def _counts(delivery: Delivery, record: AttemptEnded) -> bool:
    """Tell whether an attempt took a place in the schedule. One that was asked for does not, unless it began it."""
    return record.reason != "manual" or delivery.begins_again


def _over(delivery: Delivery, record: AttemptEnded) -> Over:
    may_have_arrived = delivery.is_once and "request" in record.exchange.phases
    return verdict(record.outcome, record.exchange.status, may_have_arrived=may_have_arrived)


def fold(created: DeliveryCreated, records: Iterable[Record]) -> Delivery:
    """Return the state after all of these."""
    delivery = begin(created)
    for record in records:
        delivery = apply(delivery, record)
    return delivery
