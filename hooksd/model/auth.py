"""How a webhook knows its caller: a declarative vocabulary, into which presets expand as data.

Source: DESIGN section 4; the vocabulary reads each provider's documented header with placeholders.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, StrictBool, StrictInt, StrictStr, Tag

from hooksd.model.base import Definition, Texts, one_or_many
from hooksd.model.greeting import Handshake
from hooksd.model.secret import SecretRef, SecretRefs
from hooksd.model.source import Source, Sources
from hooksd.model.units import Duration

HashName = Literal["sha1", "sha256", "sha384", "sha512"]
Encoding = Literal["hex", "base64"]
SecretEncoding = Literal["utf8", "hex", "base64"]
TimestampFormat = Literal["unix", "unix_ms", "rfc3339"]

Encodings = Annotated[
    tuple[Encoding, ...], BeforeValidator(one_or_many, json_schema_input_type=Encoding | list[Encoding])
]
SignatureName = Literal[
    "ed25519", "ecdsa-p256-sha256", "ecdsa-p256-sha256-raw", "rsa-sha256", "rsa-sha1", "rsa-pss-sha256"
]
"""Signatures that a public key checks. ECDSA is ASN.1 DER, or `raw`: both numbers side by side, as in JWS."""
KeyEncoding = Literal["pem", "hex", "base64", "spki-base64"]
"""How a public key is written: PEM (a certificate too), the 32 raw bytes of Ed25519, or DER in base64."""
JwtAlgorithm = Literal[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
JwtAlgorithms = Annotated[
    tuple[JwtAlgorithm, ...], BeforeValidator(one_or_many, json_schema_input_type=JwtAlgorithm | list[JwtAlgorithm])
]
ClaimValue = StrictBool | StrictInt | StrictStr
Claims = Mapping[str, ClaimValue | tuple[ClaimValue, ...]]
"""What claims must say, exactly and of the same type; of a list, one."""
HttpsUrl = Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[!-~]*$", max_length=2048)]
Mode = Literal["enforce", "observe"]
PublicKey = Annotated[str, Field(min_length=1, max_length=16384)]
PublicKeys = Annotated[
    tuple[PublicKey, ...], BeforeValidator(one_or_many, json_schema_input_type=PublicKey | list[PublicKey])
]
"""Public keys as they are, or references to them; several while rotating."""


class _Reading(Definition):
    """What every kind of authentication may read besides the proof."""

    event: Sources = ()
    """Where the event type is; several are joined with dots, missing ones left out."""
    id: Sources = ()
    """Where the provider's delivery id is; several tell only together which delivery it is."""
    mode: Mode = "enforce"
    """`enforce`: refuse what fails; `observe`: let everything in as anonymous, and record what would have been said."""
    handshake: tuple[Handshake, ...] = Field(default=(), max_length=8)
    """How the provider is answered when it asks whether the URL is ours."""


class NoneAuth(_Reading):
    """Nobody is asked for anything. It must be written, so that nobody forgets."""

    type: Literal["none"]
    """Which kind of proof this is."""


class SignedAuth(_Reading):
    """What keyed hashes and signatures have in common: where they are and what they cover."""

    header: str | None = None
    """The header that carries the signature."""
    signature: Source | None = None
    """Where the signature is when it is not in a header."""
    format: str = "{signature}"
    """The provider's documented header, with placeholders: `t={timestamp},v1={signature}`."""
    separator: str | None = None
    """What stands between several signatures in one header."""
    encoding: Encodings = ("hex",)
    """How the signature bytes are written; several mean either."""
    signed: str | Mapping[str, str] = "{body}"
    """What is signed, with placeholders; a table chooses by media type, `*` for the rest."""
    partial: StrictBool = False
    """The provider does not sign the whole body, and that is known: such events are trusted like those of a token."""
    forbid: Sources = ()
    """What a request must not hold, because the signature leaves it out."""
    timestamp: Source | None = None
    """Where the time is when the signature header does not carry it."""
    timestamp_format: TimestampFormat = "unix"
    """How the time is written: Unix seconds, Unix milliseconds or RFC 3339."""
    tolerance: Duration | None = None
    """How far the caller's clock may be from ours. Checked only when the time is signed."""


class HmacAuth(SignedAuth):
    """A keyed hash over the raw body, alone or with a time and an id."""

    type: Literal["hmac"]
    """Which kind of proof this is."""
    secrets: SecretRefs = Field(default=(), alias="secret")
    """References to the shared secrets; several while rotating."""
    algorithm: HashName = "sha256"
    """The hash under the keyed hash."""
    secret_encoding: SecretEncoding = "utf8"
    """How the bytes of the key are written in the secret."""
    secret_prefix: str = ""
    """Removed from the secret before it is decoded, like `whsec_`."""


class SignatureAuth(SignedAuth):
    """A signature that a public key checks, over the raw body, alone or with a time and an id."""

    type: Literal["signature"]
    """Which kind of proof this is."""
    algorithm: SignatureName
    """Which kind of signature this is. The key must be of the same kind; no request chooses it."""
    public_keys: PublicKeys = Field(default=(), alias="public_key")
    """The provider's public keys, or references to them; several while rotating."""
    key_encoding: KeyEncoding = "pem"
    """How the public keys are written."""
    key_prefix: str = ""
    """Removed from a public key before it is decoded, like `whpk_`."""


class TokenAuth(_Reading):
    """A shared token in a header, the query, a form field or the body."""

    type: Literal["token"]
    """Which kind of proof this is."""
    secrets: SecretRefs = Field(default=(), alias="secret")
    """References to the tokens that are accepted; several while rotating."""
    token: Source
    """Where the token is."""


class BearerAuth(_Reading):
    """`Authorization: Bearer TOKEN` (RFC 6750)."""

    type: Literal["bearer"]
    """Which kind of proof this is."""
    secrets: SecretRefs = Field(default=(), alias="secret")
    """References to the tokens that are accepted; several while rotating."""


class BasicAuth(_Reading):
    """`Authorization: Basic ...` (RFC 7617)."""

    type: Literal["basic"]
    """Which kind of proof this is."""
    username: str
    """The user name that callers send."""
    password: SecretRef
    """A reference to the password."""


class JwtAuth(_Reading):
    """A JSON Web Token (RFC 7519) of a known issuer, like OpenID Connect gives to machines."""

    type: Literal["jwt"]
    """Which kind of proof this is."""
    token: Source = ""
    """Where the token is. Default: `Authorization: Bearer`."""
    algorithms: JwtAlgorithms = ("RS256",)
    """The only algorithms that are accepted, whatever a token says of itself."""
    issuers: Texts = ()
    """Who may have issued the token: its `iss` is one of these."""
    audience: Texts = ()
    """Whom the token must be for: its `aud` names one of these."""
    claims: Claims = Field(default_factory=dict)
    """What other claims must say."""
    must_claim: Texts = ()
    """At least one of these must stand in `claims`, because the issuer gives tokens to anybody who asks."""
    jwks_url: HttpsUrl | None = None
    """Where the issuer's keys are. Only what is written here is ever asked, and never while a caller waits."""
    jwks_file: str | None = None
    """A file with the issuer's keys, relative to the directory of definitions, in place of a URL."""
    secrets: SecretRefs = Field(default=(), alias="secret")
    """References to the shared secrets of `HS256`, `HS384` and `HS512`."""
    leeway: Duration = 60.0
    """How far the issuer's clock may be from ours."""
    max_age: Duration | None = None
    """How long after `iat` a token is accepted, whatever `exp` says."""
    require_exp: StrictBool = True
    """Refuse tokens that never expire."""
    body_claim: str | None = None
    """The claim that holds the SHA-256 of the body."""
    body_claim_encoding: Encoding = "hex"
    """How that hash is written."""


class TwilioAuth(_Reading):
    """Twilio: a keyed hash over the URL and the sorted form fields, or over the URL with the hash of the body in it."""

    type: Literal["twilio"]
    """Which kind of proof this is."""
    secrets: SecretRefs = Field(default=(), alias="secret")
    """References to the auth tokens of the account; several while rotating."""


class SnsAuth(_Reading):
    """Amazon SNS: a signature over some members of the message, by a certificate of AWS."""

    type: Literal["aws-sns"]
    """Which kind of proof this is."""
    topics: Texts = ()
    """The ARNs of the topics that may send. Everybody with an account can have a message signed by AWS."""
    tolerance: Duration = 3600.0
    """How old a message may be."""
    allow_sha1: StrictBool = False
    """Accept signature version 1 (SHA-1). Better set the topic's SignatureVersion to 2."""
    confirm: StrictBool = False
    """Confirm subscriptions to the topics by asking AWS; otherwise a confirmation is an event like any other."""


class PaypalAuth(_Reading):
    """PayPal: a signature over an id, a time, the webhook's id and a checksum of the body."""

    type: Literal["paypal"]
    """Which kind of proof this is."""
    webhook_id: str
    """The id of the webhook, as PayPal's dashboard shows it."""
    tolerance: Duration | None = None
    """How old a transmission may be. Default: any age, for PayPal repeats old ones for three days."""


class AllAuth(_Reading):
    """Several proofs of one request: all must hold."""

    type: Literal["all"]
    """Which kind of proof this is."""
    of: tuple[Auth, ...] = Field(min_length=1, max_length=8)
    """The proofs, each written like an `auth` of its own."""


class AnyAuth(_Reading):
    """Several proofs of one request: one must hold. Events are trusted as those of the weakest one."""

    type: Literal["any"]
    """Which kind of proof this is."""
    of: tuple[Auth, ...] = Field(min_length=1, max_length=8)
    """The proofs, each written like an `auth` of its own."""


class PresetAuth(Definition):
    """A provider by name; every other key replaces one of the preset's."""

    preset: str
    """The provider, like `github`."""
    secrets: SecretRefs = Field(default=(), alias="secret")
    """References to the shared secrets; several while rotating."""
    username: str | None = None
    """The user name that callers send, where the preset wants one."""
    password: SecretRef | None = None
    """A reference to the password, where the preset wants one."""
    verify_token: SecretRef | None = None
    """A reference to the token that the provider repeats when it asks whether the URL is yours, where it does so."""
    event: Sources | None = None
    """Where the event type is, in place of the preset's."""
    id: Sources | None = None
    """Where the delivery id is, in place of the preset's."""
    header: str | None = None
    """The header that carries the proof, in place of the preset's."""
    token: Source | None = None
    """Where the token is, in place of the preset's."""
    algorithm: HashName | SignatureName | None = None
    """The hash or signature, in place of the preset's."""
    encoding: Encodings | None = None
    """How the signature bytes are written, in place of the preset's."""
    timestamp: Source | None = None
    """Where the time is, in place of the preset's."""
    tolerance: Duration | None = None
    """How far the caller's clock may be from ours, in place of the preset's."""
    public_keys: PublicKeys | None = Field(default=None, alias="public_key")
    """The provider's public keys or references to them, where the preset wants some; several while rotating."""
    key_encoding: KeyEncoding | None = None
    """How the public keys are written, in place of the preset's."""
    algorithms: JwtAlgorithms | None = None
    """The only algorithms of tokens that are accepted, in place of the preset's."""
    issuers: Texts | None = None
    """Who may have issued the token, in place of the preset's."""
    audience: Texts | None = None
    """Whom the token must be for, where the preset wants one."""
    claims: Claims | None = None
    """What other claims must say, besides the preset's."""
    jwks_url: HttpsUrl | None = None
    """Where the issuer's keys are, in place of the preset's."""
    jwks_file: str | None = None
    """A file with the issuer's keys, in place of the preset's URL."""
    topics: Texts | None = None
    """The ARNs of the topics that may send, where the preset wants some."""
    allow_sha1: StrictBool | None = None
    """Accept signatures over SHA-1, where the preset can."""
    confirm: StrictBool | None = None
    """Confirm subscriptions by asking the provider, where the preset can."""
    webhook_id: str | None = None
    """The id of the webhook at the provider, where the preset wants it."""
    mode: Mode = "enforce"
    """`enforce`: refuse what fails; `observe`: let everything in as anonymous, and record what would have been said."""
    handshake: tuple[Handshake, ...] | None = Field(default=None, max_length=8)
    """How the provider is answered when it asks whether the URL is ours, in place of the preset's."""

    def overrides(self) -> dict[str, Any]:
        """Return the keys of the preset that the file wrote, in the file's own spelling and units of the model."""
        return {
            (field.alias or name): getattr(self, name)
            for name, field in type(self).model_fields.items()
            if name in self.model_fields_set and name not in {"preset", "verify_token", "handshake"}
        }


def auth_kind(value: object) -> str | None:
    """Return which model of the union a table or a model means; None when it names neither a type nor a preset."""
    if isinstance(value, Mapping):
        return "preset" if "preset" in value else str(value["type"]) if "type" in value else None
    return "preset" if isinstance(value, PresetAuth) else getattr(value, "type", None)


Auth = Annotated[
    Annotated[NoneAuth, Tag("none")]
    | Annotated[HmacAuth, Tag("hmac")]
    | Annotated[SignatureAuth, Tag("signature")]
    | Annotated[TokenAuth, Tag("token")]
    | Annotated[BearerAuth, Tag("bearer")]
    | Annotated[BasicAuth, Tag("basic")]
    | Annotated[JwtAuth, Tag("jwt")]
    | Annotated[TwilioAuth, Tag("twilio")]
    | Annotated[SnsAuth, Tag("aws-sns")]
    | Annotated[PaypalAuth, Tag("paypal")]
    | Annotated[AllAuth, Tag("all")]
    | Annotated[AnyAuth, Tag("any")]
    | Annotated[PresetAuth, Tag("preset")],
    Discriminator(
        auth_kind,
        custom_error_type="auth_kind",
        custom_error_message="say how callers prove who they are: a preset, or one of the types",
    ),
]

SingleAuth = (
    NoneAuth
    | HmacAuth
    | SignatureAuth
    | TokenAuth
    | BearerAuth
    | BasicAuth
    | JwtAuth
    | TwilioAuth
    | SnsAuth
    | PaypalAuth
)
"""One proof."""
ConcreteAuth = SingleAuth | AllAuth | AnyAuth
"""What a preset expands to; what verifiers are built from."""

AUTH_MODELS: dict[str, type[Definition]] = {
    "none": NoneAuth,
    "hmac": HmacAuth,
    "signature": SignatureAuth,
    "token": TokenAuth,
    "bearer": BearerAuth,
    "basic": BasicAuth,
    "jwt": JwtAuth,
    "twilio": TwilioAuth,
    "aws-sns": SnsAuth,
    "paypal": PaypalAuth,
    "all": AllAuth,
    "any": AnyAuth,
    "preset": PresetAuth,
}

AllAuth.model_rebuild()
AnyAuth.model_rebuild()
