"""What the admin listener needs to change webhooks. `hooksd.daemon.editor` implements it; tests have a fake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from hooksd.config.diagnostics import Diagnostic
from hooksd.model.base import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A webhook as somebody wants it."""

    name: str
    content: Mapping[str, Json] | str
    """Its table as JSON data, or the text of a whole TOML file that defines it and nothing else."""
    by: str
    """Who wants it."""
    create: bool = False
    """There must be none of that name yet."""
    known: str | None = None
    """The digest of what must be in force, so that no change of somebody else is overwritten unseen; None: anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """It is written and in force; or it was so already."""

    created: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """Nothing has changed."""

    reason: Literal["unknown", "invalid", "conflict", "stale", "read_only", "no_room"]
    """`invalid`: what is wanted has errors; `conflict`: files say something else; `stale`: not what was known."""
    detail: str
    """Why, and what to do."""
    diagnostics: tuple[Diagnostic, ...] = ()


class Editor(Protocol):
    """Changes the files of webhooks, and waits until the change is in force."""

    async def put(self, wanted: Wanted) -> Done | Declined:
        """Write a webhook."""
        ...

    async def delete(self, name: str, *, by: str, known: str | None) -> Done | Declined:
        """Remove a webhook.

        Args:
            name: The webhook.
            by: Who wants it gone.
            known: The digest of what must be in force; None: anything.
        """
        ...

    async def text(self, name: str) -> str | Declined:
        """Return the file that holds a webhook, if it holds nothing else and may be shown."""
        ...
