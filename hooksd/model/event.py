"""An event: one accepted request, emitted message, manual trigger or notice of the daemon itself (CloudEvents 1.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hooksd.model.base import Json
from hooksd.model.ids import EventId, RunId
from hooksd.model.received import Files
from hooksd.model.trust import Trust
from hooksd.model.value import value

MAX_HOP = 16
"""An event emitted further than this from the first cause is refused: workflows that start each other must end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The step of the run that emitted an event; no step: the end of the run itself."""

    event: EventId
    run: RunId
    step: str | None


@value
class Event:
    """One event as workflows see it. Values of credentials have been replaced before it is made."""

    id: EventId
    type: str
    """Like `github.push`."""
    source: str
    """`webhook/NAME`, `workflow/NAME`, `cli` or `hooksd`; or what the publisher says."""
    subject: str | None
    time: str
    """When it was received, RFC 3339 in UTC."""
    trust: Trust
    hop: int = 0
    """How many emitting steps lie between it and the first cause."""
    cause: Cause | None = None
    webhook: str | None = None
    delivery_id: str | None = None
    """The provider's id of this delivery, or the publisher's id of the event."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case; values of repeated ones joined with commas."""
    query: Mapping[str, str] = field(default_factory=dict)
    media: str = "application/json"
    """The media type of the body, in lower case, without parameters."""
    raw: bytes = b""
    """The exact bytes of the body."""
    data: Json = None
    """The body as workflows read it: see `hooksd.model.body.parse`."""
    files: Files = field(default_factory=dict)
    """What the request brought besides, or as, its body."""
    folder: str = ""
    """Where the bytes of `files` are: the directory of the log."""
    fingerprint: str | None = None
    """Of the request, where the caller chose the id of the delivery: 16 hexadecimal digits."""
    key: int | None = None
    """The place of the secret or proof that fitted, from 0; None where nothing fitted."""
    observed: str | None = None
    """Where the webhook only observes: `accepted`, or why the request would have been refused."""
    publisher: str | None = None
    """Who published it over the admin listener: the name of the key, or of the local user."""
