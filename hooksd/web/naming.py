"""What an event is called and what it is about. Pure: the receiver calls it once per authentic request."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from hooksd.config.snapshot import CompiledWebhook
from hooksd.expr.problem import RenderProblem
from hooksd.expr.scope import Scope
from hooksd.expr.template import Template

MAX_TYPE: Final = 512
"""Characters of an event type."""

MAX_SUBJECT: Final = 1024
"""Characters of a subject; a longer one is cut."""

MAX_ID: Final = 512
"""Characters of the id of a delivery; a longer one that `dedupe` makes is replaced by its SHA-256."""

RESERVED: Final = ("workflow.", "config.", "daemon.", "log.")
"""What hooksd calls its own events. A caller's data must not name one, or it could speak for the daemon."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class Unnamed(Exception):
    """The request does not say what the event would be called or be about. The message is for the caller."""


def event_type(webhook: CompiledWebhook, said: str | None, scope: Scope) -> str:
    """Return the type of the event.

    Args:
        webhook: Who received it.
        said: The provider's own word for what happened; it comes after the webhook's name.
        scope: What the webhook's `event` template reads.

    Raises:
        Unnamed: The template misses a value, or the text is no event type.
    """
    if said:
        text = f"{webhook.name}.{said}"
        # What is printable has no control characters, which is seen sooner.
        return text if text.isprintable() and len(text) <= MAX_TYPE else _checked(text)
    if webhook.event is None:
        return f"webhook.{webhook.name}"
    text = _render(webhook.event, "event", scope)
    if not webhook.event.is_constant and text.startswith(RESERVED):
        raise Unnamed(f"`event` gives {text[:80]!r}, but types that start with {', '.join(RESERVED)} are hooksd's own")
    return _checked(text)


def subject(webhook: CompiledWebhook, scope: Scope) -> str | None:
    """Return what the event is about, or None; control characters, which CloudEvents forbids, become spaces.

    Raises:
        Unnamed: The template misses a value.
    """
    if webhook.subject is None:
        return None
    return _CONTROL.sub(" ", _render(webhook.subject, "subject", scope)).strip()[:MAX_SUBJECT] or None


def delivery_id(webhook: CompiledWebhook, said: str | None, scope: Scope) -> str | None:
    """Return what tells one delivery from another.

    Args:
        webhook: Who received it.
        said: The provider's id of it.
        scope: What the webhook's `dedupe` template reads.

    Raises:
        Unnamed: The template misses a value, or gives nothing.
    """
    if webhook.entry is None or webhook.entry.dedupe is None:
        return said
    text = _render(webhook.entry.dedupe, "dedupe", scope)
    if not text:
        raise Unnamed("`dedupe` of this webhook gives an empty text for this request")
    return text if len(text) <= MAX_ID else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _render(template: Template, key: str, scope: Scope) -> str:
    try:
        return template.text(scope)
    except RenderProblem as error:
        wanted = f"`{error.missing}` is missing" if error.missing else error.message
        raise Unnamed(f"`{key}` of this webhook cannot be made from this request: {wanted}") from error


def _checked(text: str) -> str:
    if not text or len(text) > MAX_TYPE or _CONTROL.search(text):
        raise Unnamed(f"an event type is 1 to {MAX_TYPE} characters and no control characters, not {text[:80]!r}")
    return text
