"""A webhook: an incoming endpoint."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from hooksd.model.auth import Auth
from hooksd.model.base import Definition, Template, Texts
from hooksd.model.network import networks
from hooksd.model.rate import Rates
from hooksd.model.units import Size, parse_duration

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Path = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._~/-]*$", max_length=512)]

Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", max_length=64)]
Person = Annotated[str, StringConstraints(min_length=1, max_length=128)]

UUID_PATTERN = r"^sha256:[0-9a-f]{64}$"
UUID = "uuid"
"""The query parameter that leads to a webhook whose URL nobody can guess."""

DEFAULT_ACCEPT = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
SCHEMA_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"
ANSWER_PATTERN = r"^(accept|none|wait:[0-9]+(\.[0-9]+)?(ms|s|m))$"


def default_path(name: str, *, has_uuid: bool) -> str:
    """Return where callers reach a webhook that does not say it."""
    return "/hooks" if has_uuid else f"/hooks/{name}"


def uuid_digest(uuid: str) -> str:
    """Return what a definition holds of a `uuid`: looked up by it, the time tells nothing about nearly right ones."""
    return f"sha256:{hashlib.sha256(uuid.encode('utf-8', 'surrogatepass')).hexdigest()}"


class Limits(Definition):
    """What one request may bring."""

    body: Size = 10 * 2**20
    """The longest body; a longer one is answered 413."""
    file: Size | None = None
    """The longest file of a form. Default: as long as the body."""
    files: Annotated[StrictInt, Field(ge=0, le=10_000)] = 20
    """How many files a form may have."""
    fields: Annotated[StrictInt, Field(ge=0, le=10_000)] = 100
    """How many fields a form with files may have, files not counted."""


class Webhook(Definition):
    """An incoming endpoint: who may call it, what it makes of the call and what it answers."""

    auth: Auth
    """How callers prove who they are. There is no default: `auth.type = "none"` must be written."""
    path: Path | None = None
    """Where callers reach it. Default: `/hooks/NAME`, with `uuid` `/hooks`."""
    uuid: Annotated[str, StringConstraints(pattern=UUID_PATTERN)] | None = None
    """The SHA-256 of a random text that callers must send as the query parameter `uuid`: without it there is nothing.
    Several webhooks can share a path then."""
    methods: tuple[Method, ...] = Field(default=("POST",), min_length=1)
    """What callers may use; anything else is answered 405."""
    enabled: StrictBool = True
    """A disabled webhook answers 404."""
    description: str = ""
    """For people."""
    event: Template | None = None
    """The event type, when the provider does not name one. Default: `webhook.NAME`."""
    subject: Template | None = None
    """What the event is about, as a template over the request."""
    accept: tuple[str, ...] = Field(default=DEFAULT_ACCEPT, min_length=1)
    """Media types that are read; another is answered 415. JSON includes every `+json` type."""
    accept_encoding: tuple[Literal["gzip"], ...] = ()
    """Content codings that are undone: `gzip`. Default: none, and a compressed body is answered 415."""
    schema_: Annotated[str, StringConstraints(pattern=SCHEMA_PATTERN, max_length=512)] | None = Field(
        default=None, alias="schema"
    )
    """A JSON Schema that the body must fit, like `schemas/lead.json`: a file in `hooks.d`. Others are answered 422."""
    limits: Limits = Limits()
    """How large one request may be."""
    rate: Rates = ()
    """How often callers may call, like `5/10m`, or each by itself, `5/10m per address`; several all hold. More is
    answered 429."""
    allow_ips: Annotated[Texts, Field(min_length=1)] | None = None
    """Addresses and networks that may call, like `192.0.2.0/24`; others are answered 403. Default: all."""
    dedupe: Literal[False] | Template | None = None
    """What tells one delivery from another, as a template over the request. Default: the id that the provider sends,
    else the header `Idempotency-Key` of callers who do not sign. `false`: each request is accepted, however often."""
    answer: Annotated[str, Field(pattern=ANSWER_PATTERN)] = "accept"
    """`accept`: 202 with the runs; `wait:10s`: what the `respond` step says; `none`: 204."""

    created_at: Moment | None = None
    """When it was created, RFC 3339 in UTC. The admin API writes this and the next three; they change nothing."""
    created_by: Person | None = None
    """Who created it: the name of a local user or of an API key."""
    updated_at: Moment | None = None
    """When it was last changed through the admin API."""
    updated_by: Person | None = None
    """Who changed it last."""

    @field_validator("path")
    @classmethod
    def _path_is_plain(cls, path: str | None) -> str | None:
        if path is not None and (re.search(r"//|/\.\.?(/|$)", path) or path in ("/livez", "/readyz")):
            raise PydanticCustomError("path", "a path has no empty, `.` or `..` part and is not /livez or /readyz")
        return path

    @field_validator("allow_ips")
    @classmethod
    def _are_networks(cls, texts: tuple[str, ...] | None) -> tuple[str, ...] | None:
        try:
            networks(texts or ())
        except ValueError as error:
            raise PydanticCustomError(
                "network", "{what}: write an address or a network, like 192.0.2.1 or 10.0.0.0/8", {"what": str(error)}
            ) from error
        return texts

    def path_as(self, name: str) -> str:
        """Return where callers reach it under a name."""
        return self.path or default_path(name, has_uuid=self.uuid is not None)

    @property
    def wait(self) -> float | None:
        """Seconds a caller waits for the `respond` step; None when it does not."""
        return parse_duration(self.answer.removeprefix("wait:")) if self.answer.startswith("wait:") else None
