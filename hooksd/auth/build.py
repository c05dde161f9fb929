"""From a definition and its secrets to a verifier. Called when a snapshot is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hooksd.auth.coverage import coverage
from hooksd.auth.credentials import Basic, Bearer, Nobody, Token
from hooksd.auth.keyed import keyed
from hooksd.auth.lint import problems
from hooksd.auth.presets import expand
from hooksd.auth.problem import AuthProblem
from hooksd.auth.refusal import Refusal
from hooksd.auth.request import Inbound
from hooksd.auth.sources import Examined, Find, finder, word
from hooksd.auth.verdict import Authentic, Reading, Refused, Verdict, Verifier
from hooksd.model.auth import Auth, BasicAuth, BearerAuth, ConcreteAuth, HmacAuth, NoneAuth, TokenAuth
from hooksd.model.base import Json
from hooksd.model.secret import Secret
from hooksd.model.trust import Trust
from hooksd.signature import decode_key

MIN_SECRET = 8
"""The fewest bytes of a secret. Whoever sees one signature can try all shorter ones in no time."""

SecretOf = Callable[[str], Secret]
"""Returns the secret of a reference."""


class Proof(Protocol):
    """One kind of proof."""

    def prove(self, seen: Examined, now: float) -> int:
        """Return the place of the secret that fits. Raises Refusal."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltVerifier:
    """A proof and where the provider's words about the request are."""

    proof: Proof
    trust: Trust
    event: tuple[Find, ...]
    id: Find | None
    credential_headers: frozenset[str]
    credential_fields: frozenset[str]
    credential_paths: frozenset[str]

    def verify(self, request: Inbound, now: float) -> Verdict:  # noqa: D102 - see Verifier
        try:
            return Authentic(key=self.proof.prove(Examined(request), now))
        except Refusal as refusal:
            return Refused(reason=refusal.reason)
        except Exception:  # noqa: BLE001 - whatever a caller sends, the answer is a verdict
            return Refused(reason="internal_error")

    def read(self, request: Inbound, data: Json) -> Reading:  # noqa: D102 - see Verifier
        seen = Examined(request, data)
        words = [found for find in self.event if (found := word(find, seen)) is not None]
        return Reading(event_type=".".join(words) or None, delivery_id=word(self.id, seen) if self.id else None)


def build_verifier(auth: Auth, secret: SecretOf) -> Verifier:
    """Return what judges the requests of a webhook.

    Args:
        auth: The definition.
        secret: Returns the secret of a reference; what it raises is let through.

    Raises:
        AuthProblem: The definition is wrong, or a secret is empty, too short or not in its encoding.
    """
    concrete = expand(auth)
    for problem in problems(concrete):
        raise problem
    return BuiltVerifier(
        proof=_proof(concrete, secret),
        trust=trust_earned(concrete),
        event=tuple(finder(source) for source in concrete.event),
        id=finder(concrete.id) if concrete.id else None,
        credential_headers=_credentials(concrete, "header").union(_authorization(concrete)),
        credential_fields=_credentials(concrete, "query") | _credentials(concrete, "form"),
        credential_paths=_credentials(concrete, "json") | _credentials(concrete, "json?"),
    )


def _proof(auth: ConcreteAuth, secret: SecretOf) -> Proof:
    match auth:
        case NoneAuth():
            return Nobody()
        case HmacAuth():
            return keyed(auth, tuple(signing_key(auth, secret(ref)) for ref in auth.secrets))
        case TokenAuth():
            return Token(secrets=_plain(auth.secrets, secret), token=finder(auth.token))
        case BearerAuth():
            return Bearer(secrets=_plain(auth.secrets, secret))
        case BasicAuth():
            password = _checked("password", secret(auth.password).reveal())
            return Basic(username=auth.username.encode(), password=password)


def signing_key(auth: HmacAuth, secret: Secret) -> bytes:
    """Return the key that a secret stands for.

    Raises:
        AuthProblem: The secret is empty, too short or not in its encoding.
    """
    try:
        key = decode_key(secret.reveal(), auth.secret_encoding, auth.secret_prefix)
    except ValueError as error:
        hint = (
            f"the provider's secret begins with `{auth.secret_prefix}`: copy it whole" if auth.secret_prefix else None
        )
        raise AuthProblem("secret", str(error), hint) from None
    return _checked("secret", key)


def _plain(references: tuple[str, ...], secret: SecretOf) -> tuple[bytes, ...]:
    return tuple(_checked("secret", secret(reference).reveal()) for reference in references)


def _checked(key: str, secret: bytes) -> bytes:
    if not secret:
        raise AuthProblem(key, "the secret is empty")
    if len(secret) < MIN_SECRET:
        hint = "make one with `openssl rand -hex 32`"
        raise AuthProblem(key, f"the secret is shorter than {MIN_SECRET} bytes: it could be guessed", hint)
    return secret


def trust_earned(auth: ConcreteAuth) -> Trust:
    """Return the trust that an authentic request earns; a signature that leaves the body out is a token."""
    match auth:
        case NoneAuth():
            return Trust.ANONYMOUS
        case HmacAuth() if coverage(auth).body == "full":
            return Trust.SIGNED
    return Trust.TOKEN


def _credentials(auth: ConcreteAuth, kind: str) -> frozenset[str]:
    match auth:
        case HmacAuth():
            # Without a signed time, a signature and its body are a request that passes for ever.
            source = auth.signature or f"header:{auth.header}"
        case TokenAuth():
            source = auth.token
        case _:
            return frozenset()
    found, _, name = source.partition(":")
    return frozenset({name.lower() if kind == "header" else name} if found == kind else ())


def _authorization(auth: ConcreteAuth) -> frozenset[str]:
    return frozenset({"authorization"} if isinstance(auth, BearerAuth | BasicAuth) else ())
