"""Makes the request that a provider would send, from a definition and its secrets. For `hooksd sign` and for tests.

Only who shares a secret can do so: signatures of public keys, tokens of an issuer and certificates are the provider's.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import orjson

from hooksd.auth.build import SecretOf, signing_key
from hooksd.auth.coverage import FORM, members, signed_variants
from hooksd.auth.problem import AuthProblem
from hooksd.auth.request import Inbound
from hooksd.auth.sources import Examined, finder
from hooksd.auth.twilio import BODY_HASH, spellings
from hooksd.auth.twilio import HEADER as TWILIO_HEADER
from hooksd.model.auth import (
    AllAuth,
    AnyAuth,
    BasicAuth,
    BearerAuth,
    ConcreteAuth,
    HmacAuth,
    JwtAuth,
    NoneAuth,
    PaypalAuth,
    SignatureAuth,
    SnsAuth,
    TimestampFormat,
    TokenAuth,
    TwilioAuth,
)
from hooksd.model.base import Json
from hooksd.signature import digest

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
LIFETIME = 300
"""Seconds until a token expires that is made here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request in the making."""

    url: str
    headers: tuple[tuple[str, str], ...]
    """Names as the definition spells them."""
    body: bytes
    media: str
    method: str = "POST"

    def with_header(self, name: str, value: str) -> Outgoing:
        """Add a header in place of one of the same name."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=(*kept, (name, value)))

    def seen(self) -> Examined:
        """Return it as a verifier would see it."""
        parts = urlsplit(self.url)
        return Examined(
            Inbound(
                method=self.method, path=parts.path, query_string=parts.query, body=self.body, media=self.media,
                headers=tuple((name.lower(), value) for name, value in self.headers), url=self.url,
            )
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a provider would choose for each request."""

    now: float
    """Unix seconds."""
    id: str
    """The delivery id."""
    event: str | None = None
    """The event type."""


def signed(auth: ConcreteAuth, secret: SecretOf, draft: Outgoing, occasion: Occasion) -> Outgoing:
    """Return the request with everything that proves it.

    Args:
        auth: The definition, expanded.
        secret: Returns the secret of a reference; what it raises is let through.
        draft: What is to be sent.
        occasion: When, and as what.

    Raises:
        AuthProblem: Only the provider can sign this, or the body has no place for what must stand in it.
    """
    if isinstance(auth, AnyAuth):
        return signed(next(filter(can_sign, members(auth)), members(auth)[0]), secret, draft, occasion)
    if isinstance(auth, AllAuth):
        for part in members(auth):
            draft = signed(part, secret, draft, occasion)
        return draft
    if occasion.event and auth.event and auth.event[0].startswith("header:"):
        draft = _put(draft, auth.event[0], occasion.event)
    for source in auth.id:
        if source.startswith("header:") or (isinstance(auth, HmacAuth) and "{id}" in str(auth.signed)):
            draft = _put(draft, source, occasion.id)
    return _proved(auth, secret, draft, occasion)


def can_sign(auth: ConcreteAuth) -> bool:
    """Tell whether a secret that we have proves requests, and not a key that only the provider has."""
    match auth:
        case SignatureAuth() | SnsAuth() | PaypalAuth():
            return False
        case JwtAuth():
            return bool(auth.secrets)
        case AllAuth():
            return all(can_sign(part) for part in members(auth))
        case AnyAuth():
            return any(can_sign(part) for part in members(auth))
    return True


def _proved(auth: ConcreteAuth, secret: SecretOf, draft: Outgoing, occasion: Occasion) -> Outgoing:
    match auth:
        case NoneAuth():
            return draft
        case TokenAuth():
            return _put(draft, auth.token, secret(auth.secrets[0]).text())
        case BearerAuth():
            return draft.with_header("Authorization", f"Bearer {secret(auth.secrets[0]).text()}")
        case BasicAuth():
            pair = f"{auth.username}:{secret(auth.password).text()}".encode()
            return draft.with_header("Authorization", f"Basic {base64.b64encode(pair).decode()}")
        case HmacAuth():
            return _keyed(auth, signing_key(auth, secret(auth.secrets[0])), draft, occasion)
        case TwilioAuth():
            return _twilio(secret(auth.secrets[0]).reveal(), draft)
        case JwtAuth() if auth.secrets:
            made = _token(auth, secret(auth.secrets[0]).reveal(), draft.body, occasion)
            source = auth.token or "header:Authorization"
            return _put(draft, source, made if auth.token else f"Bearer {made}")
    raise AuthProblem("type", "only the provider can sign this: it alone has the private key")


def _keyed(auth: HmacAuth, key: bytes, draft: Outgoing, occasion: Occasion) -> Outgoing:
    time = _written(occasion.now, auth.timestamp_format)
    if auth.timestamp:
        draft = _put(draft, auth.timestamp, time)
    variants = signed_variants(auth)
    template = variants.get(draft.media) or variants["*"]
    seen = draft.seen()
    values = {"body": draft.body, "timestamp": time.encode(), "id": occasion.id.encode()}
    message = b"".join(
        part.encode() if place % 2 == 0 else values[part] if part in values else _value(part, seen)
        for place, part in enumerate(_PLACEHOLDER.split(template))
    )
    raw = digest(auth.algorithm, key, message)
    text = raw.hex() if auth.encoding[0] == "hex" else base64.b64encode(raw).decode()
    laid = auth.format.replace("{signature}", text).replace("{timestamp}", time).replace("{id}", occasion.id)
    return _put(draft, auth.signature or f"header:{auth.header}", laid)


def _value(source: str, seen: Examined) -> bytes:
    found = finder(source)(seen)
    if found is None:
        raise AuthProblem("signed", f"`{source}` is signed, and the body does not have it", "write it into the body")
    return found


def _written(now: float, form: TimestampFormat) -> str:
    if form == "rfc3339":
        return datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(int(now * 1000) if form == "unix_ms" else int(now))


def _twilio(key: bytes, draft: Outgoing) -> Outgoing:
    if draft.media == FORM:
        text = "".join(name + value for name, value in sorted(set(draft.seen().form_pairs())))
    else:
        text = ""
        if draft.body:
            joint = "&" if urlsplit(draft.url).query else "?"
            draft = replace(draft, url=f"{draft.url}{joint}{BODY_HASH}={hashlib.sha256(draft.body).hexdigest()}")
    mac = digest("sha1", key, (spellings(draft.url)[0] + text).encode())
    return draft.with_header(TWILIO_HEADER.title(), base64.b64encode(mac).decode())


def _token(auth: JwtAuth, key: bytes, body: bytes, occasion: Occasion) -> str:
    claims: dict[str, Json] = {"iat": int(occasion.now), "exp": int(occasion.now) + LIFETIME}
    claims |= {name: value[0] if isinstance(value, tuple) else value for name, value in auth.claims.items()}
    if auth.issuers:
        claims["iss"] = auth.issuers[0]
    if auth.audience:
        claims["aud"] = auth.audience[0]
    if auth.body_claim:
        hashed = hashlib.sha256(body)
        is_hex = auth.body_claim_encoding == "hex"
        claims[auth.body_claim] = hashed.hexdigest() if is_hex else base64.b64encode(hashed.digest()).decode()
    algorithm = auth.algorithms[0]
    message = ".".join(_base64url(orjson.dumps(part)) for part in ({"alg": algorithm, "typ": "JWT"}, claims))
    hashes: dict[str, Callable[[], bytes]] = {
        "HS256": lambda: digest("sha256", key, message.encode()),
        "HS384": lambda: digest("sha384", key, message.encode()),
        "HS512": lambda: digest("sha512", key, message.encode()),
    }
    return f"{message}.{_base64url(hashes[algorithm]())}"


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _put(draft: Outgoing, source: str, value: str) -> Outgoing:
    """Write a value where a source finds it."""
    kind, _, name = source.partition(":")
    match kind:
        case "header":
            return draft.with_header(name, value)
        case "query":
            joint = "&" if urlsplit(draft.url).query else "?"
            return replace(draft, url=f"{draft.url}{joint}{quote(name, safe='')}={quote(value, safe='')}")
        case "json" | "json?":
            return replace(draft, body=_inside(draft.body, name.split("."), value))
    raise AuthProblem("", f"nothing can be written to `{source}` from here", "send what the provider sends")


def _inside(body: bytes, path: list[str], value: str) -> bytes:
    try:
        data = orjson.loads(body)
        place = data
        for part in path[:-1]:
            place = place[0 if part == "*" else int(part)] if isinstance(place, list) else place.setdefault(part, {})
        place[int(path[-1]) if isinstance(place, list) else path[-1]] = value
    except (ValueError, TypeError, LookupError, AttributeError):
        where = ".".join(path)
        raise AuthProblem(
            "", f"the body has no place for `{where}`", "send JSON that looks like the provider's"
        ) from None
    return orjson.dumps(data)
