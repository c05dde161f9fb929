"""What a run can ask for: decisions as data. `engine.machine` makes them, `engine.execution` carries them out.

Times are Unix seconds. Everything in a command follows from the records of the run, never from a clock. Deadlines are
left out when commands are compared, so that a transcript names them only where it is about them.
"""

from __future__ import annotations

import math
from dataclasses import field

from hooksd.model.base import Json
from hooksd.model.record import RunStatus, StepStatus
from hooksd.model.value import value


@value
class Attempt:
    """Judge a step's `if`, render it, and have it done; then write down what came of it."""

    step: str
    number: int
    """From 1."""
    not_before: float | None = None
    """Until when a retry waits."""
    deadline: float = field(default=math.inf, compare=False)
    """When the step ends as cancelled, whatever it does."""


@value
class Rest:
    """Do nothing until a time, then write down that the step is over."""

    step: str
    attempt: int
    until: float
    deadline: float = field(default=math.inf, compare=False)
    """When the step ends as cancelled."""


@value
class Conclude:
    """Write down the result of a step whose outcome the log already proves: no attempt is made."""

    step: str
    status: StepStatus
    attempts: int
    output: Json = None
    error: str | None = None


@value
class Finish:
    """Write down the end of the run."""

    status: RunStatus
    step: str | None = None
    """The step that decided the status."""
    error: str | None = None


Command = Attempt | Rest | Conclude | Finish
