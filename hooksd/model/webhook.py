"""A webhook: an incoming endpoint."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from hooksd.model.auth import Auth
from hooksd.model.base import Definition, Template
from hooksd.model.units import Size, parse_duration

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Path = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._~/-]*$", max_length=512)]

Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", max_length=64)]
Person = Annotated[str, StringConstraints(min_length=1, max_length=128)]

DEFAULT_ACCEPT = ("application/json", "application/x-www-form-urlencoded")
ANSWER_PATTERN = r"^(accept|none|wait:[0-9]+(\.[0-9]+)?(ms|s|m))$"


class Limits(Definition):
    """What one request may bring."""

    body: Size = 10 * 2**20
    """The longest body; a longer one is answered 413."""


class Webhook(Definition):
    """An incoming endpoint: who may call it, what it makes of the call and what it answers."""

    auth: Auth
    """How callers prove who they are. There is no default: `auth.type = "none"` must be written."""
    path: Path | None = None
    """Where callers reach it. Default: `/hooks/NAME`."""
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
    limits: Limits = Limits()
    """How large one request may be."""
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

    @property
    def wait(self) -> float | None:
        """Seconds a caller waits for the `respond` step; None when it does not."""
        return parse_duration(self.answer.removeprefix("wait:")) if self.answer.startswith("wait:") else None
