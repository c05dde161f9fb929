"""What expressions can read of an event: JSON data. Pure.

Called by `engine.scope` for workflows, and by `delivery.format` for the headers of endpoints.
"""

from __future__ import annotations

from hooksd.model.arrival import Arrival
from hooksd.model.base import Json
from hooksd.model.event import Event


def event_json(event: Event | Arrival) -> dict[str, Json]:
    """Return an event as programs and expressions see it, with the attributes of CloudEvents 1.0 and ours."""
    return {
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "subject": event.subject,
        "time": event.time,
        "trust": event.trust.label,
        "hop": event.hop,
        "webhook": event.webhook,
        "data": event.data,
        # As templates name them, so that a program that gets the event finds the request in it by the same names.
        "body": event.data,
        "headers": dict(event.headers),
        "query": dict(event.query),
        "files": files_json(event),
    }


def files_json(event: Event | Arrival) -> dict[str, Json]:
    """Return the files of an event by name, each with the path to its bytes."""
    return {key: file.as_json(event.folder) for key, file in event.files.items()}


def request_scope(event: Event | Arrival) -> dict[str, Json]:
    """Return what the headers of an endpoint can read: the event, and the request that it came by."""
    return {
        "event": event_json(event),
        "body": event.data,
        "headers": dict(event.headers),
        "query": dict(event.query),
    }
