"""The first and the last record of a run, the events that it publishes, and what observers are told of it."""

from __future__ import annotations

import orjson

from hooksd.clock import rfc3339
from hooksd.config.snapshot import is_heard
from hooksd.engine.run import Run
from hooksd.engine.steps.intent import Publish
from hooksd.engine.world import World
from hooksd.model import body
from hooksd.model.event import MAX_HOP, Cause, Event
from hooksd.model.making import run_ended, run_started
from hooksd.model.record import RunEnded, RunStarted, RunStatus, StepEnded
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer


def started(run: Run, world: World) -> RunStarted:
    """Return the record of a run that leaves the queue now."""
    revision = world.current().revision.id
    return run_started(at=world.at(), run=run.plan.id, workflow=run.workflow.name, revision=revision)


def ended(run: Run, world: World, status: RunStatus, step: str | None, error: str | None) -> RunEnded:
    """Return the record of a run that ends now."""
    now = world.clock.now()
    return run_ended(
        at=rfc3339(now),
        run=run.plan.id,
        workflow=run.workflow.name,
        event=run.event.id,
        status=status,
        ms=round((now - run.accepted_at) * 1000, 3),
        revision=run.revision,
        origin=run.plan.origin,
        step=step,
        error=error,
    )


def announcement(run: Run, world: World, status: RunStatus, step: str | None, error: str | None) -> Event | None:
    """Return the event that tells of a run's end; None when nobody subscribes to it, or it came too far."""
    kind = f"workflow.{run.workflow.name}.{status}"
    if run.event.hop >= MAX_HOP or not is_heard(world.current(), kind):
        return None
    data = {
        "run": run.id,
        "workflow": run.workflow.name,
        "status": status,
        "step": step,
        "message": error,
        "event": run.event.id,
    }
    intent = Publish(type=kind, subject=run.event.subject, media=body.JSON, raw=orjson.dumps(data), data=data)
    return emitted(run, world, None, intent)


def emitted(run: Run, world: World, step: str | None, intent: Publish) -> Event:
    """Return the event that a step publishes; no step: the end of the run.

    It has the trust of the event that started the run, and is one hop further from the first cause.
    """
    return Event(
        id=world.ids.event(),
        type=intent.type,
        source=f"workflow/{run.workflow.name}",
        subject=intent.subject,
        time=world.at(),
        trust=run.event.trust,
        hop=run.event.hop + 1,
        cause=Cause(event=run.event.id, run=run.id, step=step),
        media=intent.media,
        raw=intent.raw,
        data=intent.data,
    )


def tell_started(observer: Observer | None, record: RunStarted) -> None:
    """Let observers know that a run left the queue. What no line is written of is only counted, here as below."""
    if observer is None:
        return
    if observer.is_verbose:
        observer.emit(happenings.RunStarted(run=record.run, workflow=record.workflow))
    else:
        observer.metrics.run_started(record.workflow)


def tell_step(observer: Observer | None, record: StepEnded, workflow: str) -> None:
    """Let observers know of a step's end."""
    if observer is None:
        return
    if not observer.is_verbose:
        observer.metrics.step_ended(record.verb, record.status, record.ms / 1000)
        return
    observer.emit(
        happenings.StepEnded(
            run=record.run,
            workflow=workflow,
            step=record.step,
            verb=record.verb,
            status=record.status,
            seconds=record.ms / 1000,
            error=record.error,
        )
    )


def tell_ended(observer: Observer | None, record: RunEnded) -> None:
    """Let observers know of a run's end."""
    if observer is None:
        return
    if record.status not in ("failed", "timed_out") and not observer.is_verbose:
        observer.metrics.run_ended(record.workflow, record.status, record.ms / 1000)
        return
    observer.emit(
        happenings.RunEnded(
            run=record.run,
            workflow=record.workflow,
            event_id=record.event,
            status=record.status,
            seconds=record.ms / 1000,
            step=record.step,
            error=record.error,
        )
    )
