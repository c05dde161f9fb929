"""An event on disk, and the way there and back.

The line in the log holds the exact bytes of a JSON body that has no line breaks; read back, it is the same value in
compact form. Every other body comes back byte for byte.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Literal

import orjson

from hooksd.model import body
from hooksd.model.base import Json
from hooksd.model.event import Cause, Event
from hooksd.model.ids import EventId, RunId
from hooksd.model.received import ReceivedFile
from hooksd.model.trust import trust_of
from hooksd.model.value import fact

BLOB_THRESHOLD = 64 * 1024
"""Bodies longer than this many bytes are kept as blobs beside the log."""

BodyEncoding = Literal["json", "text", "base64", "blob", "none"]


@fact
class StoredBody:
    """A body on disk."""

    media: str
    size: int
    """Bytes as received."""
    encoding: BodyEncoding
    """What `content` is: the JSON value, the text, base64, the digest of a blob, or nothing."""
    content: Json = None


@fact
class StoredCause:
    """What emitted an event; `step` is null when the end of the run did."""

    event: str
    run: str
    step: str | None


@fact
class StoredEvent:
    """An event on disk (CloudEvents 1.0 attributes and ours)."""

    id: str
    type: str
    source: str
    subject: str | None
    time: str
    trust: Literal["anonymous", "token", "signed", "local"]
    hop: int
    cause: StoredCause | None
    webhook: str | None
    delivery_id: str | None
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: StoredBody
    files: Mapping[str, ReceivedFile] = field(default_factory=dict)
    """By name: see `hooksd.model.received.Files`."""
    fingerprint: str | None = None
    """Of the request, where the caller chose `delivery_id`: the same id with another request is refused."""
    key: int | None = None
    """The place of the secret that the caller used, from 0: which one is still in use while rotating."""
    observed: str | None = None
    """Where the webhook only observes: `accepted`, or the reason for which it would have refused the request."""
    publisher: str | None = None
    """Who published it over the admin listener: the name of the key, or of the local user."""


def is_one_line(media: str, raw: bytes) -> bool:
    """Tell whether a body stands in a record as it came: it is JSON, and one line can hold it."""
    if media != body.JSON and not body.is_json(media):
        return False
    return raw.find(b"\n") < 0 and raw.find(b"\r") < 0  # `in` takes twice as long


def store_body(media: str, raw: bytes, blob: str | None = None) -> StoredBody:
    """Choose how a body stands in a record: as the JSON value itself where one line holds its exact bytes.

    The caller has made sure that a body of a JSON media type is valid JSON.

    Args:
        media: The media type.
        raw: The exact bytes.
        blob: The digest of the blob that holds them; needed above `BLOB_THRESHOLD`.
    """
    if blob is not None:
        return StoredBody(media=media, size=len(raw), encoding="blob", content=blob)
    if not raw:
        return StoredBody(media=media, size=0, encoding="none")
    if is_one_line(media, raw):
        return StoredBody(media=media, size=len(raw), encoding="json", content=orjson.Fragment(raw))
    try:
        return StoredBody(media=media, size=len(raw), encoding="text", content=raw.decode("utf-8"))
    except UnicodeDecodeError:
        return StoredBody(media=media, size=len(raw), encoding="base64", content=base64.b64encode(raw).decode())


def restore_body(stored: StoredBody, blob: Callable[[str], bytes]) -> bytes:
    """Return the bytes of a stored body; JSON values come back in compact form.

    Args:
        stored: The body on disk.
        blob: Reads the blob of a digest.
    """
    match stored.encoding:
        case "none":
            return b""
        case "json":
            return orjson.dumps(stored.content)
        case "text":
            return str(stored.content).encode()
        case "base64":
            return base64.b64decode(stored.content)
        case "blob":
            return blob(stored.content)


def store(event: Event, blob: str | None = None) -> StoredEvent:
    """Return the event as it stands in the log."""
    cause = event.cause
    return StoredEvent(
        id=event.id,
        type=event.type,
        source=event.source,
        subject=event.subject,
        time=event.time,
        trust=event.trust.name.lower(),  # type: ignore[arg-type] # the enum's names are these literals
        hop=event.hop,
        cause=StoredCause(event=cause.event, run=cause.run, step=cause.step) if cause else None,
        webhook=event.webhook,
        delivery_id=event.delivery_id,
        headers=event.headers,
        query=event.query,
        body=store_body(event.media, event.raw, blob),
        files=event.files,
        fingerprint=event.fingerprint,
        key=event.key,
        observed=event.observed,
        publisher=event.publisher,
    )


def restore(stored: StoredEvent, blob: Callable[[str], bytes], folder: str = "") -> Event:
    """Return the event that `store` stored.

    Args:
        stored: The event on disk.
        blob: Reads the blob of a digest.
        folder: The directory of the log, for whoever reads the paths of files.
    """
    raw = restore_body(stored.body, blob)
    cause = stored.cause
    return Event(
        id=EventId(stored.id),
        type=stored.type,
        source=stored.source,
        subject=stored.subject,
        time=stored.time,
        trust=trust_of(stored.trust),
        hop=stored.hop,
        cause=Cause(event=EventId(cause.event), run=RunId(cause.run), step=cause.step) if cause else None,
        webhook=stored.webhook,
        delivery_id=stored.delivery_id,
        headers=stored.headers,
        query=stored.query,
        media=stored.body.media,
        raw=raw,
        data=body.parse(stored.body.media, raw),
        files=stored.files,
        folder=folder,
        fingerprint=stored.fingerprint,
        key=stored.key,
        observed=stored.observed,
        publisher=stored.publisher,
    )
