"""Who may run: pure decisions about one concurrency group, the runs of a workflow with the same key.

The places are derived from the runs that have not ended; there is no lock that a crash could leave behind.
`engine.runner` asks until the answer is None, and does each time what the answer says.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from hooksd.model.ids import RunId
from hooksd.model.workflow import Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A waiting run gets a place."""

    run: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A waiting run ends as skipped."""

    run: RunId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Supersede:
    """A waiting run ends as superseded by a newer one."""

    run: RunId
    by: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """A running run is cancelled to make place for a newer one."""

    run: RunId
    by: RunId


Admission = Start | Skip | Supersede | Cancel


class Group:
    """The runs of one workflow with one key that have not ended. Its owner keeps it up to date."""

    __slots__ = ("policy", "running", "waiting")

    def __init__(self, policy: Workflow) -> None:
        self.policy = policy
        """The definition of the newest of them: it says what happens when all places are taken."""
        self.running: dict[RunId, bool] = {}
        """Oldest first; true: it has been told to stop."""
        self.waiting: deque[RunId] = deque()
        """Oldest first."""


def admit(group: Group) -> Admission | None:
    """Return the next thing to do about a group, or None when all is as it should be. Takes constant time."""
    if not group.waiting:
        return None
    free = group.policy.max_running - len(group.running)
    match group.policy.on_busy:
        case "queue":
            return _queue(group, free)
        case "skip":
            return _skip(group, free)
        case "latest":
            return _latest(group, free)
        case "restart":
            return _latest(group, free) or _restart(group)


def _queue(group: Group, free: int) -> Admission | None:
    if free > 0:
        return Start(run=group.waiting[0])
    most = group.policy.max_queued
    if len(group.waiting) > most:
        return Skip(run=group.waiting[-1], reason=f"{most} runs wait already (`max_queued`)")
    return None


def _skip(group: Group, free: int) -> Admission:
    if free > 0:
        return Start(run=group.waiting[0])
    others = ", ".join(group.running)
    return Skip(run=group.waiting[0], reason=f'{others} was running (`on_busy = "skip"`)')


def _latest(group: Group, free: int) -> Admission | None:
    if len(group.waiting) > max(free, 1):
        return Supersede(run=group.waiting[0], by=group.waiting[-1])
    return Start(run=group.waiting[0]) if free > 0 else None


def _restart(group: Group) -> Admission | None:
    """Return the cancellation that makes place for the one that waits, unless somebody is on the way out already."""
    if any(group.running.values()):
        return None
    return Cancel(run=next(iter(group.running)), by=group.waiting[0])
