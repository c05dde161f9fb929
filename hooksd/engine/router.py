"""Which runs an event starts, and why the other candidates do not: a pure decision, recorded with the event."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hooksd.config.snapshot import CompiledWorkflow, Snapshot
from hooksd.engine.rights import Rights, rights_of
from hooksd.engine.scope import event_scope
from hooksd.expr.condition import Condition
from hooksd.expr.problem import RenderProblem
from hooksd.expr.scope import Scope
from hooksd.model.event import Event
from hooksd.model.ids import RunId
from hooksd.model.permission import least_trust
from hooksd.model.record import NotStarted, RunPlan

MAX_KEY = 1024
"""The longest `concurrency` key in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A workflow that an event starts."""

    workflow: CompiledWorkflow
    plan: RunPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """What becomes of an event."""

    starts: tuple[Start, ...]
    not_started: tuple[NotStarted, ...]

    @property
    def plans(self) -> tuple[RunPlan, ...]:
        """The runs, as the log knows them."""
        return tuple([start.plan for start in self.starts])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """The rendered `concurrency` of a workflow that starts."""

    text: str | None


def route(
    event: Event,
    candidates: Iterable[CompiledWorkflow],
    *,
    snapshot: Snapshot,
    definition: Callable[[CompiledWorkflow], str],
    new_run: Callable[[], RunId],
) -> Routing:
    """Judge every candidate by trust and condition.

    Args:
        event: The event.
        candidates: The workflows that it may start: subscribers, or one that was asked for by name.
        snapshot: The definitions in force.
        definition: Returns the digest that a workflow's definition is kept under.
        new_run: Returns the identifier of a new run.
    """
    starts: list[Start] = []
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
            concurrency=judged.text,
        )
        starts.append(Start(workflow=workflow, plan=plan))
    return Routing(starts=tuple(starts), not_started=tuple(not_started))


def _judge(event: Event, workflow: CompiledWorkflow, snapshot: Snapshot) -> NotStarted | _Key:
    least = least_trust(workflow.value.trust, workflow.value.run_as)
    if event.trust < least:
        detail = f"the event is {event.trust.label}, the workflow wants {least.label} or better"
        return NotStarted(workflow=workflow.name, reason="trust", detail=detail)
    if workflow.when is None and workflow.concurrency is None:
        return _Key(text=None)
    rights = rights_of(snapshot, workflow, event.trust)
    scope = event_scope(event, workflow.value.vars, rights.secrets)
    if workflow.when is not None:
        refused = _condition(workflow.name, workflow.when, scope, rights)
        if refused is not None:
            return refused
    return _key(workflow, scope, rights)


def _condition(name: str, condition: Condition, scope: Scope, rights: Rights) -> NotStarted | None:
    denial = rights.secret_denial(condition.names)
    if denial is not None:
        return NotStarted(workflow=name, reason="condition_error", detail=denial, condition=condition.source)
    judged = condition.judge(scope)
    if judged.value:
        return None
    # The names of secrets may be told, their values not.
    values = {key: value for key, value in condition.values(scope).items() if not key.startswith("secrets")}
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


def _key(workflow: CompiledWorkflow, scope: Scope, rights: Rights) -> NotStarted | _Key:
    if workflow.concurrency is None:
        return _Key(text=None)
    problem = rights.secret_denial(workflow.concurrency.names)
    text = ""
    if problem is None:
        try:
            text = workflow.concurrency.text(scope)
        except RenderProblem as error:
            problem = error.message
    if len(text) > MAX_KEY:
        problem = f"the key has {len(text)} characters, the most is {MAX_KEY}"
    if problem is not None:
        return NotStarted(workflow=workflow.name, reason="key_error", detail=f"`concurrency`: {problem}")
    return _Key(text=text)
