"""A role: what a workflow that runs as it may do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hooksd.model.base import Definition, Name

PERMISSION_PATTERN = r"^(shell|(run|http|send|emit):.+)$"

Permission = Annotated[str, Field(pattern=PERMISSION_PATTERN)]
"""`VERB:PATTERN`, `*` for any characters: `run:/srv/app/bin/*`, `http:https://api.github.com/*`; or `shell`."""


class Role(Definition):
    """What a workflow that runs as it may do beyond the rights that its trigger gives."""

    allow: tuple[Permission, ...] = ()
    """What it may do: `VERB:PATTERN`, `*` for any characters, or `shell`."""
    secrets: tuple[Name, ...] = ()
    """Names that `{{ secrets.NAME }}` may read."""
