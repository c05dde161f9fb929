"""The life of one run, as two pure functions.

    apply(run, record) -> run        what has happened
    decide(run)        -> command    what to do next; None while it is queued, and at the end

Nothing here reads a clock, draws a random number or performs I/O, so a restart is no special case: fold the records
with `apply`, and `decide` goes on from there. Live, `decide` is asked between two attempts; an attempt that is under
way when it is asked was therefore cut off by the end of the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from msgspec.structs import replace

from hooksd.clock import unix
from hooksd.config.snapshot import CompiledStep, CompiledWorkflow
from hooksd.engine.commands import Attempt, Command, Conclude, Finish, Rest
from hooksd.engine.run import Emitted, Progress, Run, Verdict
from hooksd.engine.steps.registry import is_repeatable
from hooksd.model.record import (
    EventAccepted,
    Record,
    RunEnded,
    RunStarted,
    RunStatus,
    StepEnded,
    StepRetried,
    StepStarted,
)
from hooksd.model.workflow import Phase

MAX_INTERRUPTIONS = 10
"""A step that has been under way at so many ends of the process is not tried again: it may be what ends it."""

INTERRUPTED = "interrupted: hooksd ended while it ran, so nobody knows how far it came"
NEXT: Mapping[Phase, Phase | None] = {"steps": "on_failure", "on_failure": "finally", "finally": None}

STATUSES: Mapping[str, RunStatus] = {status: status for status in get_args(RunStatus)}
CANCELLED_BY: Mapping[str, RunStatus] = {"deadline": "timed_out", "restart": "cancelled"}
"""The status of a run by the `reason` in the detail of its cancelled step."""

SUCCEEDED = Verdict(status="succeeded")


def apply(run: Run, record: Record) -> Run:
    """Return the run after a record. Records that do not change it are ignored.

    Args:
        run: The state before.
        record: A fact. An output kept as a blob has been read back into it.
    """
    match record:
        case StepStarted():
            return replace(run, progress=_begun(run.progress, record))
        case StepEnded():
            return _ended(run, record)
        case RunStarted():
            return replace(run, started_at=unix(record.at))
        case RunEnded():
            return replace(run, phase=None, progress=None, ended=record.status)
        case StepRetried():
            interruptions = run.progress.interruptions if run.progress else 0
            return replace(
                run,
                progress=Progress(attempt=record.attempt, retry_at=unix(record.retry_at), interruptions=interruptions),
            )
        case EventAccepted():
            return _emitted(run, record)
        case _:
            return run


def decide(run: Run) -> Command | None:
    """Return what the run needs next; None while it is queued, and when it is over."""
    if run.ended is not None:
        return None
    if run.started_at is None:
        # Told to others, its end without a beginning is a fact; what took its place may be gone by now.
        return Finish(status=run.announced) if run.announced is not None else None
    step = run.step
    if step is None:
        verdict = run.verdict or SUCCEEDED
        return Finish(status=verdict.status, step=verdict.step, error=verdict.error)
    if step.key in run.emitted:
        emitted = run.emitted[step.key]
        output = {"event": emitted.event, "runs": list(emitted.runs)}
        attempts = run.progress.attempt if run.progress else 1
        return Conclude(step=step.key, status="ok", attempts=attempts, output=output)
    if run.progress is None:
        return Attempt(step=step.key, number=1, deadline=deadline(run))
    return _go_on(run, step, run.progress)


def deadline(run: Run) -> float:
    """Return the Unix time at which the phase that the run is in must be over."""
    began = run.started_at if run.cleanup_at is None else run.cleanup_at
    return (began or run.accepted_at) + run.workflow.value.deadline


def _go_on(run: Run, step: CompiledStep, progress: Progress) -> Command:
    """Return how a step that has begun goes on."""
    key = step.key
    if progress.wake_at is not None:
        return Rest(step=key, attempt=progress.attempt, until=progress.wake_at, deadline=deadline(run))
    number = progress.attempt + 1
    if progress.retry_at is not None:
        return Attempt(step=key, number=number, deadline=deadline(run), not_before=progress.retry_at)
    if is_repeatable(step) and (_only_waits(step) or _may_go_on(progress)):
        return Attempt(step=key, number=number, deadline=deadline(run))
    return Conclude(step=key, status="interrupted", attempts=progress.attempt, error=INTERRUPTED)


def _may_go_on(progress: Progress) -> bool:
    return progress.interruptions + 1 < MAX_INTERRUPTIONS


def _only_waits(step: CompiledStep) -> bool:
    """Tell whether a step waits for something that goes on by itself: for days, and through any number of restarts."""
    return step.verb in ("send", "call")


def _begun(before: Progress | None, record: StepStarted) -> Progress:
    interruptions = before.interruptions + (before.retry_at is None) if before else 0
    wake_at = unix(record.wake_at) if record.wake_at else None
    return Progress(attempt=record.attempt, wake_at=wake_at, interruptions=interruptions)


def _emitted(run: Run, record: EventAccepted) -> Run:
    cause = record.event.cause
    if cause is None or cause.run != run.plan.id:
        return run
    if cause.step is None:
        status = record.event.type.rpartition(".")[2]
        return replace(run, announced=STATUSES.get(status, "failed"))
    emitted = Emitted(event=record.event.id, runs=tuple(plan.id for plan in record.runs))
    return replace(run, emitted={**run.emitted, cause.step: emitted})


def _ended(run: Run, record: StepEnded) -> Run:
    phase, position = run.phase, run.position + 1
    verdict, cleanup_at = run.verdict, run.cleanup_at
    if phase != "steps":
        # What cleans up is done as a whole, whatever fails, until its own deadline.
        phase = None if record.status == "cancelled" else phase
    elif (verdict := _verdict(run, record)) is not None:
        # Someone who made this run stop wants it gone, not repaired: only what must happen in any case still does.
        phase, position = "on_failure" if verdict.status in ("failed", "timed_out") else "finally", 0
        cleanup_at = unix(record.at)
    phase, position = _standing(run.workflow, phase, position)
    return replace(
        run,
        phase=phase,
        position=position,
        cleanup_at=cleanup_at,
        progress=None,
        results={**run.results, record.step: record},
        variables={**run.variables, **record.output}
        if record.verb == "set" and record.status == "ok"
        else run.variables,
        verdict=verdict,
    )


def _verdict(run: Run, record: StepEnded) -> Verdict | None:
    """Return how `steps` are over if this result of the step that the run stands at ends them."""
    if record.status == "cancelled":
        status = CANCELLED_BY[str(record.detail.get("reason", "deadline"))]
        return Verdict(status=status, step=record.step, error=record.error)
    steps = run.workflow.steps
    if record.status in ("failed", "interrupted") and steps[run.position].value.on_error == "fail":
        return Verdict(status="failed", step=record.step, error=record.error)
    return SUCCEEDED if run.position + 1 >= len(steps) else None


def _standing(workflow: CompiledWorkflow, phase: Phase | None, position: int) -> tuple[Phase | None, int]:
    """Return where a run stands: lists that are at their end are left."""
    while phase is not None and position >= len(workflow.phase(phase)):
        phase, position = NEXT[phase], 0
    return phase, position
