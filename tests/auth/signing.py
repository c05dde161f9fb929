"""What a provider would send, made from a definition with nothing but the standard library."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from typing import Any

from hooksd.auth.presets import expand
from hooksd.auth.request import Inbound
from hooksd.model.auth import BasicAuth, BearerAuth, ConcreteAuth, HmacAuth, TokenAuth
from tests.auth.requests import NOW, auth

KEY = bytes(range(32, 64))
OTHER = bytes(range(64, 96))
TIMES = {"unix": f"{NOW:.0f}", "unix_ms": f"{NOW * 1000:.0f}", "rfc3339": "2023-11-14T22:13:20Z"}
URL = "https://hooks.example.com/hooks/x"


def provider(name: str, *secrets: str) -> Any:
    """Return the `auth` of a preset, as its documentation writes it."""
    if isinstance(concrete(name), BasicAuth):
        return auth(preset=name, username="ann", password="env:ONE")
    return auth(preset=name, secret=list(secrets) or "env:ONE")


def concrete(name: str) -> ConcreteAuth:
    from_basic = {"username": "ann", "password": "env:ONE"}
    keys: dict[str, Any] = from_basic if name in {"azure-devops", "postmark"} else {"secret": "env:ONE"}
    return expand(auth(preset=name, **keys))


def secret_text(known: ConcreteAuth, key: bytes = KEY) -> bytes:
    """Return a key as a provider shows it."""
    if isinstance(known, HmacAuth) and known.secret_encoding != "utf8":
        text = key.hex() if known.secret_encoding == "hex" else base64.b64encode(key).decode()
        return (known.secret_prefix + text).encode()
    return key.hex().encode()


@dataclass
class Draft:
    """A request in the making."""

    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    data: Any = None

    def put(self, source: str, value: str) -> None:
        kind, _, name = source.partition(":")
        if kind == "header":
            self.headers.setdefault(name.lower(), value)
        elif kind == "query":
            self.query.setdefault(name, value)
        elif kind in {"json", "json?"}:
            self.data = _inside(self.data, name.split("."), value)

    def value(self, source: str) -> str:
        kind, _, name = source.partition(":")
        if kind == "header":
            return self.headers[name.lower()]
        found = self.data
        for part in name.split("."):
            found = found[int(part) if isinstance(found, list) else part]
        return str(found)


def _inside(data: Any, path: list[str], value: str) -> Any:
    if not path:
        return value if data is None else data
    part, *rest = path
    if part in {"*", "0"}:
        first = data[0] if data else None
        return [_inside(first, rest, value)]
    found = data if isinstance(data, dict) else {}
    return {**found, part: _inside(found.get(part), rest, value)}


def sent_by(known: ConcreteAuth, key: bytes = KEY, moment: str | None = None) -> Inbound:
    """Return a request that the holder of a key sends at a time."""
    draft = Draft()
    for source in known.event:
        draft.put(source, "kind")
    secret = secret_text(known, key).decode()
    match known:
        case HmacAuth():
            return _signed(known, key, draft, moment)
        case TokenAuth():
            draft.put(known.token, secret)
        case BearerAuth():
            draft.headers["authorization"] = f"Bearer {secret}"
        case BasicAuth():
            draft.headers["authorization"] = "Basic " + base64.b64encode(f"ann:{secret}".encode()).decode()
    draft.put(known.id, "id-1")
    return _request(draft)


def _signed(known: HmacAuth, key: bytes, draft: Draft, moment: str | None) -> Inbound:
    time = moment or TIMES[known.timestamp_format]
    draft.put(known.timestamp or "", time)
    draft.put(known.id, "id-1")
    template = known.signed if isinstance(known.signed, str) else known.signed["*"]
    for source in re.findall(r"\{(json\??:[^{}]+)\}", template):
        draft.put(source, "some")
    request = _request(draft)
    values = {"body": request.body.decode(), "timestamp": time, "id": "id-1", "method": "POST", "url": URL}
    message = re.sub(r"\{([^{}]+)\}", lambda found: values.get(found[1]) or draft.value(found[1]), template)
    raw = secret_text(known, key) if known.secret_encoding == "utf8" else key
    digest = hmac.new(raw, message.encode(), getattr(hashlib, known.algorithm)).digest()
    text = digest.hex() if known.encoding[0] == "hex" else base64.b64encode(digest).decode()
    header = known.format.replace("{signature}", text).replace("{timestamp}", time)
    draft.put(known.signature or f"header:{known.header}", header)
    return _request(draft)


def _request(draft: Draft) -> Inbound:
    return Inbound(
        method="POST",
        path="/hooks/x",
        query_string="&".join(f"{name}={value}" for name, value in draft.query.items()),
        headers=(("content-type", "application/json"), *draft.headers.items()),
        body=json.dumps({} if draft.data is None else draft.data).encode(),
        media="application/json",
        url=URL,
    )
