"""A role: what a workflow that runs as it may do."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from hooksd.model.base import Definition, Name
from hooksd.model.egress import Egress

PERMISSION_PATTERN = r"^(shell|(run|http|send|emit|mail|save):.+)$"

_ORIGIN = re.compile(r"https?://(\*|(\*\.)?[^*]+?(:\*)?)")
"""Scheme and host of a permission: any host, one, or all below a domain; the port may be any."""


def split_url(url: str) -> tuple[str, str]:
    """Split a URL, or a pattern of URLs, behind its host and port: `https://a.example` and `/b?c`."""
    scheme, mark, rest = url.partition("://")
    end = len(scheme) + len(mark) + len(re.split(r"[/?#]", rest, maxsplit=1)[0])
    return url[:end], url[end:]


def _keeps_to_hosts(permission: str) -> str:
    verb, _, pattern = permission.partition(":")
    if verb == "http" and pattern != "*" and not _ORIGIN.fullmatch(split_url(pattern)[0]):
        # `https://api.example.com*` looks harmless and lets https://api.example.com.evil.example in.
        raise PydanticCustomError(
            "permission_host",
            "`http:` takes `*`, or a URL whose host is whole, like `https://api.example.com/*` or `https://*.example.com/*`",
        )
    return permission


Permission = Annotated[str, Field(pattern=PERMISSION_PATTERN), AfterValidator(_keeps_to_hosts)]
"""`VERB:PATTERN`, `*` for any characters: `run:/srv/app/bin/*`, `http:https://api.github.com/*`; or `shell`."""


class Role(Definition):
    """What a workflow that runs as it may do beyond the rights that its trigger gives."""

    allow: tuple[Permission, ...] = ()
    """What it may do: `VERB:PATTERN`, `*` for any characters, or `shell`."""
    secrets: tuple[Name, ...] = ()
    """Names that `{{ secrets.NAME }}` may read."""
    egress: Egress | None = None
    """Where `http` steps may go beyond the rules for all, and where not."""
