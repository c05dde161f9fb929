"""Static rules over an authentication, without secrets: what could not work, and what would protect nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hooksd.auth.coverage import VARIABLES, covers_body, covers_time, members, signed_variants
from hooksd.auth.layout import placeholders
from hooksd.auth.problem import AuthProblem
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
    SignedAuth,
    SnsAuth,
    TokenAuth,
    TwilioAuth,
)
from hooksd.model.greeting import Handshake

_SOURCES = ("header:", "query:", "form:", "json:", "json?:", "const:")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_FIELDS = frozenset({"signature", "timestamp", "id"})
SECRET_HINT = 'write auth.secret = "credential:NAME"'
FOR_ANYBODY = "H028"
"""The diagnostic for tokens that are not for us, or that anybody can get."""
UNSIGNED_TIME = "H029"
"""The diagnostic for a time that the caller could have written."""


def problems(auth: ConcreteAuth) -> tuple[AuthProblem, ...]:
    """Return everything that is wrong with an authentication, in the order of its keys in the documentation."""
    return (
        *_own(auth),
        *_handshakes(auth),
        *_sources(auth, ("signature", "timestamp", "forbid", "token", "event", "id")),
    )


def _own(auth: ConcreteAuth) -> Iterator[AuthProblem]:  # noqa: C901 - one case for each type
    match auth:
        case HmacAuth() | SignatureAuth():
            yield from _signature(auth)
        case TokenAuth():
            yield from _secret(auth)
            yield from _token(auth)
        case BearerAuth() | TwilioAuth():
            yield from _secret(auth)
        case BasicAuth():
            yield from _basic(auth)
        case JwtAuth():
            yield from _jwt(auth)
        case SnsAuth() if not auth.topics:
            message = "it is not said which topics may send: AWS signs messages of everybody's topics"
            yield AuthProblem("topics", message, 'write auth.topics = "arn:aws:sns:REGION:ACCOUNT:NAME"')
        case PaypalAuth() if not auth.webhook_id:
            yield AuthProblem("webhook_id", "the id of the webhook is empty", "PayPal's dashboard shows it")
        case AllAuth() | AnyAuth():
            yield from _parts(auth)


def _handshakes(auth: ConcreteAuth) -> Iterator[AuthProblem]:
    for place, rule in enumerate(auth.handshake):
        for problem in _handshake(rule, is_keyed=isinstance(auth, HmacAuth)):
            problem.within = ("handshake", place)
            yield problem


def _handshake(rule: Handshake, *, is_keyed: bool) -> Iterator[AuthProblem]:
    if rule.method == "POST" and not rule.when:
        hint = 'write `when`, like { "json:type" = "ping" }'
        yield AuthProblem("", "every request would be a handshake, and none an event", hint)
    if rule.reply.body and rule.reply.json_ is not None:
        yield AuthProblem("reply", "a reply has one body", "keep `body` or `json`")
    texts = [rule.reply.body, *rule.reply.headers.values(), *(rule.reply.json_ or {}).values()]
    for name in (name for text in texts if isinstance(text, str) for name in _PLACEHOLDER.findall(text)):
        source, _, form = name.partition("|")
        if not source.startswith(_SOURCES) and source not in {"method", "url"}:
            yield AuthProblem(
                "reply", f"`{{{name}}}` means nothing in a reply", "write a source, like {query:challenge}"
            )
        if form and (form not in {"hmac", "hmac64"} or not is_keyed):
            yield AuthProblem("reply", f"`{{{name}}}` cannot be made", "`hmac` and `hmac64` go with the type `hmac`")


def _parts(auth: AllAuth | AnyAuth) -> Iterator[AuthProblem]:
    for place, part in enumerate(members(auth)):
        for problem in problems(part):
            problem.within = ("of", place, *problem.within)
            yield problem
        if isinstance(part, NoneAuth):
            yield AuthProblem("of", "`none` proves nothing: with `any` everybody would pass", "remove it")
        if part.mode == "observe":
            yield AuthProblem("of", "one proof of several cannot be observed alone", "write `mode` beside `of`")


def _jwt(auth: JwtAuth) -> Iterator[AuthProblem]:
    keyed = [name for name in auth.algorithms if name.startswith("HS")]
    if not auth.algorithms:
        yield AuthProblem("algorithms", "no algorithm is accepted", 'write auth.algorithms = "RS256"')
    elif keyed and len(keyed) < len(auth.algorithms):
        message = "keyed hashes and signatures do not go together: a public key could be taken for a secret"
        yield AuthProblem("algorithms", message, "keep those of one kind")
    elif keyed:
        yield from _secret(auth)
    else:
        yield from _issued(auth)
    if auth.jwks_url and auth.jwks_file:
        yield AuthProblem("jwks_file", "`jwks_url` already says where the keys are", "keep one of the two")
    if auth.token.startswith("const:") or auth.token in {"method", "url"}:
        yield AuthProblem("token", f"`{auth.token}` is no proof: every caller has it", 'write "header:NAME"')


def _issued(auth: JwtAuth) -> Iterator[AuthProblem]:
    """Check tokens whose issuer gives them to others too."""
    if not auth.jwks_url and not auth.jwks_file:
        yield AuthProblem("jwks_url", "it is not said where the issuer's keys are", "write the https URL of its JWKS")
    if auth.secrets:
        yield AuthProblem("secret", "signatures need no secret", "remove it, or accept HS256 only")
    if not auth.issuers:
        hint = "write `issuers`, as `iss` spells it"
        yield AuthProblem("issuers", "it is not said who issues the tokens", hint, code=FOR_ANYBODY)
    if not auth.audience:
        message = "it is not said whom the tokens are for: one that was made for somebody else would pass"
        yield AuthProblem(
            "audience", message, 'write auth.audience = "https://HOST", as callers ask for it', code=FOR_ANYBODY
        )
    if auth.must_claim and not set(auth.must_claim) & set(auth.claims):
        message = "the issuer gives such tokens to anybody, and no claim says to whom"
        names = " or ".join(f"auth.claims.{name}" for name in auth.must_claim)
        yield AuthProblem("claims", message, f"write {names}", code=FOR_ANYBODY)


def _secret(auth: HmacAuth | TokenAuth | BearerAuth | JwtAuth | TwilioAuth) -> Iterator[AuthProblem]:
    if not auth.secrets:
        yield AuthProblem("secret", "a secret is missing", SECRET_HINT)


def _sources(auth: ConcreteAuth, keys: tuple[str, ...]) -> Iterator[AuthProblem]:
    for key in keys:
        value = getattr(auth, key, ())
        for source in (value,) if isinstance(value, str) else value or ():
            if source.startswith(_SOURCES) and not source.partition(":")[2]:
                yield AuthProblem(key, f"`{source}` names nothing", "write what stands behind the colon")


def _token(auth: TokenAuth) -> Iterator[AuthProblem]:
    if not auth.token:
        yield AuthProblem("token", "it is not said where the token is", 'write auth.token = "header:X-Token"')
    elif auth.token.startswith("const:") or auth.token in {"method", "url"}:
        yield AuthProblem("token", f"`{auth.token}` is no proof: every caller has it", 'write "header:NAME"')


def _basic(auth: BasicAuth) -> Iterator[AuthProblem]:
    if not auth.username:
        yield AuthProblem("username", "the user name is empty")
    if ":" in auth.username:
        yield AuthProblem("username", "a user name cannot hold a colon (RFC 7617)")


def _signature(auth: HmacAuth | SignatureAuth) -> Iterator[AuthProblem]:
    if isinstance(auth, HmacAuth):
        yield from _secret(auth)
    elif not auth.public_keys:
        hint = 'write auth.public_key = "..." as the provider shows it, or "file:PATH"'
        yield AuthProblem("public_key", "the public key is missing", hint)
    yield from _where(auth)
    yield from _format(auth)
    yield from _signed(auth)
    yield from _freshness(auth)
    if not auth.encoding:
        yield AuthProblem("encoding", "it is not said how the signature is written", 'write "hex" or "base64"')


def _where(auth: SignedAuth) -> Iterator[AuthProblem]:
    if not auth.header and not auth.signature:
        hint = 'write auth.header = "X-Signature"'
        yield AuthProblem("header", "it is not said where the signature is", hint)
    if auth.header and auth.signature:
        yield AuthProblem("signature", "`header` already says where the signature is", "keep one of the two")
    if auth.signature and (auth.signature.startswith("const:") or auth.signature in {"method", "url"}):
        yield AuthProblem("signature", f"`{auth.signature}` is no proof: every caller has it")


def _format(auth: SignedAuth) -> Iterator[AuthProblem]:
    named = placeholders(auth.format)
    if "signature" not in named:
        yield AuthProblem("format", "`{signature}` is missing in the format", 'like "sha256={signature}"')
    for name in sorted(set(named) - _FIELDS):
        yield AuthProblem("format", f"`{{{name}}}` means nothing in a format", "known are signature, timestamp and id")
    if len(named) != len(set(named)):
        yield AuthProblem("format", "a placeholder stands twice", "several signatures are read without saying so")
    if len(named) > 1 and any(f"={{{name}}}" not in auth.format for name in named):
        yield AuthProblem("format", "several values must be written as key={value}", "t={timestamp},v1={signature}")
    if auth.timestamp and "timestamp" in named:
        yield AuthProblem("timestamp", "`format` already says where the time is", "keep one of the two")
    if auth.separator == "":
        yield AuthProblem("separator", "the separator is empty", "leave it out when there is only one signature")


def _signed(auth: SignedAuth) -> Iterator[AuthProblem]:
    variants = signed_variants(auth)
    if "*" not in variants:
        yield AuthProblem("signed", "the table does not say what is signed in all other cases", 'add "*" = "{body}"')
    for signed in variants.values():
        yield from _variant(auth, signed)
    whole = all(covers_body(media, signed) for media, signed in variants.items())
    if not whole and not auth.partial and not any(not _PLACEHOLDER.search(signed) for signed in variants.values()):
        hint = 'write signed = "{body}", or `partial = true` if the provider signs no more'
        yield AuthProblem("signed", "the body is not signed: a signature would fit any other body", hint)
    if whole and auth.partial:
        yield AuthProblem("partial", "the whole body is signed", "remove `partial`")


def _variant(auth: SignedAuth, signed: str) -> Iterator[AuthProblem]:
    named = _PLACEHOLDER.findall(signed)
    if not named:
        yield AuthProblem("signed", "a constant is signed: every caller would pass", 'write "{body}"')
    for name in named:
        if name not in VARIABLES and name not in {"method", "url", "plain_url"} and not name.startswith(_SOURCES):
            hint = "known are body, timestamp, id, method, url, plain_url and sources like header:X"
            yield AuthProblem("signed", f"`{{{name}}}` means nothing in `signed`", hint)
    if "timestamp" in named and not _has(auth, "timestamp"):
        hint = 'write auth.timestamp = "header:X-Timestamp"'
        yield AuthProblem("timestamp", "a time is signed, but it is not said where it is", hint)
    if "id" in named and not _has(auth, "id"):
        yield AuthProblem("id", "an id is signed, but it is not said where it is", 'write auth.id = "header:X-Id"')
    elif "id" in named and len(auth.id) > 1:
        yield AuthProblem("id", "one id is signed, and several places are named", 'write auth.id = "header:X-Id"')


def _has(auth: SignedAuth, name: str) -> bool:
    return bool(getattr(auth, name)) or name in placeholders(auth.format)


def _freshness(auth: SignedAuth) -> Iterator[AuthProblem]:
    if auth.tolerance is None:
        return
    if not _has(auth, "timestamp"):
        hint = 'write auth.timestamp = "header:X-Timestamp"'
        yield AuthProblem("tolerance", "there is no time that could be too old", hint)
    elif not all(covers_time(auth, signed) for signed in signed_variants(auth).values()):
        hint = 'the provider must sign it, as in signed = "{timestamp}.{body}"; otherwise remove `tolerance`'
        message = "the time is not signed: anybody could write a fresh one"
        yield AuthProblem("tolerance", message, hint, code=UNSIGNED_TIME)
    if auth.tolerance <= 0:
        yield AuthProblem("tolerance", "no clock is that exact", 'write "5m"')
