"""One file of definitions, as it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from hooksd.model.base import Definition, Name, keys_of
from hooksd.model.endpoint import Endpoint
from hooksd.model.role import Role
from hooksd.model.step import STEP_KEYS
from hooksd.model.webhook import Webhook
from hooksd.model.workflow import Workflow

SUPPORTED_VERSIONS = (1,)

Version = Annotated[Literal[1], Field(description="The version of the format of this file.")]


class DefinitionFile(Definition):
    """A file with any number of definitions, each in its own table."""

    schema_: str | None = Field(default=None, alias="$schema")
    """For editors; not read."""
    version: Version
    webhooks: Mapping[Name, Webhook] = {}
    """Incoming endpoints by name."""
    workflows: Mapping[Name, Workflow] = {}
    """Workflows by name."""
    endpoints: Mapping[Name, Endpoint] = {}
    """Outgoing destinations by name."""
    roles: Mapping[Name, Role] = {}
    """Roles by name; in roles.toml only."""


class WorkflowFile(Workflow):
    """A file with `steps` at the top: one workflow named after the file, with webhooks and endpoints beside it."""

    schema_: str | None = Field(default=None, alias="$schema")
    """For editors; not read."""
    version: Version
    webhooks: Mapping[Name, Webhook] = {}
    """Incoming endpoints by name."""
    workflows: Mapping[Name, Workflow] = {}
    """Workflows by name."""
    endpoints: Mapping[Name, Endpoint] = {}
    """Outgoing destinations by name."""
    roles: Mapping[Name, Role] = {}
    """Roles by name; in roles.toml only."""


FILE_KEYS = keys_of(DefinitionFile)
WORKFLOW_KEYS = keys_of(Workflow)
WEBHOOK_KEYS = keys_of(Webhook)
ENDPOINT_KEYS = keys_of(Endpoint)
ROLE_KEYS = keys_of(Role)

LEVELS: dict[str, frozenset[str]] = {
    "workflow": WORKFLOW_KEYS,
    "step": STEP_KEYS,
    "webhook": WEBHOOK_KEYS,
    "endpoint": ENDPOINT_KEYS,
    "role": ROLE_KEYS,
}
"""The keys of each kind of table, for hints about keys that stand in the wrong one."""

RESERVED_KEYS: dict[str, str] = {
    "foreach": "step", "as": "step", "max_parallel": "step", "needs": "step", "wait": "step", "match": "step",
    "workflow": "step", "with": "step",
    "schedule": "workflow", "timezone": "workflow", "catch_up": "workflow", "once": "workflow", "debounce": "workflow",
    "throttle": "workflow", "rate_limit": "workflow", "paused": "workflow",
}  # fmt: skip
"""Keys of the format that this version of hooksd does not know how to carry out yet, and where they belong."""
