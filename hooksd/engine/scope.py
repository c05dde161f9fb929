"""What expressions can read: JSON data only, made from an event and from the state of a run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from hooksd.clock import rfc3339
from hooksd.engine.run import Run
from hooksd.expr.event import event_json, files_json
from hooksd.expr.scope import NAMES, Scope
from hooksd.model.arrival import Arrival
from hooksd.model.base import Json
from hooksd.model.event import Event
from hooksd.model.members import Members
from hooksd.model.record import StepEnded

NEVER_RAN: Mapping[str, Json] = MappingProxyType(
    {"ok": False, "status": None, "output": None, "error": None, "attempts": 0, "ms": 0.0}
)
"""What `steps.NAME` is in `on_failure` and `finally` for a step that the run did not come to."""

_OF_EVENT: Mapping[str, Callable[[Event | Arrival], Json]] = MappingProxyType(
    {
        "event": event_json,
        "headers": lambda it: dict(it.headers),
        "query": lambda it: dict(it.query),
        "files": files_json,
    }
)


def event_scope(
    event: Event | Arrival,
    variables: Mapping[str, Json],
    secrets: Mapping[str, str],
    names: Collection[str] = NAMES,
    members: Members | None = None,
) -> dict[str, Json]:
    """Return what `when` and `concurrency` can read.

    Args:
        event: The event.
        variables: What is `vars`.
        secrets: What the workflow's role may read, by name.
        names: The names that are read. What nobody reads is not made.
        members: What is read of `body`. Default: all of it.
    """
    scope: dict[str, Json] = {}
    for name in names:  # a comprehension would be a call, for each event that a condition is about
        made = _OF_EVENT.get(name)
        if made is not None:
            scope[name] = made(event)
    if members is not None and isinstance(event, Arrival):
        scope["body"] = event.document.some(members)
    elif "body" in names:
        scope["body"] = event.data
    if "vars" in names:
        scope["vars"] = dict(variables)
    if "secrets" in names:
        scope["secrets"] = dict(secrets)
    return scope


def run_scope(run: Run, secrets: Mapping[str, str], base_url: str, names: Collection[str] = NAMES) -> Scope:
    """Return what the steps of a run can read.

    Args:
        run: The run.
        secrets: What its role may read, by name.
        base_url: Where the HTTP API is, without a slash at the end.
        names: The names that are read. What nobody reads is not made.
    """
    if not names:
        return {}
    scope = event_scope(run.event, {**run.workflow.value.vars, **run.variables}, secrets, names)
    if "steps" in names:
        scope["steps"] = _results(run)
    if "run" in names:
        scope["run"] = _run(run, base_url)
    if "error" in names and run.verdict is not None and run.verdict.status != "succeeded":
        scope["error"] = {"step": run.verdict.step, "message": run.verdict.error}
    return scope


def _run(run: Run, base_url: str) -> dict[str, Json]:
    return {
        "id": run.id,
        "workflow": run.workflow.name,
        "ok": run.verdict is None or run.verdict.status == "succeeded",
        "url": f"{base_url}/api/v1/runs/{run.id}",
        "date": rfc3339(run.accepted_at)[:10],
    }


def _results(run: Run) -> dict[str, Json]:
    results: dict[str, Json] = {key: _result(record) for key, record in run.results.items()}
    if run.verdict is None:
        return results
    return {**{step.key: dict(NEVER_RAN) for step in run.workflow.steps}, **results}


def _result(result: StepEnded) -> dict[str, Json]:
    return {
        "ok": result.status == "ok",
        "status": result.code,
        "output": result.output,
        "error": result.error,
        "attempts": result.attempts,
        "ms": result.ms,
    }
