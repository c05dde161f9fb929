"""Every verb and what it is made of. To add one: its model in `hooksd.model.step`, its module here, its line below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hooksd.config.snapshot import CompiledStep
from hooksd.engine.steps import call, emit, http, inner, mail, process, save, send
from hooksd.engine.steps.intent import Intent, Occasion
from hooksd.model.effect import Performed
from hooksd.model.step import HttpStep, Step

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods by which doing it twice is doing it once (RFC 9110, section 9.2.2)."""


def _as_performed(step: Step, performed: Performed) -> Performed:  # noqa: ARG001 - see Verb.judge
    return performed


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One verb."""

    prepare: Callable[[Occasion], Intent]
    """Render a step. Raises RenderProblem."""
    judge: Callable[[Step, Performed], Performed] = _as_performed
    """Say what an outcome means for a step."""
    is_repeatable: bool = True
    """Doing it again after it was cut off does no harm. `http`: depends on the method."""
    retries: bool = False
    """The step's own `retry` applies. `send` hands it to the delivery; the others cannot fail by chance."""


VERBS: Mapping[str, Verb] = {
    "run": Verb(prepare=process.prepare_run, is_repeatable=False, retries=True),
    "shell": Verb(prepare=process.prepare_shell, is_repeatable=False, retries=True),
    "http": Verb(prepare=http.prepare, judge=http.judge, retries=True),
    "send": Verb(prepare=send.prepare),
    "call": Verb(prepare=call.prepare),
    "emit": Verb(prepare=emit.prepare),
    "set": Verb(prepare=inner.prepare_set),
    "respond": Verb(prepare=inner.prepare_respond),
    "fail": Verb(prepare=inner.prepare_fail),
    "save": Verb(prepare=save.prepare, retries=True),
    "mail": Verb(prepare=mail.prepare, is_repeatable=False, retries=True),
    "sleep": Verb(prepare=inner.prepare_sleep),
}
"""Every verb by its name."""


def is_repeatable(step: CompiledStep) -> bool:
    """Tell whether a step that was cut off is tried again: as `on_interrupt` says, else where that does no harm."""
    value = step.value
    if value.on_interrupt is not None:
        return value.on_interrupt == "retry"
    if isinstance(value, HttpStep):
        return value.http.partition(" ")[0] in IDEMPOTENT
    return VERBS[step.verb].is_repeatable
