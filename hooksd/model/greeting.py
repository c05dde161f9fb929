"""How a provider is answered when it asks whether a URL is ours: data, for providers that no preset knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr

from hooksd.model.base import Definition
from hooksd.model.source import Source

HEADER_PATTERN = r"^[A-Za-z0-9-]+$"


class Reply(Definition):
    """What the provider gets. `{source}` is what the request says there; `{source|hmac}` its keyed hash."""

    status: Annotated[int, Field(ge=200, le=299)] = 200
    """The HTTP status."""
    headers: Mapping[Annotated[str, Field(pattern=HEADER_PATTERN)], str] = Field(default_factory=dict)
    """Headers, by name."""
    body: str = ""
    """The body, as plain text."""
    json_: Mapping[str, StrictStr | StrictInt | StrictBool] | None = Field(default=None, alias="json")
    """The body as a JSON object, in place of `body`."""


class Handshake(Definition):
    """One kind of request that is answered at once and is no event."""

    method: Literal["GET", "HEAD", "OPTIONS", "POST"] = "POST"
    """Its method, whatever the webhook itself takes."""
    signed: StrictBool = False
    """Answer only when the proof holds."""
    when: Mapping[Source, StrictBool | StrictInt | StrictStr] = Field(default_factory=dict)
    """What must stand where; `true`: anything."""
    reply: Reply
    """What the provider gets."""

    def data(self) -> dict[str, Any]:
        """Return it as presets write it."""
        return self.model_dump(by_alias=True, exclude_none=True)
