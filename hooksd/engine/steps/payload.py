"""What a request of a step carries: its body, headers and query, checked for what could break out of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson

from hooksd.engine.steps.intent import Occasion, Refuse
from hooksd.model import body

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What a header's name is made of (RFC 9110, `token`)."""
NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A body as it goes on the wire."""

    media: str
    body: bytes


def payload_of(occasion: Occasion) -> Payload | None:
    """Return the body that `json`, `text`, `form` or `data` describe; None when the step has none of them.

    Raises:
        RenderProblem: A template cannot be rendered.
    """
    if not occasion.step.values:
        return None
    if occasion.has("json"):
        return Payload(media=body.JSON, body=orjson.dumps(occasion.render("json")))
    if occasion.has("form"):
        return Payload(media=body.FORM, body=urlencode(occasion.texts("form")).encode())
    if occasion.has("text"):
        return Payload(media=body.TEXT, body=occasion.text("text").encode())
    if occasion.has("data"):
        media, raw = body.written(occasion.render("data"))
        return Payload(media=media, body=raw)
    return None


def header_problem(headers: Mapping[str, str]) -> Refuse | None:
    """Return why these headers cannot be sent, or None: data must not be able to begin a header of its own."""
    for name, value in headers.items():
        if TOKEN.fullmatch(name) is None:
            return Refuse(error=f"{name!r} is not the name of a header")
        if NOT_IN_A_HEADER.search(value):
            return Refuse(error=f"header {name} would hold a line break or another control character")
        if not value.isascii():
            return Refuse(error=f"header {name} would hold a character outside ASCII: encode it first")
    return None
