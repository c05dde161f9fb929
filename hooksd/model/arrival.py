"""What a webhook received, on its way to be an event, and the line of the log that makes it one.

Most events start nothing: for them no `Event`, `StoredEvent` or `EventAccepted` is made, because making these takes
longer than all else that accepting does. `tests/model/test_arrival.py` holds the line to what `journal.codec` writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson
from msgspec import Struct
from msgspec.structs import replace

from hooksd.model.base import Json
from hooksd.model.body import Document
from hooksd.model.event import Event
from hooksd.model.ids import EventId
from hooksd.model.outgoing import DeliveryPlan, NotSent
from hooksd.model.received import Files
from hooksd.model.record import NotStarted, Origin, RunPlan
from hooksd.model.stored import is_one_line, store_body
from hooksd.model.trust import Trust

_NULL: Final = b"null"
_NOTHING_STARTED: Final = b'[],"not_started":[],"deliveries":[],"not_sent":[],"type":"event.accepted"}'


class Frame(Struct, frozen=True):
    """What the records of one webhook say in the same words: pieces of JSON, between which stands what differs."""

    source: bytes
    """From `source` to the name of `subject`."""
    webhook: bytes
    """From `trust` to the name of `delivery_id`."""
    origin: bytes
    """From `publisher` to the name of `runs`."""


def frame_of(webhook: str, trust: Trust, origin: Origin) -> Frame:
    """Write it.

    Args:
        webhook: The name of the webhook.
        trust: What its requests earn.
        origin: Where it is defined.
    """
    return Frame(
        b',"source":%b,"subject":' % orjson.dumps(f"webhook/{webhook}"),
        b',"trust":%b,"hop":0,"cause":null,"webhook":%b,"delivery_id":'
        % (orjson.dumps(trust.label), orjson.dumps(webhook)),
        b',"publisher":null},"origin":%b,"runs":' % orjson.dumps(origin),
    )


class EventLine(Struct, frozen=True):
    """An `EventAccepted` that is JSON already: `line_of` makes it, for the way that must be short."""

    text: bytes
    """What `journal.codec.dump` would make of that record."""
    runs: tuple[RunPlan, ...]
    deliveries: tuple[DeliveryPlan, ...] = ()


class Arrival(Struct, frozen=True):
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
    document: Document
    key: int | None = None
    observed: str | None = None
    frame: Frame | None = None
    """Of its webhook, where somebody has it."""

    @property
    def source(self) -> str:
        """What events of this webhook say where they are from."""
        return f"webhook/{self.webhook}"

    @property
    def hop(self) -> int:
        """How many emitting steps lie before it: nothing that a webhook receives was emitted here."""
        return 0

    @property
    def files(self) -> Files:
        """None: a request that brings files becomes an event at once."""
        return {}

    @property
    def folder(self) -> str:
        """Where the bytes of `files` are."""
        return ""

    @property
    def media(self) -> str:
        """The media type of the body."""
        return self.document.media

    @property
    def raw(self) -> bytes:
        """The body."""
        return self.document.raw

    @property
    def data(self) -> Json:
        """The body as a JSON value."""
        return self.document.value

    def light(self) -> Arrival:
        """Return it for those who keep it: its body as bytes alone."""
        return replace(self, document=self.document.light())

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


def _body(media: str, raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the pieces of `model.stored.store_body`, as JSON."""
    if raw and is_one_line(media, raw):
        return b'{"media":%b,"size":%d,"encoding":"json","content":' % (orjson.dumps(media), len(raw)), raw, b"}"
    return orjson.dumps(store_body(media, raw)), b"", b""


def _started(
    runs: tuple[RunPlan, ...],
    not_started: tuple[NotStarted, ...],
    deliveries: tuple[DeliveryPlan, ...],
    not_sent: tuple[NotSent, ...],
) -> bytes:
    return b'%b,"not_started":%b,"deliveries":%b,"not_sent":%b,"type":"event.accepted"}' % (
        *map(orjson.dumps, (runs, not_started, deliveries, not_sent)),
    )


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
    written = orjson.dumps
    subject, delivery_id, query, document = arrival.subject, arrival.delivery_id, arrival.query, arrival.document
    starts = runs or not_started or deliveries or not_sent
    try:
        frame = arrival.frame or frame_of(arrival.webhook, arrival.trust, origin)
        at = written(arrival.time)
        before, content, after = _body(document.media, document.raw)
        text = b"".join((
            b'{"at":', at,
            b',"revision":', written(revision),
            b',"event":{"id":', written(arrival.id),
            b',"type":', written(arrival.type),
            frame.source, _NULL if subject is None else written(subject),
            b',"time":', at,
            frame.webhook, _NULL if delivery_id is None else written(delivery_id),
            b',"headers":', written(arrival.headers),
            b',"query":', written(query) if query else b"{}",
            b',"body":', before, content, after,
            b',"files":{},"fingerprint":null,"key":', written(arrival.key),
            b',"observed":', _NULL if arrival.observed is None else written(arrival.observed),
            frame.origin, _started(runs, not_started, deliveries, not_sent) if starts else _NOTHING_STARTED,
        ))  # fmt: skip
    except TypeError as error:
        raise ValueError(f"an event.accepted record cannot be written: {error}") from error
    return EventLine(text, runs, deliveries)
