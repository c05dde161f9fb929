"""What expressions can read: JSON data only, made from an event and from the state of a run."""

from __future__ import annotations

from collections.abc import Mapping

from hooksd.clock import rfc3339
from hooksd.engine.run import Result, Run
from hooksd.expr.event import event_json, files_json
from hooksd.expr.scope import Scope
from hooksd.model.base import Json
from hooksd.model.event import Event

NEVER_RAN = Result(status="skipped")
"""What `steps.NAME` is in `on_failure` and `finally` for a step that the run did not come to."""


def event_scope(event: Event, variables: Mapping[str, Json], secrets: Mapping[str, str]) -> dict[str, Json]:
    """Return what `when` and `concurrency` can read."""
    return {
        "event": event_json(event),
        "body": event.data,
        "headers": dict(event.headers),
        "query": dict(event.query),
        "files": files_json(event),
        "vars": dict(variables),
        "secrets": dict(secrets),
    }


def run_scope(run: Run, secrets: Mapping[str, str], base_url: str) -> Scope:
    """Return what the steps of a run can read.

    Args:
        run: The run.
        secrets: What its role may read, by name.
        base_url: Where the HTTP API is, without a slash at the end.
    """
    scope = event_scope(run.event, {**run.workflow.value.vars, **run.variables}, secrets)
    scope["steps"] = {key: _result(result) for key, result in _results(run).items()}
    scope["run"] = {
        "id": run.id,
        "workflow": run.workflow.name,
        "ok": run.verdict is None or run.verdict.status == "succeeded",
        "url": f"{base_url}/api/v1/runs/{run.id}",
        "date": rfc3339(run.accepted_at)[:10],
    }
    if run.verdict is not None and run.verdict.status != "succeeded":
        scope["error"] = {"step": run.verdict.step, "message": run.verdict.error}
    return scope


def _results(run: Run) -> Mapping[str, Result]:
    if run.verdict is None:
        return run.results
    return {**{step.key: NEVER_RAN for step in run.workflow.steps}, **run.results}


def _result(result: Result) -> dict[str, Json]:
    return {
        "ok": result.ok,
        "status": result.code,
        "output": result.output,
        "error": result.error,
        "attempts": result.attempts,
        "ms": result.ms,
    }
