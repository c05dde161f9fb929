"""Shapes: from an event to the message that an endpoint gets of it by subscription. Pure.

Called by `delivery.distributor` once for each delivery, so that every attempt sends the same bytes.

Source: CloudEvents 1.0 (HTTP protocol binding, JSON format); what Etlworks Integrator and Virtuoso say of webhooks.
"""

from __future__ import annotations

import base64
from urllib.parse import quote, urlencode

import orjson

from hooksd.instant import unix
from hooksd.model import body
from hooksd.model.base import Json
from hooksd.model.endpoint import Shape
from hooksd.model.event import Event
from hooksd.model.own import PING
from hooksd.model.value import value

CLOUDEVENT = "application/cloudevents+json"

MAX_HEADER = 2048
"""The longest value in characters that a body puts into a header."""

_PRINTABLE = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""ASCII that stands in a header of a CloudEvent as it is: all that is printed but the space, `"` and `%`."""
_VIRTUOSO_ALWAYS = ("sender", "organization", "project")
"""Members that Virtuoso sends whatever happened."""


@value
class Message:
    """What is sent of an event."""

    headers: dict[str, str]
    """Its own, to which whoever asked may add."""
    media: str
    body: bytes


def shaped(event: Event, *, shape: Shape, endpoint: str, delivery: str, is_form: bool, has_entity: bool) -> Message:
    """Return the message of an event.

    Args:
        event: The event.
        shape: How the endpoint wants it.
        endpoint: The name of the endpoint.
        delivery: The id of the delivery.
        is_form: The endpoint wants a form instead of JSON.
        has_entity: The message holds the body of the event, and not only what is said about it.
    """
    match shape:
        case "json":
            return Message(headers={}, media=event.media, body=event.raw)
        case "cloudevents":
            return _binary(event, has_entity=has_entity)
        case "cloudevents-structured":
            return _structured(event, has_entity=has_entity)
        case "etlworks":
            return _etlworks(event, endpoint, delivery, is_form=is_form, has_entity=has_entity)
        case "virtuoso":
            return _virtuoso(event, endpoint, has_entity=has_entity)


def _attributes(event: Event) -> dict[str, str]:
    if event.publisher is not None:
        # It was a CloudEvent when it came: it goes on as the one it was.
        return {name.removeprefix("ce-"): text for name, text in event.headers.items() if name.startswith("ce-")}
    subject = {"subject": event.subject} if event.subject else {}
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": quote(event.source, safe="/"),
        "type": event.type,
        "time": event.time,
        **subject,
    }


def _binary(event: Event, *, has_entity: bool) -> Message:
    headers = {f"ce-{name}": quote(value, safe=_PRINTABLE) for name, value in _attributes(event).items()}
    if not has_entity:
        return Message(headers=headers, media="", body=b"")
    return Message(headers=headers, media=event.media, body=event.raw)


def _structured(event: Event, *, has_entity: bool) -> Message:
    tree: dict[str, Json] = {**_attributes(event)}
    if has_entity and event.raw:
        tree["datacontenttype"] = event.media
        if body.is_json(event.media):
            tree["data"] = event.data
        else:
            tree.update(_text_or_bytes(event.raw))
    return Message(headers={}, media=CLOUDEVENT, body=orjson.dumps(tree))


def _text_or_bytes(raw: bytes) -> dict[str, Json]:
    try:
        return {"data": raw.decode()}
    except UnicodeDecodeError:
        return {"data_base64": base64.b64encode(raw).decode()}


def _etlworks(event: Event, endpoint: str, delivery: str, *, is_form: bool, has_entity: bool) -> Message:
    told = event.data if isinstance(event.data, dict) else {}
    given, url = told.get("entityId"), told.get("entityUrl")
    entity_id = given if isinstance(given, int | str) else event.subject
    headers = {
        "X-Etl-Webhook-Event-Id": delivery,
        "X-Etl-Webhook-Event": quote(event.type, safe=_PRINTABLE),
        "X-Etl-Webhook-Id": endpoint,
        "X-Etl-Webhook-Entity-Id": quote(_text(entity_id)[:MAX_HEADER], safe=_PRINTABLE),
    }
    tree: dict[str, Json] = {
        "eventId": delivery,
        "eventType": event.type,
        "webhookId": endpoint,
        "entityId": entity_id,
    }
    if has_entity:
        tree["entity"] = told.get("entity", event.data)
    if isinstance(url, str) and len(url) <= MAX_HEADER:
        headers["X-Etl-Webhook-Entity-URL"] = quote(url, safe=_PRINTABLE + "%")
        tree["entityUrl"] = url
    tree["timestamp"] = int(unix(event.time) * 1000)
    if is_form:
        fields = urlencode({name: _text(value) for name, value in tree.items()})
        return Message(headers=headers, media=body.FORM, body=fields.encode())
    return Message(headers=headers, media=body.JSON, body=orjson.dumps(tree))


def _text(value: Json) -> str:
    """Return a value as a field of a form or a header has it: text as it is, nothing for null, all else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _virtuoso(event: Event, endpoint: str, *, has_entity: bool) -> Message:
    kind, _, happened = event.type.rpartition(".")
    tree: dict[str, Json] = {"type": (kind or happened).upper()}
    if kind:
        tree["event"] = happened.upper()
    has_entity = has_entity or event.type == PING  # nothing happened to anything: what it says is all there is
    if not isinstance(event.data, dict):
        tree.update({"data": event.data} if has_entity else {})
    else:
        kept = {key: value for key, value in event.data.items() if has_entity or key in _VIRTUOSO_ALWAYS}
        tree = {**kept, **tree}
    tree["webhookId"] = endpoint
    return Message(headers={}, media=body.JSON, body=orjson.dumps(tree))
