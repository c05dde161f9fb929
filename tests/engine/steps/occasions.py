"""Steps ready to be prepared, for the tests of each verb."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hooksd.clock import rfc3339
from hooksd.engine.preparing import Skip, prepare
from hooksd.engine.rights import Rights
from hooksd.engine.run import Run
from hooksd.engine.steps.intent import Intent
from hooksd.model.received import Files
from hooksd.model.record import RunPlan, StepEnded, StepStatus
from hooksd.model.role import Role
from hooksd.model.trust import Trust
from hooksd.testing import NOON, event_of, workflow_of

ALL = ("run:*", "shell", "http:*", "send:*", "emit:*")


def run_at(step: dict[str, Any], data: Any = None, *, hop: int = 0, files: Files | None = None, **workflow: Any) -> Run:
    """Return a run that stands at a step."""
    compiled = workflow_of({"steps": [step], **workflow})
    plan = RunPlan(
        id="run_019ab000-0000-7000-8000-000000000002",
        workflow="deploy",
        definition="sha256:0",
        origin=compiled.origin,
        concurrency=None,
    )
    event = replace(event_of(data), hop=hop, files=files or {}, folder="/log")
    return Run(plan=plan, workflow=compiled, event=event, revision="r1", accepted_at=NOON, started_at=NOON)


def ended(step: str, status: StepStatus = "ok", **members: Any) -> StepEnded:
    """Return the result of a step."""
    return StepEnded(
        at=rfc3339(NOON), run="run_1", step=step, verb="run", status=status, **{"attempts": 1, "ms": 0.0} | members
    )


def wants(
    step: dict[str, Any],
    data: Any = None,
    *,
    allow: tuple[str, ...] | None = ALL,
    secrets: dict[str, str] | None = None,
    number: int = 1,
    hop: int = 0,
    files: Files | None = None,
) -> Intent | Skip:
    """Return what a step wants for an event with this body.

    Args:
        step: The step, as a file says it.
        data: The body.
        allow: What the role allows; None: there is no role.
        secrets: What the role may read.
        number: Of the attempt.
        hop: How far the event came.
        files: What the request brought.
    """
    run = run_at(step, data, hop=hop, files=files)
    role = None if allow is None else Role(allow=allow, secrets=tuple(secrets or ()))
    rights = Rights(trust=Trust.SIGNED, role_name="deployer" if role else None, role=role, secrets=secrets or {})
    return prepare(run, run.workflow.steps[0], number, rights, "https://hooks.example")
