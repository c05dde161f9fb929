"""Where requests may go: what an endpoint, or a role for its `http` steps, allows and forbids."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StringConstraints
from pydantic_core import PydanticCustomError

from hooksd.model.base import Definition, one_or_many

PROXY_PATTERN = r"^https?://[^\s@/]+/?$"

_HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.IGNORECASE)
_NUMBERS = re.compile(r"[0-9.]+")


def is_network(text: str) -> bool:
    """Tell whether a text is an address or a network, not a name.

    Raises:
        ValueError: It is written like one and is none.
    """
    if ":" in text or "/" in text or _NUMBERS.fullmatch(text):
        ip_network(text)
        return True
    return False


def _place(text: str) -> str:
    try:
        is_good = is_network(text) or _HOST.fullmatch(text) is not None
    except ValueError:
        is_good = False
    if not is_good:
        raise PydanticCustomError(
            "egress_place",
            'expected an address, a network or a host, like "10.0.0.5", "10.0.0.0/8", "api.internal" or "*.internal"',
        )
    return text.lower()


Place = Annotated[str, StringConstraints(min_length=1, max_length=253), AfterValidator(_place)]
"""An address, a network, a host, or `*.` and a domain."""
Places = Annotated[tuple[Place, ...], BeforeValidator(one_or_many, json_schema_input_type=Place | list[Place])]
Ports = tuple[Annotated[StrictInt, Field(ge=1, le=65535)], ...]


class Egress(Definition):
    """Where requests may go."""

    allow: Places = ()
    """May be reached although private. Metadata services and link-local addresses only where the address is listed."""
    deny: Places = ()
    """May never be reached; stronger than `allow`."""
    ports: Ports = ()
    """The only ports that may be reached. Default: any."""
    https_only: bool = False
    """Refuse plain http."""
    proxy: Annotated[str, Field(pattern=PROXY_PATTERN, max_length=512)] | None = None
    """An HTTP proxy for all requests, like `http://proxy.internal:3128`. It resolves the names of hosts."""
