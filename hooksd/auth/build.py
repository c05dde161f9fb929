"""From a definition and its secrets to a verifier. Called when a snapshot is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hooksd.auth import combined
from hooksd.auth.certified import Certificates, Paypal, Sns
from hooksd.auth.combined import Proof
from hooksd.auth.coverage import coverage, leaves, members
from hooksd.auth.credentials import Basic, Bearer, Nobody, Token
from hooksd.auth.extra import crypto
from hooksd.auth.keyed import keyed
from hooksd.auth.keyed_plain import PlainKeyed, plainly_keyed
from hooksd.auth.lint import problems
from hooksd.auth.presets import expand
from hooksd.auth.problem import AuthProblem
from hooksd.auth.refusal import Refusal
from hooksd.auth.remote import Remote, Remotes
from hooksd.auth.request import Inbound
from hooksd.auth.sources import Examined, Word, finder, first_of, identity, spoken
from hooksd.auth.twilio import HEADER as TWILIO_HEADER
from hooksd.auth.twilio import Twilio
from hooksd.auth.verdict import Authentic, Observed, Refused, Verdict, Verifier, authentic
from hooksd.model.auth import (
    AllAuth,
    AnyAuth,
    Auth,
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
from hooksd.model.secret import Secret, is_reference
from hooksd.model.trust import Trust
from hooksd.signature import decode_key

MIN_SECRET = 8
"""The fewest bytes of a secret. Whoever sees one signature can try all shorter ones in no time."""

Judge = Callable[[Inbound, float], Authentic]
"""Returns which secret fits a request at a Unix time in seconds. Raises Refusal."""

SecretOf = Callable[[str], Secret]
"""Returns the secret of a reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltVerifier:
    """What judges requests, and where the provider's words about them are."""

    judge: Judge
    trust: Trust
    event: Word
    """What happened, in the provider's words."""
    id: Word
    """Which delivery it is."""
    observes: bool
    credential_headers: frozenset[str]
    credential_fields: frozenset[str]
    credential_paths: frozenset[str]

    def verify(self, request: Inbound, now: float) -> Verdict:  # noqa: D102 - see Verifier
        found: Authentic | Refused
        try:
            found = self.judge(request, now)
        except Refusal as refusal:
            found = Refused(reason=refusal.reason)
        except Exception:  # noqa: BLE001 - whatever a caller sends, the answer is a verdict
            found = Refused(reason="internal_error")
        return Observed(found=found) if self.observes else found


def build_verifier(auth: Auth, secret: SecretOf, remotes: Remotes | None = None) -> Verifier:
    """Return what judges the requests of a webhook.

    Args:
        auth: The definition.
        secret: Returns the secret of a reference; what it raises is let through.
        remotes: Has keys fetched that are kept elsewhere; None: nobody does.

    Raises:
        AuthProblem: The definition is wrong, or a secret is empty, too short or not in its encoding.
    """
    concrete = expand(auth)
    for problem in problems(concrete):
        raise problem
    parts = leaves(concrete)
    return BuiltVerifier(
        judge=_judge(_proof(concrete, secret, remotes or Remotes())),
        trust=trust_earned(concrete),
        event=first_of(tuple(spoken(part.event) for part in ((concrete,) if concrete.event else parts) if part.event)),
        id=first_of(tuple(identity(part.id) for part in ((concrete,) if concrete.id else parts) if part.id)),
        observes=concrete.mode == "observe",
        credential_headers=_all(parts, "header").union(*(_own_headers(part) for part in parts)),
        credential_fields=_all(parts, "query") | _all(parts, "form"),
        credential_paths=_all(parts, "json") | _all(parts, "json?"),
    )


def _judge(proof: Proof) -> Judge:
    if isinstance(proof, PlainKeyed):
        return proof.judge
    return lambda request, now: authentic(proof.prove(Examined(request), now))


def _proof(auth: ConcreteAuth, secret: SecretOf, remotes: Remotes) -> Proof:  # noqa: C901, PLR0911, PLR0912 - one case for each type
    match auth:
        case NoneAuth():
            return Nobody()
        case HmacAuth():
            keys = tuple(signing_key(auth, secret(ref)) for ref in auth.secrets)
            return plainly_keyed(auth, keys) or keyed(auth, keys)
        case SignatureAuth():
            return keyed(auth, (), tuple(_check(auth, key, secret) for key in auth.public_keys))
        case TokenAuth():
            return Token(secrets=_plain(auth.secrets, secret), token=finder(auth.token))
        case BearerAuth():
            return Bearer(secrets=_plain(auth.secrets, secret))
        case BasicAuth():
            password = _checked("password", secret(auth.password).reveal())
            return Basic(username=auth.username.encode(), password=password)
        case JwtAuth():
            return _jwt(auth, secret, remotes)
        case TwilioAuth():
            return Twilio(keys=_plain(auth.secrets, secret))
        case SnsAuth():
            return Sns(
                topics=frozenset(auth.topics),
                tolerance=auth.tolerance,
                allow_sha1=auth.allow_sha1,
                certificates=_certificates(remotes),
            )
        case PaypalAuth():
            return Paypal(webhook_id=auth.webhook_id, tolerance=auth.tolerance, certificates=_certificates(remotes))
        case AllAuth():
            return combined.All(of=tuple(_proof(part, secret, remotes) for part in members(auth)))
        case AnyAuth():
            return combined.Any(of=tuple(_proof(part, secret, remotes) for part in members(auth)))


def _check(auth: SignatureAuth, key: str, secret: SecretOf) -> Callable[[bytes, bytes], bool]:
    """Return what checks signatures with one public key, which may be a reference."""
    load = crypto("asymmetric").load_check
    try:
        text = secret(key).text() if is_reference(key) else key
        check: Callable[[bytes, bytes], bool] = load(
            text.strip().removeprefix(auth.key_prefix), auth.key_encoding, auth.algorithm
        )
    except ValueError as error:
        message = "the public key is no text" if isinstance(error, UnicodeError) else str(error)
        raise AuthProblem("public_key", message, "copy it whole, and say how it is written: `key_encoding`") from None
    return check


def _jwt(auth: JwtAuth, secret: SecretOf, remotes: Remotes) -> Proof:
    jose = crypto("jose")
    remote = None
    if auth.jwks_file is not None:
        try:
            remote = jose.key_set(secret(f"file:{auth.jwks_file}").reveal(), auth.algorithms)
        except ValueError as error:
            hint = "save what the issuer shows at its `jwks_uri`"
            raise AuthProblem("jwks_file", str(error), hint) from None
    elif auth.jwks_url is not None:
        algorithms = auth.algorithms
        remote = remotes.want(Remote(auth.jwks_url, lambda data: jose.key_set(data, algorithms)))
    token = finder(auth.token) if auth.token else None
    proof: Proof = jose.jwt(auth, token=token, secrets=_plain(auth.secrets, secret), remote=remote)
    return proof


def _certificates(remotes: Remotes) -> Certificates:
    load = crypto("asymmetric").load_check
    return Certificates(remotes, lambda text, algorithm: load(text, "pem", algorithm))


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
    if auth.mode == "observe":
        return Trust.ANONYMOUS
    match auth:
        case NoneAuth():
            return Trust.ANONYMOUS
        case SignedAuth() | JwtAuth() if coverage(auth).body == "full":
            return Trust.SIGNED
        case AllAuth():
            return max(trust_earned(part) for part in members(auth))
        case AnyAuth():
            return min(trust_earned(part) for part in members(auth))
    return Trust.TOKEN


def _all(parts: tuple[ConcreteAuth, ...], kind: str) -> frozenset[str]:
    return frozenset().union(*(_credentials(part, kind) for part in parts))


def _credentials(auth: ConcreteAuth, kind: str) -> frozenset[str]:
    match auth:
        case SignedAuth():
            # Without a signed time, a signature and its body are a request that passes for ever.
            source = auth.signature or f"header:{auth.header}"
        case TokenAuth() | JwtAuth():
            source = auth.token
        case _:
            return frozenset()
    found, _, name = source.partition(":")
    return frozenset({name.lower() if kind == "header" else name} if found == kind else ())


def _own_headers(auth: ConcreteAuth) -> frozenset[str]:
    match auth:
        case BearerAuth() | BasicAuth():
            return frozenset({"authorization"})
        case JwtAuth() if not auth.token:
            return frozenset({"authorization"})
        case TwilioAuth():
            return frozenset({TWILIO_HEADER})
        case PaypalAuth():
            return frozenset({"paypal-transmission-sig"})
    return frozenset()
