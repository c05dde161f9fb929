"""Handshakes: requests by which a provider asks whether a URL is really its owner's. Data beside the presets, no code.

The build of a snapshot makes the greeter of a webhook; the receiver asks it after the verifier. No greeting makes an
event.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from hooksd.auth.build import SecretOf, signing_key
from hooksd.auth.certified import confirmation
from hooksd.auth.coverage import FORM
from hooksd.auth.presets import HANDSHAKES, expand
from hooksd.auth.refusal import Refusal
from hooksd.auth.request import Inbound
from hooksd.auth.sources import Examined, Find, finder
from hooksd.auth.verdict import Refused
from hooksd.model.auth import AllAuth, AnyAuth, Auth, HmacAuth, PresetAuth, SnsAuth
from hooksd.model.base import Json
from hooksd.signature import digest, equal

MAX_VALUE = 1000
"""The most characters of a caller's value that an answer repeats."""

_PLACEHOLDER = re.compile(r"\{([^{}|]+)(?:\|(hmac|hmac64))?\}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_=+/.-]+")
"""What may be signed for anybody. A body of this form proves nothing, for anybody may have had it signed."""

Visit = Callable[[str], None]
"""Has a URL requested once, later and elsewhere."""
Sign = Callable[[bytes], bytes]
"""Returns the keyed hash of a value, with the secret of the webhook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What a provider is answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """Printable, names in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """One kind of request and its answer."""

    method: str
    signed: bool
    """Only an authentic request is greeted."""
    when: tuple[tuple[Callable[[Examined], Json], Json], ...]
    """What must stand where; True: anything."""
    token: tuple[Find, bytes | None] | None
    """Where the caller repeats the token that it was told, and that token."""
    reply: Callable[[Examined], Greeting]
    """Raises Refusal when something that the answer repeats is missing or unfit."""

    def fits(self, seen: Examined, *, authentic: bool) -> bool:
        """Tell whether a request is of this kind."""
        if seen.request.method != self.method or (self.signed and not authentic):
            return False
        return all(_is(read(seen), wanted) for read, wanted in self.when)

    def greet(self, seen: Examined) -> Greeting | Refused:
        """Answer a request that fits."""
        if self.token is not None:
            find, wanted = self.token
            if wanted is None or not equal(find(seen) or b"", wanted):
                return Refused(reason="bad_token")
        return self.reply(seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeter:
    """Answers the handshakes of one webhook."""

    handshakes: tuple[Handshake, ...]
    methods: frozenset[str]
    """Methods of requests that may be a handshake, whatever the webhook itself accepts."""
    signs: bool
    """A caller that nobody knows is answered with a signature."""

    def greet(self, request: Inbound, *, authentic: bool) -> Greeting | Refused | None:
        """Answer a request if it is a handshake; None: it is none. It never raises.

        Args:
            request: The request.
            authentic: The verifier knows the caller.
        """
        if self.signs and authentic and _CHALLENGE.fullmatch(request.body.decode("latin-1")):
            return Refused(reason="unsigned_content")
        seen = Examined(request)
        for handshake in self.handshakes:
            try:
                if handshake.fits(seen, authentic=authentic):
                    return handshake.greet(seen)
            except (Refusal, ValueError):
                continue
        return None


def _nowhere(url: str) -> None:
    """Visit nothing."""


def build_greeter(auth: Auth, secret: SecretOf, visit: Visit = _nowhere) -> Greeter | None:
    """Return what answers the handshakes of a webhook; None: its provider has none.

    Args:
        auth: The definition, from which `build_verifier` made a verifier.
        secret: Returns the secret of a reference; what it raises is let through.
        visit: Has a URL of the provider requested, where that is how a handshake is answered.
    """
    if isinstance(auth, AllAuth | AnyAuth):
        greeters = [greeter for part in auth.of if (greeter := build_greeter(part, secret, visit))]
        own = [_greeter(handshakes_of(auth), None, None)] if auth.handshake else []
        return _joined([*own, *greeters]) if own or greeters else None
    concrete = expand(auth)
    if isinstance(concrete, SnsAuth) and concrete.confirm:
        return Greeter(handshakes=(_confirming(visit),), methods=frozenset({"POST"}), signs=False)
    found = handshakes_of(auth)
    if not found:
        return None
    wanted = auth.verify_token if isinstance(auth, PresetAuth) else None
    token = secret(wanted).reveal() if wanted else None
    sign: Sign | None = None
    if isinstance(concrete, HmacAuth):
        algorithm, key = concrete.algorithm, signing_key(concrete, secret(concrete.secrets[0]))

        def signed(value: bytes) -> bytes:
            return digest(algorithm, key, value)

        sign = signed
    return _greeter(found, token, sign)


def _greeter(found: tuple[Mapping[str, Any], ...], token: bytes | None, sign: Sign | None) -> Greeter:
    handshakes = tuple(_handshake(data, token, sign) for data in found)
    return Greeter(
        handshakes=handshakes,
        methods=frozenset(handshake.method for handshake in handshakes),
        signs=any("|hmac" in str(data["reply"]) and not data.get("signed") for data in found),
    )


def handshakes_of(auth: Auth) -> tuple[Mapping[str, Any], ...]:
    """Return the handshakes of a definition: its own, or its preset's."""
    if isinstance(auth, PresetAuth) and auth.handshake is None:
        return HANDSHAKES.get(auth.preset, ())
    return tuple(rule.data() for rule in auth.handshake or ())


def _joined(greeters: list[Greeter]) -> Greeter:
    return Greeter(
        handshakes=tuple(handshake for greeter in greeters for handshake in greeter.handshakes),
        methods=frozenset().union(*(greeter.methods for greeter in greeters)),
        signs=any(greeter.signs for greeter in greeters),
    )


def _confirming(visit: Visit) -> Handshake:
    """Return the handshake of Amazon SNS, which is answered by visiting a URL of AWS that the message names."""

    def reply(seen: Examined) -> Greeting:
        url = confirmation(seen.json(()))
        if url is None:
            raise Refusal("missing_component")
        visit(url)
        return Greeting(status=200, headers=(), body=b"")

    kind = (_reader("json:Type"), "SubscriptionConfirmation")
    return Handshake(method="POST", signed=True, when=(kind,), token=None, reply=reply)


def _handshake(data: Mapping[str, Any], token: bytes | None, sign: Sign | None) -> Handshake:
    return Handshake(
        method=data["method"],
        signed=data.get("signed", False),
        when=tuple((_reader(source), wanted) for source, wanted in data.get("when", {}).items()),
        token=(finder(data["token"]), token) if "token" in data else None,
        reply=_reply(data["reply"], sign),
    )


def _reader(source: str) -> Callable[[Examined], Json]:
    kind, _, name = source.partition(":")
    if kind == "json":
        path = tuple(name.split("."))
        return lambda seen: seen.json(path)
    find = finder(source)
    is_field = kind == "form"

    def read(seen: Examined) -> Json:
        if is_field and seen.request.media != FORM:
            return None  # other bodies can be read as forms too, and would be taken for what they are not
        found = find(seen)
        return None if found is None else found.decode()

    return read


def _is(found: Json, wanted: Json) -> bool:
    # In Python `True == 1`; a provider that says 1 does not say true.
    return bool(found) if wanted is True else type(found) is type(wanted) and found == wanted


def _reply(reply: Mapping[str, Any], sign: Sign | None) -> Callable[[Examined], Greeting]:
    def answer(seen: Examined) -> Greeting:
        headers = [(name.lower(), _filled(text, seen, sign)) for name, text in reply.get("headers", {}).items()]
        if not all(value.isascii() and value.isprintable() for _, value in headers):
            raise Refusal("malformed_body")
        if "json" in reply:
            body = orjson.dumps({name: _value(value, seen, sign) for name, value in reply["json"].items()})
            headers.append(("content-type", "application/json"))
        else:
            body = _filled(reply.get("body", ""), seen, sign).encode()
            # What a caller chose is shown back: never as anything but text.
            headers += [("content-type", "text/plain; charset=utf-8"), ("x-content-type-options", "nosniff")]
        return Greeting(status=reply["status"], headers=tuple(headers), body=body)

    return answer


def _value(value: Json, seen: Examined, sign: Sign | None) -> Json:
    return _filled(value, seen, sign) if isinstance(value, str) else value


def _filled(template: str, seen: Examined, sign: Sign | None) -> str:
    def value(match: re.Match[str]) -> str:
        found = finder(match[1])(seen)
        text = found.decode() if found is not None else ""
        if not text or len(text) > MAX_VALUE:
            raise Refusal("missing_component")
        return text if match[2] is None else _signed(text, match[2], sign)

    return _PLACEHOLDER.sub(value, template)


def _signed(text: str, form: str, sign: Sign | None) -> str:
    # Whoever may choose what is signed could have the body of a request signed.
    if sign is None or not _CHALLENGE.fullmatch(text):
        raise Refusal("malformed_body")
    raw = sign(text.encode())
    return raw.hex() if form == "hmac" else base64.b64encode(raw).decode()
