"""An endpoint: a registered outgoing destination."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from hooksd.model.base import Definition, Template
from hooksd.model.retry import RetryRule
from hooksd.model.secret import SecretRefs
from hooksd.model.units import Duration

SIGN_PATTERN = r"^(standard-webhooks|github|stripe|hmac-(sha1|sha256|sha512):[A-Za-z0-9-]+)$"


class Endpoint(Definition):
    """A registered outgoing destination: where a delivery goes and how it is signed."""

    url: Template
    """Where to. Only `secrets` are in scope of its templates."""
    method: Literal["POST", "PUT", "PATCH", "GET", "DELETE"] = "POST"
    """Of every request."""
    headers: Mapping[str, Template] = {}
    """Added to every request. On an endpoint only `secrets` are in scope of the templates."""
    sign: Annotated[str, Field(pattern=SIGN_PATTERN)] = "standard-webhooks"
    """How requests are signed when there is a secret; `hmac-sha256:X-Signature` names the hash and the header."""
    secrets: SecretRefs = Field(default=(), alias="secret")
    """References to the signing secrets; several while rotating. None: requests are not signed."""
    timeout: Duration = 15.0
    """The longest one attempt may take, reading the answer included."""
    retry: RetryRule = "standard"
    """When a failed attempt is made again."""
    description: str = ""
    """For people."""
