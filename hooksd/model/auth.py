"""How a webhook knows its caller: a declarative vocabulary, into which presets expand as data.

Source: DESIGN section 4; the vocabulary reads each provider's documented header with placeholders.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, StrictBool, Tag

from hooksd.model.base import Definition, one_or_many
from hooksd.model.secret import SecretRef, SecretRefs
from hooksd.model.units import Duration

HashName = Literal["sha1", "sha256", "sha384", "sha512"]
Encoding = Literal["hex", "base64"]
SecretEncoding = Literal["utf8", "hex", "base64"]
TimestampFormat = Literal["unix", "unix_ms", "rfc3339"]

Source = Annotated[str, Field(pattern=r"^((header|query|form|json\??|const):.*|method|url|)$")]
"""Where a value of the request is: `header:X`, `query:x`, `form:x`, `json:a.b`, `const:x`, `method` or `url`.

In `json:`, `*` is every element of a list, and all of them must be the same.
"""

Sources = Annotated[tuple[Source, ...], BeforeValidator(one_or_many, json_schema_input_type=Source | list[Source])]
Encodings = Annotated[
    tuple[Encoding, ...], BeforeValidator(one_or_many, json_schema_input_type=Encoding | list[Encoding])
]


class _Reading(Definition):
    """What every kind of authentication may read besides the proof."""

    event: Sources = ()
    """Where the event type is; several are joined with dots, missing ones left out."""
    id: Source = ""
    """Where the provider's delivery id is."""
    mode: Literal["enforce"] = "enforce"
    """Refuse what fails."""


class NoneAuth(_Reading):
    """Nobody is asked for anything. It must be written, so that nobody forgets."""

    type: Literal["none"]
    """Which kind of proof this is."""


class HmacAuth(_Reading):
    """A keyed hash over the raw body, alone or with a time and an id."""

    type: Literal["hmac"]
    """Which kind of proof this is."""
    secrets: SecretRefs = Field(default=(), alias="secret")
    """References to the shared secrets; several while rotating."""
    header: str | None = None
    """The header that carries the signature."""
    signature: Source | None = None
    """Where the signature is when it is not in a header."""
    format: str = "{signature}"
    """The provider's documented header, with placeholders: `t={timestamp},v1={signature}`."""
    separator: str | None = None
    """What stands between several signatures in one header."""
    algorithm: HashName = "sha256"
    """The hash under the keyed hash."""
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
    secret_encoding: SecretEncoding = "utf8"
    """How the bytes of the key are written in the secret."""
    secret_prefix: str = ""
    """Removed from the secret before it is decoded, like `whsec_`."""


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
    id: Source | None = None
    """Where the delivery id is, in place of the preset's."""
    header: str | None = None
    """The header that carries the proof, in place of the preset's."""
    token: Source | None = None
    """Where the token is, in place of the preset's."""
    algorithm: HashName | None = None
    """The hash, in place of the preset's."""
    encoding: Encodings | None = None
    """How the signature bytes are written, in place of the preset's."""
    timestamp: Source | None = None
    """Where the time is, in place of the preset's."""
    tolerance: Duration | None = None
    """How far the caller's clock may be from ours, in place of the preset's."""
    mode: Literal["enforce"] = "enforce"
    """Refuse what fails."""

    def overrides(self) -> dict[str, Any]:
        """Return the keys of the preset that the file wrote, in the file's own spelling and units of the model."""
        return {
            (field.alias or name): getattr(self, name)
            for name, field in type(self).model_fields.items()
            if name in self.model_fields_set and name not in {"preset", "verify_token"}
        }


def auth_kind(value: object) -> str | None:
    """Return which model of the union a table or a model means; None when it names neither a type nor a preset."""
    if isinstance(value, Mapping):
        return "preset" if "preset" in value else str(value["type"]) if "type" in value else None
    return "preset" if isinstance(value, PresetAuth) else getattr(value, "type", None)


Auth = Annotated[
    Annotated[NoneAuth, Tag("none")]
    | Annotated[HmacAuth, Tag("hmac")]
    | Annotated[TokenAuth, Tag("token")]
    | Annotated[BearerAuth, Tag("bearer")]
    | Annotated[BasicAuth, Tag("basic")]
    | Annotated[PresetAuth, Tag("preset")],
    Discriminator(
        auth_kind,
        custom_error_type="auth_kind",
        custom_error_message="say how callers prove who they are: a preset, or one of the types",
    ),
]

ConcreteAuth = NoneAuth | HmacAuth | TokenAuth | BearerAuth | BasicAuth
"""What a preset expands to; what verifiers are built from."""

AUTH_MODELS: dict[str, type[Definition]] = {
    "none": NoneAuth,
    "hmac": HmacAuth,
    "token": TokenAuth,
    "bearer": BearerAuth,
    "basic": BasicAuth,
    "preset": PresetAuth,
}
