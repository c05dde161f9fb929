"""Definitions as the admin listener shows them: as written, with references instead of secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from hooksd.auth.naming import events_of
from hooksd.config.snapshot import Revision, Snapshot
from hooksd.expr.markup import is_template
from hooksd.model.auth import PresetAuth
from hooksd.model.base import Json
from hooksd.model.definitions import Defined
from hooksd.model.endpoint import Endpoint
from hooksd.model.header import CREDENTIAL_HEADERS
from hooksd.model.record import Origin
from hooksd.model.role import Role
from hooksd.model.secret import is_reference
from hooksd.model.step import verb_of
from hooksd.model.webhook import UUID, Webhook
from hooksd.model.workflow import Workflow, step_key

HIDDEN: Final = "***"
_SECRET_KEYS: Final = frozenset({"secret", "secrets", "password", "bearer", "client_secret"})


def origin_view(origin: Origin) -> dict[str, Json]:
    """Show where a definition stands."""
    return {"file": origin.file, "line": origin.line}


def revision_view(revision: Revision) -> dict[str, Json]:
    """Show which content of the directory is in force."""
    return {"revision": revision.id, "tree": revision.tree, "commit": revision.commit, "dirty": revision.dirty}


def without_literals(document: Json, *, secret: bool = False) -> Json:
    """Return a document in which literal secrets are hidden; references stay.

    Args:
        document: A definition as it was written.
        secret: It stands under a key that holds a secret.
    """
    match document:
        case str() if secret and not is_reference(document):
            return HIDDEN
        case Mapping():
            return {
                key: HIDDEN
                if _is_credential(key, value)
                else without_literals(value, secret=secret or key in _SECRET_KEYS)
                for key, value in document.items()
            }
        case list() | tuple():
            return [without_literals(item, secret=secret) for item in document]
        case _:
            return document


def _is_credential(key: str, value: Json) -> bool:
    """Tell whether this is a header with a credential in it, and no template that reads one."""
    return isinstance(value, str) and key.lower() in CREDENTIAL_HEADERS and not is_template(value)


def url_of(defined: Defined[Webhook], path: str, public_url: str, uuid: str) -> str:
    """Return the URL of a webhook.

    Args:
        defined: The definition.
        path: Where callers reach it.
        public_url: What its URL starts with.
        uuid: Stands in the place of the text that leads to it, if one does: only its hash is known.
    """
    query = f"?{UUID}={uuid}" if defined.value.uuid else ""
    return f"{public_url.rstrip('/')}{path}{query}"


def webhook_view(defined: Defined[Webhook], path: str, public_url: str | None) -> dict[str, Json]:
    """Show a webhook.

    Args:
        defined: The definition.
        path: Where callers reach it.
        public_url: What its URL starts with; None: only the path is known.
    """
    value = defined.value
    return {
        "id": defined.name,
        "name": defined.name,
        "path": path,
        "url": url_of(defined, path, public_url, HIDDEN) if public_url else None,
        UUID: HIDDEN if value.uuid else None,
        "methods": list(value.methods),
        "auth": value.auth.preset if isinstance(value.auth, PresetAuth) else value.auth.type,
        "event": value.event,
        "events": events_of(defined.name, value),
        "answer": value.answer,
        "enabled": value.enabled,
        "description": value.description,
        "created_at": value.created_at,
        "created_by": value.created_by,
        "updated_at": value.updated_at,
        "updated_by": value.updated_by,
        "digest": defined.digest,
        "origin": origin_view(defined.origin),
    }


def endpoint_view(defined: Defined[Endpoint]) -> dict[str, Json]:
    """Show an endpoint; its URL as the template that was written."""
    value = defined.value
    return {
        "name": defined.name,
        "url": value.url,
        "method": value.method,
        "sign": " ".join(value.sign) if value.secrets else None,
        "enabled": value.enabled,
        "subscribe": list(value.subscribe),
        "shape": value.shape,
        "ping": value.ping,
        "description": value.description,
        "origin": origin_view(defined.origin),
    }


def workflow_view(defined: Defined[Workflow]) -> dict[str, Json]:
    """Show a workflow with its steps."""
    value = defined.value
    return {
        "name": defined.name,
        "on": list(value.on),
        "when": value.when,
        "run_as": value.run_as,
        "concurrency": value.concurrency,
        "on_busy": value.on_busy,
        "steps": [
            {"step": step_key(phase, index, step.id), "list": phase, "verb": verb_of(step)}
            for phase, index, step in value.all_steps()
        ],
        "origin": origin_view(defined.origin),
    }


def role_view(defined: Defined[Role]) -> dict[str, Json]:
    """Show a role."""
    value = defined.value
    return {
        "name": defined.name,
        "allow": list(value.allow),
        "secrets": list(value.secrets),
        "origin": origin_view(defined.origin),
    }


Kind = Callable[[Snapshot, str | None], dict[str, dict[str, Json]]]


def _webhooks(snapshot: Snapshot, public_url: str | None) -> dict[str, dict[str, Json]]:
    defined = snapshot.definitions.webhooks
    return {name: webhook_view(item, snapshot.webhooks[name].path, public_url) for name, item in defined.items()}


def _endpoints(snapshot: Snapshot, _public_url: str | None) -> dict[str, dict[str, Json]]:
    return {name: endpoint_view(item) for name, item in snapshot.definitions.endpoints.items()}


def _workflows(snapshot: Snapshot, _public_url: str | None) -> dict[str, dict[str, Json]]:
    return {name: workflow_view(item) for name, item in snapshot.definitions.workflows.items()}


def _roles(snapshot: Snapshot, _public_url: str | None) -> dict[str, dict[str, Json]]:
    return {name: role_view(item) for name, item in snapshot.definitions.roles.items()}


KINDS: Final[Mapping[str, Kind]] = {
    "webhooks": _webhooks,
    "endpoints": _endpoints,
    "workflows": _workflows,
    "roles": _roles,
}
"""What lists there are, by their part of the path."""


def documents(snapshot: Snapshot, kind: str) -> dict[str, Json]:
    """Return the definitions of one of `KINDS` as written, by name."""
    definitions = snapshot.definitions
    match kind:
        case "webhooks":
            return {name: without_literals(item.document) for name, item in definitions.webhooks.items()}
        case "endpoints":
            return {name: without_literals(item.document) for name, item in definitions.endpoints.items()}
        case "workflows":
            return {name: without_literals(item.document) for name, item in definitions.workflows.items()}
        case _:  # the `secrets` of a role are names
            return {name: dict(item.document) for name, item in definitions.roles.items()}


def config_view(snapshot: Snapshot) -> dict[str, Json]:
    """Show everything that is in force."""
    return {
        **revision_view(snapshot.revision),
        "counts": snapshot.definitions.counts(),
        "definitions": {kind: documents(snapshot, kind) for kind in KINDS},
    }
