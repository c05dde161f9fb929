"""A whole set of definitions: every definition with the place it stands at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hooksd.model.base import Json
from hooksd.model.endpoint import Endpoint
from hooksd.model.record import Origin
from hooksd.model.role import Role
from hooksd.model.webhook import Webhook
from hooksd.model.workflow import Workflow

T = TypeVar("T", Webhook, Endpoint, Workflow, Role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined(Generic[T]):
    """One definition and where it comes from."""

    name: str
    value: T
    origin: Origin
    document: Mapping[str, Json]
    """The table as it was written, as JSON data; `digest` is taken over it, and runs keep it."""
    digest: str
    """`sha256:...` of the document in canonical JSON: sorted keys, no spaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """A set of definitions that belong together, by kind and name."""

    webhooks: Mapping[str, Defined[Webhook]] = field(default_factory=dict)
    endpoints: Mapping[str, Defined[Endpoint]] = field(default_factory=dict)
    workflows: Mapping[str, Defined[Workflow]] = field(default_factory=dict)
    roles: Mapping[str, Defined[Role]] = field(default_factory=dict)
    schemas: Mapping[str, Json] = field(default_factory=dict)
    """JSON Schemas of bodies by their paths."""

    def counts(self) -> dict[str, int]:
        """Return how many there are of each kind."""
        return {
            "webhooks": len(self.webhooks),
            "endpoints": len(self.endpoints),
            "workflows": len(self.workflows),
            "roles": len(self.roles),
        }

    def digests(self) -> dict[str, str]:
        """Return the digest of every definition by `kind/name`, for differences between two sets."""
        kinds = (
            ("webhook", self.webhooks),
            ("endpoint", self.endpoints),
            ("workflow", self.workflows),
            ("role", self.roles),
        )
        return {f"{kind}/{name}": item.digest for kind, items in kinds for name, item in items.items()}
