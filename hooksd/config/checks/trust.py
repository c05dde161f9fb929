"""Whether the callers of the webhooks that a workflow names prove enough for what it does.

Only webhooks that `on` names outright are judged: what else an event type may come from is known when it comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hooksd.auth.build import trust_earned
from hooksd.auth.presets import expand
from hooksd.auth.problem import AuthProblem
from hooksd.config.checks.collection import Collection
from hooksd.config.checks.written import Written, raw_steps, text_of, texts_of
from hooksd.config.finding import Finding
from hooksd.config.position import Path
from hooksd.config.snapshot import BY_WEBHOOK, BY_WEBHOOK_ID
from hooksd.model.permission import least_trust
from hooksd.model.trust import TRUST_LABELS, Trust
from hooksd.model.webhook import Webhook

LET_PROVE = "let its callers prove who they are with `auth`"


def check(collection: Collection, workflows: Iterable[Written]) -> Iterator[Finding]:
    """Return every webhook in `on` whose callers can never start the workflow, or make it fail each time.

    Args:
        collection: All definitions.
        workflows: Those to look at.
    """
    for workflow in workflows:
        for path, webhook in _webhooks(workflow, collection):
            yield from _judge(workflow, path, webhook, collection)


def _webhooks(workflow: Written, collection: Collection) -> Iterator[tuple[Path, str]]:
    for path, entry in texts_of(workflow.table.get("on"), (*workflow.path, "on")):
        kind, colon, name = entry.partition(":")
        if colon and f"{kind}:" in (BY_WEBHOOK, BY_WEBHOOK_ID) and name in collection.webhooks:
            yield path, name


def _judge(workflow: Written, path: Path, webhook: str, collection: Collection) -> Iterator[Finding]:
    trust = _trust(webhook, collection)
    explicit, run_as = text_of(workflow.table, "trust"), text_of(workflow.table, "run_as")
    if trust is None or (explicit is not None and explicit not in TRUST_LABELS):
        return
    least = least_trust(explicit, run_as)
    if trust < least:
        hint = f'{LET_PROVE}, or write `trust = "{trust.label}"` if they may start it'
        message = (
            f"callers of webhook `{webhook}` are {trust.label}, and this workflow refuses events below {least.label}"
        )
        yield Finding(code="H061", message=message, file=workflow.file, path=path, hint=hint)
    elif run_as is None and trust < Trust.TOKEN and (send := _first_send(workflow)):
        hint = f"{LET_PROVE}, or set `run_as` and allow the endpoint in roles.toml"
        message = f"`{send[-1]}` needs a caller who proves something, and webhook `{webhook}` lets anyone in"
        yield Finding(code="H061", message=message, file=workflow.file, path=send, hint=hint)


def _trust(webhook: str, collection: Collection) -> Trust | None:
    """Return the trust that callers of a webhook earn; None when it has errors, which are reported as such."""
    value = collection.value("webhook", webhook, Webhook)
    try:
        return None if value is None else trust_earned(expand(value.auth))
    except AuthProblem:
        return None


def _first_send(workflow: Written) -> Path | None:
    steps = raw_steps(workflow.table)
    return next(
        (
            (*workflow.path, phase, index, verb)
            for phase, index, step in steps
            for verb in ("send", "call")
            if verb in step
        ),
        None,
    )
