"""An event as somebody publishes it: read from a request, in every form that CloudEvents have over HTTP. Pure.

    application/cloudevents+json         one event, its attributes beside its `data`
    application/cloudevents-batch+json   a list of them
    application/json without `ce-type`   `{"type": ..., "data": ...}`: for whoever knows nothing of CloudEvents
    all else                             the body is the data, attributes are headers that begin with `ce-`

Source: CloudEvents 1.0.2 (HTTP protocol binding, JSON event format, type system).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

import orjson

from hooksd.instant import unix
from hooksd.model import body
from hooksd.model.base import Json
from hooksd.web.body import Unreadable, parse_body
from hooksd.web.naming import MAX_ID, MAX_SUBJECT, MAX_TYPE, RESERVED

EVENT: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
MOST: Final = 500
"""Events in one request."""
MAX_ATTRIBUTES: Final = 64
MAX_VALUE: Final = 4096
"""Characters of an attribute that has no limit of its own."""

_FAMILY: Final = "application/cloudevents"
_PREFIX: Final = "ce-"
_LIMITS: Final[Mapping[str, int]] = {"id": MAX_ID, "source": 1024, "type": MAX_TYPE, "subject": MAX_SUBJECT}
_REQUIRED: Final = ("id", "source", "type")
_PLAIN: Final = frozenset({"type", "data", "id", "source", "subject", "time"})
_OWN_TYPES: Final = frozenset({"manual", "ping"})
_OWN_SOURCES = re.compile(r"(webhook|workflow)/.*|cli|hooksd", re.DOTALL)
_NAME = re.compile(r"[a-z0-9]{1,64}")
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""What the type system forbids in a text: control characters, halves of characters and what is no character."""
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_MEDIA = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,127}/[a-z0-9!#$%&'*+.^_`|~-]{1,127}")
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^";\s]+)', re.IGNORECASE)


class Unfit(Exception):
    """The request publishes nothing. The message says what is wrong, where, and what to send."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One event, as its publisher says it."""

    attributes: Mapping[str, str]
    """All that were given, `type` among them; of CloudEvents also `specversion`, `id` and `source`."""
    media: str
    """The media type of the data, in lower case, without parameters."""
    raw: bytes
    data: Json


def publications(headers: Sequence[tuple[str, str]], raw: bytes) -> list[Publication]:
    """Read a request: one event, or those of a batch, in their order.

    Args:
        headers: Names in lower case, values as Latin-1, as they came.
        raw: The whole body.

    Raises:
        Unfit: It is not what it says, or what nobody may publish.
    """
    content = _one(headers, "content-type") or ""
    media = _media_of(content)
    coding = (_one(headers, "content-encoding") or "identity").strip().lower()
    if coding != "identity":
        raise Unfit(415, f"send the body as it is, without content coding {coding[:80]!r}")
    if media == BATCH:
        return _batch(raw)
    if media == EVENT:
        return [_structured(_parsed(body.JSON, raw))]
    if media.startswith(_FAMILY):
        raise Unfit(415, f"events are read as {EVENT} or {BATCH}, not as {media[:80]!r}")
    if any(name.startswith(_PREFIX) for name, _ in headers):
        return [_binary(headers, media or body.JSON, raw)]
    if media == body.JSON:
        return [_plain(_parsed(body.JSON, raw))]
    found = repr(media[:80]) if media else "none"
    raise Unfit(
        415,
        f"send a CloudEvent (`Content-Type: {EVENT}`, {BATCH}, or the attributes as headers like `ce-type`), or "
        f'`Content-Type: {body.JSON}` with {{"type": "...", "data": ...}}; this request has the media type {found}',
    )


def single(headers: Sequence[tuple[str, str]], raw: bytes) -> Publication:
    """Read a request that publishes exactly one event.

    Raises:
        Unfit: See `publications`; or it is a batch.
    """
    if _media_of(_one(headers, "content-type") or "") == BATCH:
        raise Unfit(415, f"one event at a time can be sent here: send it as {EVENT}")
    return publications(headers, raw)[0]


def _batch(raw: bytes) -> list[Publication]:
    items = _parsed(body.JSON, raw)
    if not isinstance(items, list):
        raise Unfit(422, f"a batch is a JSON array of events; one event is sent as {EVENT}")
    if len(items) > MOST:
        raise Unfit(413, f"a batch has at most {MOST} events, this one has {len(items)}: send it in parts")
    return [_placed(place, item) for place, item in enumerate(items)]


def _placed(place: int, item: Json) -> Publication:
    try:
        return _structured(item)
    except Unfit as error:
        raise Unfit(error.status, f"event {place} of the batch, counted from 0: {error}; none was accepted") from error


def _structured(tree: Json) -> Publication:
    if not isinstance(tree, dict):
        raise Unfit(422, "a CloudEvent is a JSON object")
    if "data" in tree and "data_base64" in tree:
        raise Unfit(422, "an event has `data` or `data_base64`, not both")
    attributes = {
        name: _text(name, value)
        for name, value in tree.items()
        if name not in ("data", "data_base64") and value is not None
    }
    media = _media_of(attributes.pop("datacontenttype", body.JSON))
    _check(attributes)
    if "data_base64" in tree:
        raw = _decoded(tree["data_base64"])
        return Publication(attributes=attributes, media=media, raw=raw, data=_parsed(media, raw))
    return _with_data(attributes, media, tree.get("data"))


def _with_data(attributes: Mapping[str, str], media: str, data: Json) -> Publication:
    if data is None:
        return Publication(attributes=attributes, media=media, raw=b"", data=None)
    if body.is_json(media):
        return Publication(attributes=attributes, media=media, raw=orjson.dumps(data), data=data)
    if not isinstance(data, str):
        raise Unfit(422, f"`data` of the media type {media[:80]!r} is a JSON string, or `data_base64` its bytes")
    raw = data.encode()
    return Publication(attributes=attributes, media=media, raw=raw, data=_parsed(media, raw))


def _binary(headers: Sequence[tuple[str, str]], media: str, raw: bytes) -> Publication:
    attributes: dict[str, str] = {}
    for name, value in headers:
        if not name.startswith(_PREFIX):
            continue
        attribute = name.removeprefix(_PREFIX)
        if attribute in attributes:
            raise Unfit(400, f"the header `{name[:80]}` stands there twice")
        if attribute == "datacontenttype":
            raise Unfit(400, "the media type of the data is `Content-Type`, not `ce-datacontenttype`")
        attributes[attribute] = _unescaped(name, value)
    _check(attributes)
    return Publication(attributes=attributes, media=media, raw=raw, data=_parsed(media, raw))


def _plain(tree: Json) -> Publication:
    if not isinstance(tree, dict):
        raise Unfit(422, f'send {{"type": "...", "data": ...}}; several events are sent as {BATCH}')
    if "specversion" in tree:
        raise Unfit(415, f"this is a CloudEvent: send it with `Content-Type: {EVENT}`")
    if unknown := sorted(set(tree) - _PLAIN):
        names = ", ".join(f"`{name}`" for name in sorted(_PLAIN))
        raise Unfit(422, f"unknown key {unknown[0][:80]!r}; the keys are {names}, and what happened is `data`")
    attributes = {name: _text(name, value) for name, value in tree.items() if name != "data" and value is not None}
    _check_values(attributes, ("type",))
    return _with_data(attributes, body.JSON, tree.get("data"))


def _check(attributes: Mapping[str, str]) -> None:
    """Judge the attributes of a CloudEvent."""
    version = attributes.get("specversion")
    if version != "1.0":
        found = "none" if version is None else repr(version[:80])
        raise Unfit(422, f"`specversion` must be '1.0', not {found}")
    _check_values(attributes, _REQUIRED)


def _check_values(attributes: Mapping[str, str], required: Sequence[str]) -> None:
    if len(attributes) > MAX_ATTRIBUTES:
        raise Unfit(422, f"an event has at most {MAX_ATTRIBUTES} attributes, this one has {len(attributes)}")
    for name in required:
        if not attributes.get(name):
            raise Unfit(422, f"the attribute `{name}` is missing or empty")
    for name, value in attributes.items():
        if not _NAME.fullmatch(name):
            raise Unfit(422, f"attributes are named with small letters and digits, not {name[:80]!r}")
        most = _LIMITS.get(name, MAX_VALUE)
        if not value or len(value) > most or _UNFIT.search(value):
            raise Unfit(422, f"the attribute `{name}` is 1 to {most} characters and no control characters")
    _check_meaning(attributes)


def _check_meaning(attributes: Mapping[str, str]) -> None:
    kind, source = attributes["type"], attributes.get("source", "")
    if kind.startswith(RESERVED) or kind in _OWN_TYPES:
        own = ", ".join((*(f"`{family}*`" for family in RESERVED), *(f"`{own}`" for own in sorted(_OWN_TYPES))))
        raise Unfit(422, f"the type {kind[:80]!r} is hooksd's own, as are {own}: choose another one")
    if _OWN_SOURCES.fullmatch(source) or " " in source:
        raise Unfit(
            422,
            f"the source {source[:80]!r} is not for publishers: `source` is a URI without spaces, and `webhook/*`, "
            "`workflow/*`, `cli` and `hooksd` are what hooksd calls its own",
        )
    if "time" in attributes and not _is_moment(attributes["time"]):
        raise Unfit(422, f"`time` is like '2026-11-22T09:00:00Z' (RFC 3339), not {attributes['time'][:80]!r}")


def _is_moment(text: str) -> bool:
    try:
        unix(text)
    except (ValueError, OverflowError):
        return False
    return "T" in text.upper()


def _text(name: str, value: Json) -> str:
    """Return the canonical text of an attribute in JSON: a text, a truth or a whole number."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            raise Unfit(
                422, f"the attribute {name[:80]!r} is a text, a whole number, true or false; what is said is `data`"
            )


def _unescaped(name: str, value: str) -> str:
    """Return what a header says: without quotes, then percent-decoded, once (section 3.1.3.2)."""
    quoted = _QUOTED.fullmatch(value)
    text = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else value
    if not text.isascii() or _PERCENT.search(text):
        raise Unfit(400, f"the header `{name[:80]}` holds what must be percent-encoded: `%25` is a percent sign")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise Unfit(400, f"the header `{name[:80]}` is not UTF-8 when it is percent-decoded") from error


def _decoded(value: Json) -> bytes:
    if not isinstance(value, str):
        raise Unfit(422, "`data_base64` is a text")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unfit(422, "`data_base64` is not base64 (RFC 4648, section 4)") from error


def _parsed(media: str, raw: bytes) -> Json:
    try:
        return parse_body(media, raw)
    except Unreadable as error:
        raise Unfit(400, str(error)) from error


def _media_of(content: str) -> str:
    charset = _CHARSET.search(content)
    if charset is not None and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Unfit(415, f"send UTF-8, not the charset {charset[1][:80]!r}")
    media = content.partition(";")[0].strip().lower()
    if content and not _MEDIA.fullmatch(media):
        raise Unfit(415, f"{media[:80]!r} is no media type")
    return media


def _one(headers: Sequence[tuple[str, str]], name: str) -> str | None:
    values = [value for key, value in headers if key == name]
    if len(values) > 1:
        raise Unfit(400, f"the header `{name}` stands there twice")
    return values[0] if values else None
