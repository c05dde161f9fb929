"""An endpoint: a registered outgoing destination."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from hooksd.model.base import Definition, Names, Template, one_or_many
from hooksd.model.egress import Egress
from hooksd.model.rate import Rates
from hooksd.model.retry import RetryRule
from hooksd.model.secret import SecretRef, SecretRefs
from hooksd.model.units import Duration, Size
from hooksd.model.webhook import SCHEMA_PATTERN

USER_PATTERN = r"^[^:\x00-\x1f\x7f]+$"
TOKEN_URL_PATTERN = r"^https?://[^\s{}]+$"
SIGN_PATTERN = r"^(standard-webhooks|github|stripe|hmac-(sha1|sha256|sha512):[A-Za-z0-9-]+)$"

EVENT_PATTERN = r"^[^\s:]+$"

Sign = Annotated[str, StringConstraints(pattern=SIGN_PATTERN)]
Shape = Literal["json", "cloudevents", "cloudevents-structured", "etlworks", "virtuoso"]
"""What an event becomes that goes out by subscription."""

EventPattern = Annotated[str, StringConstraints(pattern=EVENT_PATTERN, max_length=256)]
EventPatterns = Annotated[
    tuple[EventPattern, ...],
    Field(max_length=256),
    BeforeValidator(one_or_many, json_schema_input_type=EventPattern | list[EventPattern]),
]
"""Types of events, in which `*` stands for any characters."""

ContentType = Literal["json", "form", "multipart", "raw"]
"""What becomes of data on its way to an endpoint."""

Parameter = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Parameters = Annotated[tuple[Parameter, ...], Field(max_length=256)]
"""Names of parameters of a query."""

Signs = Annotated[
    tuple[Sign, ...],
    Field(min_length=1, max_length=8),
    BeforeValidator(one_or_many, json_schema_input_type=Sign | list[Sign]),
]
"""One way to sign, or several in the same request."""


def _moment(text: str) -> str:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise PydanticCustomError("moment", 'expected a time with an offset, like "2026-12-01T00:00:00Z"')
    return text


Moment = Annotated[str, StringConstraints(max_length=40), AfterValidator(_moment)]
"""A time with an offset (RFC 3339)."""


class BasicAuth(Definition):
    """A user name and a password (RFC 7617)."""

    username: Annotated[str, StringConstraints(pattern=USER_PATTERN, max_length=256)]
    """The user name."""
    password: SecretRef
    """A reference to the password."""


class OAuth2(Definition):
    """A token by OAuth 2.0 client credentials, asked for when it is needed and kept as long as it lasts."""

    token_url: Annotated[str, StringConstraints(pattern=TOKEN_URL_PATTERN, max_length=2048)]
    """Where tokens are had. The rules of `egress` hold for it too."""
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    """Who asks."""
    client_secret: SecretRef
    """A reference to the client's secret."""
    scope: Annotated[str, StringConstraints(max_length=2048)] = ""
    """What the token is for, words with a space between them."""
    audience: Annotated[str, StringConstraints(max_length=2048)] = ""
    """Whom the token is for, where the server wants to know."""


class EndpointTls(Definition):
    """What TLS needs beyond the system's authorities. Certificates are checked always."""

    ca: SecretRef | None = None
    """A reference to certificates in PEM that are trusted instead of the system's."""
    certificate: SecretRef | None = None
    """A reference to a certificate of our own, in PEM."""
    key: SecretRef | None = None
    """A reference to its private key, in PEM. Default: it stands beside the certificate."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.key is not None and self.certificate is None:
            raise PydanticCustomError("endpoint_key", "a `key` alone proves nothing: name its `certificate`, too")
        return self


class Endpoint(Definition):
    """A registered outgoing destination: where a delivery goes and how it is signed."""

    url: Template
    """Where to. Only `secrets` are in scope of its templates."""
    method: Literal["POST", "PUT", "PATCH", "GET", "DELETE"] = "POST"
    """Of every request."""
    headers: Mapping[str, Template] = {}
    """Added to every request. Templates read `secrets`; or `event`, `body`, `headers` and `query` of the event."""
    sign: Signs = ("standard-webhooks",)
    """How requests are signed when there is a secret; `hmac-sha256:X-Signature` names the hash and the header."""
    secrets: SecretRefs = Field(default=(), alias="secret")
    """References to the signing secrets, the newest first; several while rotating. None: requests are not signed."""
    secret_not_after: Moment | None = None
    """From this time on only the first secret signs."""
    basic_auth: BasicAuth | None = None
    """A user name and a password for every request."""
    bearer: SecretRef | None = None
    """A reference to a token for every request."""
    oauth2: OAuth2 | None = None
    """A token that is asked for."""
    tls: EndpointTls | None = None
    """An authority or a certificate of its own."""
    egress: Egress | None = None
    """Where requests may go beyond the rules for all, and where not."""
    timeout: Duration = 15.0
    """The longest one attempt may take, reading the answer included."""
    retry: RetryRule = "standard"
    """When a failed attempt is made again."""
    subscribe: EventPatterns = ()
    """Types of events that go here without a workflow, `*` for any characters."""
    shape: Shape = "json"
    """What a subscribed event becomes. `json`: its body as it is."""
    content_type: ContentType | None = None
    """What is sent, whatever was given. Default: as it was given."""
    payload_encoding: Literal["base64"] | None = None
    """`base64`: what is given is text in base64, and its bytes are sent."""
    schema_: Annotated[str, StringConstraints(pattern=SCHEMA_PATTERN, max_length=512)] | None = Field(
        default=None, alias="schema"
    )
    """A JSON Schema that what is given must fit, like `schemas/lead.json`; else nothing is sent."""
    max_payload: Size | None = None
    """The longest body that is sent. Default: no limit."""
    query_params: Parameters | None = None
    """The parameters of the query that may be given. Default: by a step any, by a trigger over the API none."""
    callers: Names = ()
    """The `trigger_keys` of the settings that may trigger it over the API."""
    include_entity: bool = True
    """`false`: a subscribed event goes out without its body, where its `shape` says something besides."""
    ping: bool = False
    """`true`: an event of the type `ping` goes here when this definition appears, and whenever it changes."""
    allow_anonymous: bool = False
    """Subscribed events go here although anybody may have caused them (`auth.type = "none"`)."""
    retry_target: Literal["current", "pinned"] = "current"
    """`pinned`: a delivery keeps URL, method, headers and signature as they were defined when it was created."""
    at_most_once: bool = False
    """Never send again what may have been received: such a delivery ends as `indeterminate`."""
    enabled: bool = True
    """`false`: deliveries are created and wait."""
    rate: Rates = ()
    """How many attempts may begin in a time, like `"100/1m"`; what is beyond waits."""
    max_in_flight: Annotated[StrictInt, Field(ge=1, le=1000)] = 8
    """How many attempts may be under way at the same time."""
    ordered: bool = False
    """Deliveries of one subject go one after the other: one that fails holds up those behind it until its end."""
    description: str = ""
    """For people."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if sum(way is not None for way in (self.basic_auth, self.bearer, self.oauth2)) > 1:
            raise PydanticCustomError("endpoint_auth", "an endpoint has one of `basic_auth`, `bearer` and `oauth2`")
        if any(rate.per_address for rate in self.rate):
            raise PydanticCustomError(
                "endpoint_rate", "a rate `per address` is for webhooks: an endpoint is one address"
            )
        self._subscribes_well()
        return self

    def _subscribes_well(self) -> None:
        if self.shape == "json" and not self.include_entity:
            raise PydanticCustomError(
                "endpoint_entity", 'without the entity nothing is left of `shape = "json"`: choose another shape'
            )
        if self.payload_encoding is not None and (self.content_type or "raw") != "raw":
            raise PydanticCustomError(
                "endpoint_encoding", "`payload_encoding` makes bytes of what is given: leave `content_type` out"
            )
        if self.payload_encoding is not None and self.method == "GET":
            raise PydanticCustomError("endpoint_encoding", "GET has no body, so there is no `payload_encoding`")
        if self.shape == "json":
            return
        if self.payload_encoding is not None or self.content_type == "raw":
            raise PydanticCustomError(
                "endpoint_shape", '`payload_encoding`, and `content_type = "raw"`, go with `shape = "json"` alone'
            )
        if self.shape.startswith("cloudevents") and self.content_type is not None:
            raise PydanticCustomError(
                "endpoint_shape", "CloudEvents say by themselves what their content is: leave `content_type` out"
            )
