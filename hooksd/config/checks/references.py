"""Names of one definition in another: endpoints in steps, roles in `run_as`, webhooks and events in `on`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial

from hooksd.config.checks.collection import Collection
from hooksd.config.checks.events import SENDERS, Events
from hooksd.config.checks.written import Written, raw_steps, text_of, texts_of
from hooksd.config.diagnostics import did_you_mean
from hooksd.config.finding import Finding
from hooksd.config.position import Path
from hooksd.config.snapshot import BY_WEBHOOK, BY_WEBHOOK_ID, MANUAL


def check(collection: Collection, workflows: Iterable[Written]) -> Iterator[Finding]:
    """Return every name in some workflows that nothing defines, and every subscription that nothing can ever fulfil.

    Args:
        collection: All definitions.
        workflows: Those to look at.
    """
    # Only asked for by few workflows, and it takes longer than all else when one file has changed.
    events = cache(partial(_events, collection))
    for workflow in workflows:
        yield from _role(workflow, collection)
        yield from _endpoints(workflow, collection)
        yield from _subscriptions(workflow, collection, events)


def _events(collection: Collection) -> Events:
    return Events(pattern for kind in SENDERS for item in collection.of(kind).values() for pattern in item.sends)


def _role(workflow: Written, collection: Collection) -> Iterator[Finding]:
    name = text_of(workflow.table, "run_as")
    if name is not None and name not in collection.roles:
        yield _unknown("H041", "role", workflow.file, (*workflow.path, "run_as"), name, collection.roles)


def _endpoints(workflow: Written, collection: Collection) -> Iterator[Finding]:
    for phase, index, step in raw_steps(workflow.table):
        for verb in ("send", "call"):
            for path, name in texts_of(step.get(verb), (*workflow.path, phase, index, verb)):
                if name not in collection.endpoints:
                    yield _unknown("H040", "endpoint", workflow.file, path, name, collection.endpoints)


def _unknown(code: str, kind: str, file: str, path: Path, name: str, known: Mapping[str, Written]) -> Finding:
    where = "roles.toml" if kind == "role" else "some file"
    hint = did_you_mean(name, known) or f"define it: `[{kind}s.{name}]` in {where}"
    return Finding(code=code, message=f"there is no {kind} `{name}`", file=file, path=path, hint=hint)


def _subscriptions(workflow: Written, collection: Collection, events: Callable[[], Events]) -> Iterator[Finding]:
    for path, entry in texts_of(workflow.table.get("on"), (*workflow.path, "on")):
        kind, colon, name = entry.partition(":")
        if colon and f"{kind}:" in (BY_WEBHOOK, BY_WEBHOOK_ID):
            if "*" not in name and name not in collection.webhooks:
                yield _unknown("H042", "webhook", workflow.file, path, name, collection.webhooks)
        elif entry != MANUAL and not events().may_be(entry):
            others = "only an operator can send it, or who publishes events over the API"
            hint = did_you_mean(entry, events().plain) or others
            yield Finding(
                code="H047",
                message=f"no webhook and no `emit` sends `{entry}`",
                file=workflow.file,
                path=path,
                hint=hint,
                severity="warning",
            )
