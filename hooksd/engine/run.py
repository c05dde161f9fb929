"""The state of a run: what the fold of its records amounts to. A value; `engine.machine` makes the next one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from hooksd.clock import unix
from hooksd.config.snapshot import CompiledStep, CompiledWorkflow
from hooksd.model.arrival import Arrival
from hooksd.model.base import Json
from hooksd.model.event import Event
from hooksd.model.ids import RunId
from hooksd.model.record import RunPlan, RunStatus, StepEnded
from hooksd.model.value import value
from hooksd.model.workflow import Phase


@value
class Progress:
    """A step that was attempted and has no result yet."""

    attempt: int
    wake_at: float | None = None
    """When its `sleep` ends, Unix seconds."""
    retry_at: float | None = None
    """When the attempt after the failed one `attempt` is due; None while `attempt` itself is under way."""
    interruptions: int = 0
    """How many of its attempts ended with the process."""


@value
class Verdict:
    """How `steps` ended, and with it the run."""

    status: RunStatus
    step: str | None = None
    error: str | None = None


@value
class Emitted:
    """An event that a step of the run published."""

    event: str
    runs: tuple[str, ...]


class Run(Struct, frozen=True):
    """One run: its plan, its event, and everything that the log says of it. Each record makes a new one of it."""

    plan: RunPlan
    workflow: CompiledWorkflow
    event: Event | Arrival
    """Whole."""
    revision: str
    """In force when the event was accepted."""
    accepted_at: float
    """Unix seconds."""
    started_at: float | None = None
    """When it left the queue."""
    phase: Phase | None = "steps"
    """The list it is at; None when there is nothing left but its end."""
    position: int = 0
    """Its place in that list."""
    cleanup_at: float | None = None
    """When `on_failure` and `finally` began."""
    progress: Progress | None = None
    results: Mapping[str, StepEnded] = MappingProxyType({})
    """What came of steps, by their keys, in the order in which they ended."""
    variables: Mapping[str, Json] = MappingProxyType({})
    emitted: Mapping[str, Emitted] = MappingProxyType({})
    """By the key of the step that published it."""
    verdict: Verdict | None = None
    """None while `steps` is under way."""
    announced: RunStatus | None = None
    """The status of its end that has been published as an event."""
    ended: RunStatus | None = None

    @property
    def id(self) -> RunId:
        """Its identifier."""
        return RunId(self.plan.id)

    @property
    def step(self) -> CompiledStep | None:
        """The step it is at; None when there is none left."""
        return self.workflow.phase(self.phase)[self.position] if self.phase else None


class Planned(Struct, frozen=True):
    """A run that waits for its turn: thousands may, so no more is kept than it takes to make the run of it."""

    plan: RunPlan
    workflow: CompiledWorkflow
    event: Arrival | Event
    revision: str
    """In force when the event was accepted."""
    accepted_at: str
    """RFC 3339."""

    @property
    def id(self) -> RunId:
        """Its identifier."""
        return RunId(self.plan.id)

    def begun(self) -> Run:
        """Return the run, as it leaves the queue."""
        return Run(self.plan, self.workflow, self.event, self.revision, unix(self.accepted_at))
