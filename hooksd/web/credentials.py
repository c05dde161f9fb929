"""What must not be kept of a request: values that would let a reader of the log act as the caller."""

from __future__ import annotations

from collections.abc import Container, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

import orjson

from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Verifier
from hooksd.model import body
from hooksd.model.base import Json

HIDDEN: Final = "***"
"""What stands in the place of a credential."""

CREDENTIAL_HEADERS: Final = frozenset({
    "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "apikey", "x-auth-token",
    "x-access-token", "x-amz-security-token", "x-csrf-token", "x-gitlab-token",
})  # fmt: skip
"""Headers, in lower case, that are hidden whether the webhook's authentication reads them or not."""

MAX_FIELDS: Final = body.MAX_FIELDS
"""The most query parameters that a request may have."""


@lru_cache(maxsize=64)
def _secret(of_webhook: frozenset[str]) -> frozenset[str]:
    """Return the headers that are hidden, in one set; most webhooks share it."""
    return CREDENTIAL_HEADERS | of_webhook


def kept_headers(request: Inbound, verifier: Verifier) -> Mapping[str, str]:
    """Return the headers that an event keeps: credentials hidden, values of repeated ones joined with commas."""
    secret, found = _secret(verifier.credential_headers), request.unrepeated
    if found is not None:
        kept = dict(found)
        for name in secret.intersection(found):
            kept[name] = HIDDEN
        return kept
    kept = {}
    for name, value in request.pairs:
        if name in secret:
            kept[name] = HIDDEN
        elif name in kept:
            kept[name] = f"{kept[name]}, {value}"
        else:
            kept[name] = value
    return kept


def kept_query(request: Inbound, verifier: Verifier, hidden: Container[str] = ()) -> dict[str, str]:
    """Return the query that an event keeps: credentials hidden, values of repeated names joined with commas.

    Args:
        request: The request.
        verifier: Knows which parameters are credentials.
        hidden: More of them.

    Raises:
        ValueError: There are more than `MAX_FIELDS` parameters.
    """
    if not request.query_string:
        return {}
    pairs = parse_qsl(request.query_string, keep_blank_values=True, errors="replace", max_num_fields=MAX_FIELDS)
    kept: dict[str, str] = {}
    for name, value in pairs:
        if name in verifier.credential_fields or name in hidden:
            kept[name] = HIDDEN
        else:
            kept[name] = f"{kept[name]}, {value}" if name in kept else value
    return kept


def kept_body(request: Inbound, verifier: Verifier) -> bytes:
    """Return the body that an event keeps: the exact bytes, except where a credential stands in the body itself.

    Verifiers read fields and paths whatever the media type says, so the same is done here.
    """
    raw = request.body
    if verifier.credential_paths:
        raw = _without_paths(raw, verifier.credential_paths)
    if verifier.credential_fields and not body.is_json(request.media):
        raw = b"&".join(_kept_pair(pair, verifier.credential_fields) for pair in raw.split(b"&"))
    return raw


def _kept_pair(pair: bytes, secret: AbstractSet[str]) -> bytes:
    name, equals, _ = pair.partition(b"=")
    if equals and unquote_plus(name.decode("latin-1")) in secret:
        return name + equals + HIDDEN.encode()
    return pair


def _without_paths(raw: bytes, paths: AbstractSet[str]) -> bytes:
    """Hide values in a JSON body; one that is no JSON, or too deep to be written, is refused as unreadable later."""
    try:
        data = orjson.loads(raw)
        hidden = [_hide(data, path.split(".")) for path in sorted(paths)]
        return orjson.dumps(data) if any(hidden) else raw
    except (ValueError, TypeError):
        return raw


def _hide(value: Json, path: list[str]) -> bool:
    """Replace the value at a path; tell whether there was one."""
    *above, last = path
    for place, part in enumerate(above):
        if part == "*" and isinstance(value, list):
            return any([_hide(element, path[place + 1 :]) for element in value])  # noqa: C419 - all, not the first
        value = _inside(value, part)
    if _inside(value, last) is None:
        return False
    value[int(last) if isinstance(value, list) else last] = HIDDEN
    return True


def _inside(value: Json, part: str) -> Json:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and part.isascii() and part.isdigit() and len(part) < 6 and int(part) < len(value):
        return value[int(part)]
    return None
