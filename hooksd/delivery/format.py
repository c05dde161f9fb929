"""Formats: what an endpoint makes of what it is given, or why it does not take it. Pure.

Judged once for each delivery, before it is created: what does not fit is refused and nothing is sent. Called by
`delivery.dispatcher` for steps and triggers, and by `delivery.distributor` for events.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

import orjson

from hooksd.config.body_schema import BodySchema
from hooksd.config.snapshot import CompiledEndpoint
from hooksd.delivery.entry import Key
from hooksd.delivery.multipart import BYTES, MEDIA, multipart
from hooksd.expr.problem import RenderProblem
from hooksd.model import body
from hooksd.model.base import Json
from hooksd.model.effect import Deliver
from hooksd.model.endpoint import Endpoint
from hooksd.model.header import header_problem

MAX_HEADER: Final = 8192
"""The longest header in characters that is made of an event."""

MAX_FILES: Final = 64 * 2**20
"""The most bytes of files that are sent where `max_payload` does not say."""
MOST_TOLD: Final = 3
"""Violations of a schema that are told."""
_WHOLE: Final = ("json", "form", "multipart")
"""Kinds of content that say themselves of which media type they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """An endpoint does not take what it was given. Nothing was sent."""

    why: str
    """For people, in one line, without URLs and secrets."""


class _Misfit(Exception):
    """It does not fit; the message says why."""


def fit_all(
    effect: Deliver, endpoints: Mapping[str, CompiledEndpoint], known: Container[Key]
) -> Sequence[Deliver] | Unfit:
    """Return what each endpoint is sent: together where it is the same.

    Args:
        effect: What they are given.
        endpoints: Those that are defined.
        known: Deliveries of steps that are there already: what they are was judged before.
    """
    same: list[str] = []
    own: list[Deliver] = []
    for name in effect.endpoints:
        endpoint = endpoints.get(name)
        if endpoint is None or endpoint.takes_all or (effect.by is None and (effect.run, effect.step, name) in known):
            same.append(name)
            continue
        fitting = fit(replace(effect, endpoints=(name,)), endpoint)
        if isinstance(fitting, Unfit):
            return fitting
        own.append(fitting)
    if not own:
        return (effect,)
    return (*((replace(effect, endpoints=tuple(same)),) if same else ()), *own)


def fit(effect: Deliver, endpoint: CompiledEndpoint) -> Deliver | Unfit:
    """Return what one endpoint is sent: its body, its query and its headers as the definition wants them.

    Args:
        effect: What it is given.
        endpoint: As defined now.
    """
    if endpoint.takes_all:
        return effect
    value = endpoint.value
    try:
        _check_query(effect.query, value.query_params)
        media, raw = effect.media, effect.body
        if value.method != "GET":
            _check_data(endpoint.schema, media, raw)
            media, raw = _content(value, effect)
        headers = _headers(effect, endpoint)
    except _Misfit as misfit:
        return Unfit(why=f"endpoint {endpoint.name}: {misfit}")
    return replace(effect, media=media, body=raw, headers=headers)


def trigger_problem(
    endpoint: CompiledEndpoint, headers: Mapping[str, str], query: Mapping[str, str], *, has_data: bool
) -> str | None:
    """Return why a trigger from outside may not give this to an endpoint.

    It may say less than a step, whose author also wrote the endpoint: only parameters that are named, and no header
    that the definition has or that decides who is asked.

    Args:
        endpoint: As defined now.
        headers: Given.
        query: Given.
        has_data: Something was given besides.
    """
    value = endpoint.value
    try:
        _check_query(query, value.query_params or ())
    except _Misfit as misfit:
        return str(misfit)
    own = {name.lower() for name in value.headers} | {"host"}
    if taken := next((name for name in headers if name.lower() in own), None):
        return f"the header {taken} is not for the caller to say"
    if has_data and value.method == "GET":
        return "it is asked with GET, which takes no data"
    return None


def _check_query(query: Mapping[str, str], allowed: Sequence[str] | None) -> None:
    unknown = next((name for name in query if allowed is not None and name not in allowed), None)
    if unknown is None or allowed is None:
        return
    known = ", ".join(f"`{name}`" for name in allowed) or "no parameters"
    raise _Misfit(f"the query takes {known}: leave {unknown[:80]!r} out")


def _check_data(schema: BodySchema | None, media: str, raw: bytes) -> None:
    wrong = () if schema is None else schema.violations(_data(media, raw) if raw else None)
    if wrong:
        raise _Misfit("; ".join(f"{violation.path}: {violation.message}" for violation in wrong[:MOST_TOLD]))


def _content(value: Endpoint, effect: Deliver) -> tuple[str, bytes]:
    """Return the body and its media type."""
    if value.content_type in _WHOLE and any(name.lower() == "content-type" for name in effect.headers):
        raise _Misfit(f'`content_type = "{value.content_type}"` says what the body is: give no header Content-Type')
    has_files = value.content_type == "multipart" and bool(effect.files)
    if has_files:
        # Their bytes are read when the delivery is created.
        media, raw = MEDIA, orjson.dumps(_beside_files(effect.media, effect.body))
    else:
        media, raw = _made(value, effect.media, effect.body) if effect.body else (effect.media, b"")
    size = len(raw) + (sum(file.size for file in effect.files.values()) if has_files else 0)
    most = MAX_FILES if value.max_payload is None and has_files else value.max_payload
    if most is not None and size > most:
        raise _Misfit(f"the body has {size} bytes, and it takes {most} at most")
    return media, raw


def _beside_files(media: str, raw: bytes) -> Mapping[str, Json]:
    """Return the fields of a form with files; a body that is a file itself is one of them."""
    return {} if body.is_binary(media) or not raw else _members(_data(media, raw))


def _made(value: Endpoint, media: str, raw: bytes) -> tuple[str, bytes]:
    if value.payload_encoding == "base64":
        return BYTES, _decoded(_text(media, raw))
    match value.content_type:
        case "json":
            return (media, raw) if body.is_json(media) else (body.JSON, orjson.dumps(_data(media, raw)))
        case "form":
            return (media, raw) if media == body.FORM else (body.FORM, urlencode(_fields(_data(media, raw))).encode())
        case "multipart":
            return _multipart(media, raw)
        case "raw":
            return (body.TEXT, _text(media, raw).encode()) if body.is_json(media) else (media, raw)
        case None:
            return media, raw


def _data(media: str, raw: bytes) -> Json:
    if body.is_binary(media):
        raise _Misfit(f"it takes data, and this is {media}")
    try:
        return body.parse(media, raw)
    except ValueError as error:
        raise _Misfit(f"the body is not {media or 'text'}: {error}") from error


def _text(media: str, raw: bytes) -> str:
    text = _data(media, raw)
    if not isinstance(text, str):
        raise _Misfit("it takes text, and this is another kind of data")
    return text


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _Misfit("the text is not base64") from error


def _members(data: Json) -> Mapping[str, Json]:
    if isinstance(data, Mapping):
        return data
    raise _Misfit("it takes the fields of a form, so give it an object")


def _fields(data: Json) -> list[tuple[str, str]]:
    return [
        (name, _field(item))
        for name, value in _members(data).items()
        for item in (value if isinstance(value, list) else [value])
    ]


def _field(value: Json) -> str:
    return body.written(value)[1].decode()


def _multipart(media: str, raw: bytes) -> tuple[str, bytes]:
    if media.startswith("multipart/"):
        return media, raw
    try:
        return multipart(_members(_data(media, raw)))
    except ValueError as error:
        raise _Misfit(str(error)) from error


def _headers(effect: Deliver, endpoint: CompiledEndpoint) -> Mapping[str, str]:
    """Return the headers of the delivery: those that it brings, and those that the endpoint makes of the event."""
    if not endpoint.templates:
        return effect.headers
    given = {name.lower() for name in effect.headers}
    scope = effect.scope() if effect.scope else {}
    made: dict[str, str] = {}
    for name, template in endpoint.templates.items():
        if name.lower() in given:
            continue
        try:
            made[name] = template.text(scope)
        except RenderProblem as problem:
            raise _Misfit(f"the header {name} cannot be made: {problem}") from problem
        if len(made[name]) > MAX_HEADER:
            raise _Misfit(f"the header {name} would be longer than {MAX_HEADER} characters")
        if (wrong := header_problem(name, made[name])) is not None:
            raise _Misfit(wrong)
    return {**made, **effect.headers}
