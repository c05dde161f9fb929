"""`hooksd list`: the definitions, one table for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from hooksd.auth.coverage import coverage
from hooksd.auth.naming import events_of
from hooksd.auth.presets import expand
from hooksd.cli.invocation import shared_options
from hooksd.cli.loading import definitions_of, settings_of
from hooksd.cli.output import LEAST, as_json, note, say, table, terminal_width
from hooksd.model.auth import PresetAuth
from hooksd.model.definitions import Defined
from hooksd.model.endpoint import Endpoint
from hooksd.model.role import Role
from hooksd.model.step import verb_of
from hooksd.model.webhook import Webhook
from hooksd.model.workflow import Workflow

KINDS = ("webhooks", "workflows", "endpoints", "roles")


@click.command(name="list")
@shared_options
@click.argument("kind", required=False, type=click.Choice(KINDS))
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line.")
@click.pass_context
def command(ctx: click.Context, kind: str | None, json_lines: bool) -> None:
    """Show webhooks, workflows, endpoints and roles, as the files define them now. Needs no daemon."""
    definitions = definitions_of(settings_of(ctx))
    kinds = (kind,) if kind else KINDS
    shown = 0
    for name in kinds:
        items: Mapping[str, Defined[Any]] = getattr(definitions, name)
        header, cells, gives = _COLUMNS[name]
        if json_lines:
            for item in items.values():
                say(as_json({"kind": name.removesuffix("s"), **described(item)}))
        elif items:
            say("" if shown == 0 else "\n", nl=False)
            rows = [_row(item, cells) for item in items.values()]
            cuts = [(column, LEAST) for column in gives]
            for line in table((name.upper(), *header, "DEFINED AT"), rows, width=terminal_width(), cuts=cuts):
                say(line)
        shown += len(items)
    if not shown and not json_lines:
        note("nothing is defined yet; `hooksd new webhook NAME --preset github` writes a first file")


def described(item: Defined[Any]) -> dict[str, Any]:
    """Return a definition as JSON data: its name, its place and what was written."""
    return {
        "name": item.name,
        "file": item.origin.file,
        "line": item.origin.line,
        "digest": item.digest,
        "definition": dict(item.document),
    }


def _row(item: Defined[Any], cells: Callable[[str, Any], tuple[object, ...]]) -> tuple[object, ...]:
    return (item.name, *cells(item.name, item.value), f"{item.origin.file}:{item.origin.line}")


def _webhook(name: str, webhook: Webhook) -> tuple[object, ...]:
    auth = webhook.auth.preset if isinstance(webhook.auth, PresetAuth) else webhook.auth.type
    path = webhook.path_as(name) + ("?uuid=***" if webhook.uuid else "")
    shown = path if webhook.enabled else f"{path} (disabled)"
    return (",".join(webhook.methods), shown, auth, covered(webhook), events_of(name, webhook), webhook.answer)


def covered(webhook: Webhook) -> str:
    """Return what a proof covers, and for how long it passes again; what is a secret by itself covers nothing."""
    said = str(coverage(expand(webhook.auth)))
    return "" if said == "nothing" else said


def _workflow(_name: str, workflow: Workflow) -> tuple[object, ...]:
    verbs = " ".join(str(verb_of(step)) for step in workflow.steps)
    return (", ".join(workflow.on), workflow.when or "", workflow.run_as or "", verbs)


def _endpoint(_name: str, endpoint: Endpoint) -> tuple[object, ...]:
    retry = endpoint.retry if isinstance(endpoint.retry, str) else f"{endpoint.retry.max} attempts"
    return (endpoint.method, endpoint.url, " ".join(endpoint.sign) if endpoint.secrets else "not signed", retry)


def _role(_name: str, role: Role) -> tuple[object, ...]:
    return (" ".join(role.allow), " ".join(role.secrets))


_COLUMNS: dict[str, tuple[tuple[str, ...], Callable[[str, Any], tuple[object, ...]], tuple[int, ...]]] = {
    "webhooks": (("METHODS", "PATH", "AUTH", "COVERS", "EVENT", "ANSWER"), _webhook, (4, 2, 5, 1)),
    "workflows": (("ON", "WHEN", "RUN AS", "STEPS"), _workflow, (2, 4, 1)),
    "endpoints": (("METHOD", "URL", "SIGN", "RETRY"), _endpoint, (2, 3)),
    "roles": (("ALLOW", "SECRETS"), _role, (1, 2)),
}
"""Titles and cells of each kind, between the name and the place, and which columns of the table give way."""
