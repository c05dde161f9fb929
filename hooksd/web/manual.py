"""What an operator triggers by hand: the request read, and the event that it means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from hooksd.clock import rfc3339
from hooksd.model import body
from hooksd.model.base import Json
from hooksd.model.endpoint import Endpoint
from hooksd.model.event import Event
from hooksd.model.ids import EventId
from hooksd.model.own import PING
from hooksd.model.trust import Trust

MANUAL = "manual"
"""The type of the event that starts a workflow by name."""

_TYPE = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,512}")


class NotMeant(Exception):
    """The request asks for nothing that can be done. The message says what to send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartWorkflow:
    """Start one workflow, whatever its `on` says."""

    workflow: str
    data: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishEvent:
    """Publish an event, as if a webhook had received it."""

    event_type: str
    data: Json


Trigger = StartWorkflow | PublishEvent


def read_trigger(document: Json) -> Trigger:
    """Read the body of `POST /api/v1/trigger`.

    Raises:
        NotMeant: It names neither a workflow nor an event type, or both, or has keys that mean nothing.
    """
    if not isinstance(document, Mapping):
        raise NotMeant('send a JSON object like {"workflow": "NAME", "data": {}}')
    if unknown := sorted(set(document) - {"workflow", "event", "data"}):
        raise NotMeant(f"unknown key {unknown[0]!r}; the keys are `workflow` or `event`, and `data`")
    match (document.get("workflow"), document.get("event")):
        case (str(workflow), None):
            return StartWorkflow(workflow=workflow, data=document.get("data"))
        case (None, str(event_type)) if _TYPE.fullmatch(event_type):
            return PublishEvent(event_type=event_type, data=document.get("data"))
        case (None, str()):
            raise NotMeant("`event` is an event type: 1 to 512 characters and no control characters")
        case _:
            raise NotMeant("name either a `workflow` or an `event` type, as text")


def manual_event(identifier: EventId, trigger: Trigger, now: float) -> Event:
    """Return the event that an operator means: with the trust of the machine itself.

    Args:
        identifier: Its name.
        trigger: What was asked for.
        now: Unix seconds.
    """
    return Event(
        id=identifier,
        type=trigger.event_type if isinstance(trigger, PublishEvent) else MANUAL,
        source="cli",
        subject=None,
        time=rfc3339(now),
        trust=Trust.LOCAL,
        media=body.JSON,
        raw=b"" if trigger.data is None else orjson.dumps(trigger.data),
        data=trigger.data,
    )


def ping_event(identifier: EventId, endpoint: str, value: Endpoint, now: float, *, sender: str | None = None) -> Event:
    """Return the event that asks an endpoint whether it works. It says what the endpoint gets, and no address.

    Args:
        identifier: Its name.
        endpoint: The name of the endpoint.
        value: Its definition.
        now: Unix seconds.
        sender: Who asked for it; None: nobody did, the definition is new.
    """
    webhook = {
        "id": endpoint,
        "method": value.method,
        "description": value.description,
        "subscribe": list(value.subscribe),
        "shape": value.shape,
        "content_type": value.content_type,
        "include_entity": value.include_entity,
        "ping": value.ping,
    }
    told = {} if sender is None else {"sender": {"name": sender}}
    data = {"endpoint": endpoint, **told, "webhook": webhook}
    return Event(
        id=identifier,
        type=PING,
        source="hooksd",
        subject=None,
        time=rfc3339(now),
        trust=Trust.LOCAL,
        media=body.JSON,
        raw=orjson.dumps(data),
        data=data,
    )
