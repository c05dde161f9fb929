"""`emit`: publish an event that may start further workflows. Loops end, because every event knows how far it came."""

from __future__ import annotations

import orjson

from hooksd.engine.steps.intent import Intent, Occasion, Publish, Refuse
from hooksd.model import body
from hooksd.model.event import MAX_HOP


def prepare(occasion: Occasion) -> Intent:
    """Render type, subject and body.

    Raises:
        RenderProblem: A template cannot be rendered.
    """
    kind = occasion.text("emit")
    event = occasion.run.event
    if (reason := occasion.rights.denial("emit", kind)) is not None:
        return Refuse(error=reason)
    if not kind or len(kind) > 512 or not kind.isprintable() or " " in kind:
        return Refuse(error=f"not an event type: {kind[:80]!r}; it is up to 512 printable characters without spaces")
    if event.hop >= MAX_HOP:
        return Refuse(error=f"this event is {event.hop} events away from the first one: workflows start each other")
    subject = occasion.text("subject") if occasion.has("subject") else event.subject
    if not occasion.has("json"):
        return Publish(type=kind, subject=subject, media=event.media, raw=event.raw, data=event.data)
    data = occasion.render("json")
    return Publish(type=kind, subject=subject, media=body.JSON, raw=orjson.dumps(data), data=data)
