"""Which runs an event starts, and why the other candidates do not: a pure decision, recorded with the event.

Most events start nothing: what only a run needs is not made before one is known to start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from hooksd.config.snapshot import CompiledWorkflow, Snapshot
from hooksd.engine.rights import Rights, rights_of
from hooksd.engine.scope import event_scope
from hooksd.expr.condition import Condition
from hooksd.expr.problem import RenderProblem
from hooksd.expr.scope import Scope
from hooksd.expr.template import Template
from hooksd.model.arrival import Arrival
from hooksd.model.event import Event
from hooksd.model.ids import RunId
from hooksd.model.record import NotStarted, RunPlan

MAX_KEY = 1024
"""The longest `concurrency` key in characters."""


class Routing(Struct, frozen=True):
    """What becomes of an event."""

    workflows: tuple[CompiledWorkflow, ...]
    """Those that are started."""
    plans: tuple[RunPlan, ...]
    """Their runs, as the log knows them, in the same order."""
    not_started: tuple[NotStarted, ...]


def route(
    event: Event | Arrival,
    candidates: Iterable[CompiledWorkflow],
    *,
    snapshot: Snapshot,
    definition: Callable[[CompiledWorkflow], str],
    new_run: Callable[[], RunId],
) -> Routing:
    """Judge every candidate by trust and condition.

    Args:
        event: The event, or what will be one.
        candidates: The workflows that it may start: subscribers, or one that was asked for by name.
        snapshot: The definitions in force.
        definition: Returns the digest that a workflow's definition is kept under.
        new_run: Returns the identifier of a new run.
    """
    started: list[CompiledWorkflow] = []
    plans: list[RunPlan] = []
    not_started: list[NotStarted] = []
    for workflow in candidates:
        judged = _judge(event, workflow, snapshot)
        if isinstance(judged, NotStarted):
            not_started.append(judged)
            continue
        plan = RunPlan(
            id=new_run(),
            workflow=workflow.name,
            definition=definition(workflow),
            origin=workflow.origin,
            concurrency=judged,
        )
        plans.append(plan)
        started.append(workflow)
    return Routing(tuple(started), tuple(plans), tuple(not_started))


def _judge(event: Event | Arrival, workflow: CompiledWorkflow, snapshot: Snapshot) -> NotStarted | str | None:
    """Return why a workflow does not start, or the key of its run: None where it has none."""
    when, concurrency = workflow.when, workflow.concurrency
    if event.trust < workflow.trust:
        detail = f"the event is {event.trust.label}, the workflow wants {workflow.trust.label} or better"
        return NotStarted(workflow=workflow.name, reason="trust", detail=detail)
    if when is None and concurrency is None:
        return None
    reads = workflow.reads
    rights = rights_of(snapshot, workflow, event.trust) if "secrets" in reads else None
    scope = event_scope(event, workflow.value.vars, rights.secrets if rights else {}, reads, workflow.members)
    if when is not None and (refused := _condition(workflow.name, when, scope, rights)) is not None:
        return refused
    return None if concurrency is None else _key(workflow.name, concurrency, scope, rights)


def _condition(name: str, condition: Condition, scope: Scope, rights: Rights | None) -> NotStarted | None:
    denial = None if rights is None else rights.secret_denial(condition.names)
    if denial is not None:
        return NotStarted(workflow=name, reason="condition_error", detail=denial, condition=condition.source)
    judged = condition.judge(scope)
    if judged.value:
        return None
    # The names of secrets may be told, their values not.
    values = condition.values(scope)
    if judged.error is not None:
        return NotStarted(
            workflow=name, reason="condition_error", detail=judged.error, condition=condition.source, values=values
        )
    if judged.missing is not None:
        detail = f"`{judged.missing}` is missing"
        return NotStarted(
            workflow=name, reason="condition_missing", detail=detail, condition=condition.source, values=values
        )
    return NotStarted(
        workflow=name, reason="condition_false", detail="`when` is false", condition=condition.source, values=values
    )


def _key(name: str, template: Template, scope: Scope, rights: Rights | None) -> NotStarted | str:
    problem = None if rights is None else rights.secret_denial(template.names)
    text = ""
    if problem is None:
        try:
            text = template.text(scope)
        except RenderProblem as error:
            problem = error.message
    if len(text) > MAX_KEY:
        problem = f"the key has {len(text)} characters, the most is {MAX_KEY}"
    if problem is not None:
        return NotStarted(workflow=name, reason="key_error", detail=f"`concurrency`: {problem}")
    return text
