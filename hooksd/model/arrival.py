"""What a webhook received, on its way to be an event, and the line of the log that makes it one.

Most events start nothing: for them no `Event`, `StoredEvent` or `EventAccepted` is made, because making these takes
longer than all else that accepting does. `tests/model/test_arrival.py` holds the line to what `journal.codec` writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import orjson

from hooksd.model.base import Json
from hooksd.model.event import Event
from hooksd.model.ids import EventId
from hooksd.model.outgoing import DeliveryPlan, NotSent
from hooksd.model.record import EventLine, NotStarted, Origin, RunPlan
from hooksd.model.stored import is_one_line, store_body
from hooksd.model.trust import Trust

_NO_FILES: Final[Mapping[str, Json]] = {}
_LABELS: Final = tuple(trust.label for trust in sorted(Trust))


class Arrival(NamedTuple):
    """One authentic request without files. The values are those of `Event`; credentials have been replaced."""

    id: EventId
    type: str
    subject: str | None
    time: str
    trust: Trust
    webhook: str
    delivery_id: str | None
    headers: Mapping[str, str]
    query: Mapping[str, str]
    media: str
    raw: bytes
    data: Json
    key: int | None = None
    observed: str | None = None

    @property
    def source(self) -> str:
        """What events of this webhook say where they are from."""
        return f"webhook/{self.webhook}"

    def event(self) -> Event:
        """Return it as an event."""
        return Event(
            id=self.id,
            type=self.type,
            source=self.source,
            subject=self.subject,
            time=self.time,
            trust=self.trust,
            webhook=self.webhook,
            delivery_id=self.delivery_id,
            headers=self.headers,
            query=self.query,
            media=self.media,
            raw=self.raw,
            data=self.data,
            key=self.key,
            observed=self.observed,
        )


def _body(media: str, raw: bytes) -> Json:
    if raw and is_one_line(media, raw):
        return {"media": media, "size": len(raw), "encoding": "json", "content": orjson.Fragment(raw)}
    return store_body(media, raw)


def line_of(
    arrival: Arrival,
    *,
    revision: str,
    origin: Origin,
    runs: tuple[RunPlan, ...] = (),
    not_started: tuple[NotStarted, ...] = (),
    deliveries: tuple[DeliveryPlan, ...] = (),
    not_sent: tuple[NotSent, ...] = (),
) -> EventLine:
    """Return the record that the event was accepted when it arrived; its body is not one for a blob.

    Raises:
        ValueError: A value is none that JSON can hold.
    """
    event = {
        "id": arrival.id,
        "type": arrival.type,
        "source": arrival.source,
        "subject": arrival.subject,
        "time": arrival.time,
        "trust": _LABELS[arrival.trust],
        "hop": 0,
        "cause": None,
        "webhook": arrival.webhook,
        "delivery_id": arrival.delivery_id,
        "headers": arrival.headers,
        "query": arrival.query,
        "body": _body(arrival.media, arrival.raw),
        "files": _NO_FILES,
        "fingerprint": None,
        "key": arrival.key,
        "observed": arrival.observed,
        "publisher": None,
    }
    record = {
        "at": arrival.time,
        "revision": revision,
        "event": event,
        "origin": origin,
        "runs": runs,
        "not_started": not_started,
        "deliveries": deliveries,
        "not_sent": not_sent,
        "type": "event.accepted",
    }
    try:
        return EventLine(orjson.dumps(record), runs, deliveries)
    except TypeError as error:
        raise ValueError(f"an event.accepted record cannot be written: {error}") from error
