"""From the log to runs that go on: every unfinished run folded again, with the definition it was accepted with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce

import orjson

from hooksd.clock import unix
from hooksd.config.snapshot import Snapshot
from hooksd.engine.definitions import DefinitionStore
from hooksd.engine.machine import apply
from hooksd.engine.run import Run
from hooksd.expr.problem import ExpressionProblem
from hooksd.journal.replay import Unfinished, UnfinishedRun
from hooksd.model.event import Event
from hooksd.model.record import EventAccepted, Record, RunPlan, StepEnded
from hooksd.model.stored import restore


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A run that cannot go on, because what it is made of cannot be read."""

    plan: RunPlan
    accepted: EventAccepted
    reason: str


def recovered(
    unfinished: Unfinished,
    *,
    definitions: DefinitionStore,
    snapshot: Snapshot,
    blob: Callable[[str], bytes],
    folder: str = "",
) -> tuple[tuple[Run, ...], tuple[Lost, ...]]:
    """Return the runs that go on, in the order in which they were accepted, and those that cannot.

    Args:
        unfinished: What the log holds.
        definitions: Where definitions of runs are kept.
        snapshot: The definitions in force.
        blob: Reads the blob of a digest. Raises KeyError.
        folder: The directory of the log, where workflows find the files of events.
    """
    events: dict[str, Event] = {}
    runs: list[Run] = []
    lost: list[Lost] = []
    for item in unfinished.runs:
        try:
            stored = item.accepted.event
            if stored.id not in events:
                events[stored.id] = restore(stored, blob, folder)
            workflow = definitions.load(item.plan, snapshot)
            run = Run(
                plan=item.plan,
                workflow=workflow,
                event=events[stored.id],
                revision=item.accepted.revision,
                accepted_at=unix(item.accepted.at),
            )
            runs.append(_folded(run, item, blob))
        except (KeyError, ValueError, ExpressionProblem) as error:
            reason = f"cannot go on after the restart: {type(error).__name__}: {error}"
            lost.append(Lost(plan=item.plan, accepted=item.accepted, reason=reason))
    return tuple(runs), tuple(lost)


def _folded(run: Run, item: UnfinishedRun, blob: Callable[[str], bytes]) -> Run:
    return reduce(apply, (_whole(record, blob) for record in item.records), run)


def _whole(record: Record, blob: Callable[[str], bytes]) -> Record:
    """Return a record with an output that was too large for it read back in."""
    if isinstance(record, StepEnded) and record.output_blob is not None:
        return replace(record, output=orjson.loads(blob(record.output_blob)), output_blob=None)
    return record
