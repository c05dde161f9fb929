"""A workflow: triggers and steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, StrictInt

from hooksd.model.base import Definition, Expression, Json, Name, Template, Texts
from hooksd.model.step import Step, StepId
from hooksd.model.units import Duration

Phase = Literal["steps", "on_failure", "finally"]
TrustName = Literal["anonymous", "token", "signed", "local"]


class Workflow(Definition):
    """What happens for an event: which events, under which conditions, as whom, and step by step."""

    on: Annotated[Texts, Field(min_length=1)]
    """Event types that start it, `*` for any characters; `webhook:NAME`, `webhookId:NAME`; `manual` for by hand."""
    when: Expression | None = None
    """Start only if this is true of the event."""
    run_as: Name | None = None
    """The role whose permissions it has."""
    trust: TrustName | None = None
    """The least trust of an event that may start it. Default: `token` with `run_as`, else `anonymous`."""
    concurrency: Template | None = None
    """Runs with the same key share `max_running` places. Default: no limit."""
    on_busy: Literal["queue", "latest", "restart", "skip"] = "queue"
    """What a new run does when all places are taken: wait in order; replace the one that waits; replace the one that
    runs; or end as skipped."""
    max_running: StrictInt = Field(default=1, ge=1, le=1000)
    """How many runs with the same `concurrency` key may run at once."""
    max_queued: StrictInt = Field(default=100, ge=0, le=100_000)
    """More waiting runs than this end as skipped."""
    deadline: Duration = 3600.0
    """The longest `steps` may take together, waits included; then `on_failure` and `finally` get as much again."""
    vars: Mapping[StepId, Json] = {}
    """First values of `vars.NAME`, constants."""
    steps: tuple[Step, ...] = Field(min_length=1)
    """What to do, one after the other, until one fails."""
    on_failure: tuple[Step, ...] = ()
    """Run when a step failed, was interrupted or the deadline passed."""
    finally_: tuple[Step, ...] = Field(default=(), alias="finally")
    """Run at the end in any case."""

    def phase(self, name: Phase) -> tuple[Step, ...]:
        """Return the steps of one of the three lists."""
        return {"steps": self.steps, "on_failure": self.on_failure, "finally": self.finally_}[name]

    def all_steps(self) -> Iterator[tuple[Phase, int, Step]]:
        """Yield every step with its list and its place in it."""
        phases: tuple[Phase, ...] = ("steps", "on_failure", "finally")
        for name in phases:
            for index, step in enumerate(self.phase(name)):
                yield name, index, step


def step_key(phase: Phase, index: int, step_id: str | None) -> str:
    """Return how records name a step: its id, or its list and place, like `steps[0]`."""
    return step_id or f"{phase}[{index}]"
