"""Which workflows and endpoints want which events, looked up by what they wrote. Called by `config.build`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hooksd.config.snapshot import BY_WEBHOOK, BY_WEBHOOK_ID, MANUAL, CompiledEndpoint, CompiledWorkflow, Snapshot

Workflows = tuple[Mapping[str, tuple[CompiledWorkflow, ...]], tuple[tuple[str, CompiledWorkflow], ...]]
"""Workflows by each plain `on` entry, and the entries with `*`."""
Endpoints = tuple[Mapping[str, tuple[CompiledEndpoint, ...]], tuple[tuple[str, CompiledEndpoint], ...]]
"""Endpoints by each plain `subscribe` entry, and the entries with `*`."""


def workflows_by_event(workflows: Mapping[str, CompiledWorkflow], previous: Snapshot | None) -> Workflows:
    """Return the workflows by what they listen to, in the order of their names.

    Args:
        workflows: All of them by name.
        previous: The snapshot before: if the same workflows listen to the same, only those that changed are replaced.
    """
    return (previous and _replaced(workflows, previous)) or _indexed(workflows.values())


def _indexed(workflows: Iterable[CompiledWorkflow]) -> Workflows:
    plain: dict[str, dict[str, CompiledWorkflow]] = {}
    patterns: list[tuple[str, CompiledWorkflow]] = []
    for workflow in sorted(workflows, key=lambda item: item.name):
        for entry in workflow.value.on:
            if entry == MANUAL:
                continue
            spelled = _spelled(entry)
            if "*" in spelled:
                patterns.append((spelled, workflow))
            else:
                plain.setdefault(spelled, {})[workflow.name] = workflow
    return {entry: tuple(items.values()) for entry, items in plain.items()}, tuple(patterns)


def _replaced(workflows: Mapping[str, CompiledWorkflow], previous: Snapshot) -> Workflows | None:
    before = previous.workflows
    if before.keys() != workflows.keys():
        return None
    changed = [item for name, item in workflows.items() if before[name] is not item]
    if any(before[item.name].value.on != item.value.on for item in changed):
        return None
    plain = dict(previous.subscriptions)
    for entry in {_spelled(entry) for item in changed for entry in item.value.on} & plain.keys():
        plain[entry] = tuple(workflows[item.name] for item in plain[entry])
    return plain, tuple((pattern, workflows[item.name]) for pattern, item in previous.patterns)


def _spelled(entry: str) -> str:
    """Return the one spelling of entries that name a webhook."""
    return BY_WEBHOOK + entry.removeprefix(BY_WEBHOOK_ID) if entry.startswith(BY_WEBHOOK_ID) else entry


def endpoints_by_event(endpoints: Iterable[CompiledEndpoint]) -> Endpoints:
    """Return the endpoints by what they subscribe to, in the order of their names."""
    plain: dict[str, dict[str, CompiledEndpoint]] = {}
    patterns: list[tuple[str, CompiledEndpoint]] = []
    for endpoint in sorted(endpoints, key=lambda item: item.name):
        for entry in endpoint.value.subscribe:
            if "*" in entry:
                patterns.append((entry, endpoint))
            else:
                plain.setdefault(entry, {})[endpoint.name] = endpoint
    return {entry: tuple(items.values()) for entry, items in plain.items()}, tuple(patterns)
