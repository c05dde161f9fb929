"""From a step to what it wants: its condition judged, its rights checked, its templates rendered. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from hooksd.config.snapshot import CompiledStep
from hooksd.engine.rights import Rights
from hooksd.engine.run import Run
from hooksd.engine.scope import run_scope
from hooksd.engine.steps.intent import Intent, Occasion, Refuse
from hooksd.engine.steps.registry import VERBS
from hooksd.expr.condition import Condition
from hooksd.expr.problem import RenderProblem
from hooksd.expr.scope import Scope
from hooksd.model.base import Json
from hooksd.model.value import value


@value
class Skip:
    """The step's `if` is not true."""

    detail: Mapping[str, Json]


def prepare(run: Run, step: CompiledStep, number: int, rights: Rights, base_url: str) -> Intent | Skip:
    """Return what an attempt of a step wants.

    A condition is judged before the first attempt only: a step that has begun is not skipped.

    Args:
        run: The run, standing at the step.
        step: The step.
        number: Of the attempt, from 1.
        rights: What the run may do now.
        base_url: Where the HTTP API is, without a slash at the end.
    """
    if "secrets" in step.reads and (denial := rights.secret_denial(_names(step))) is not None:
        return Refuse(error=denial)
    scope = run_scope(run, rights.secrets, base_url, step.reads)
    if step.condition is not None and number == 1 and (skip := _skip(step.condition, scope)) is not None:
        return skip
    try:
        return VERBS[step.verb].prepare(Occasion(step=step, run=run, number=number, scope=scope, rights=rights))
    except RenderProblem as problem:
        return Refuse(error=problem.message)


def _names(step: CompiledStep) -> frozenset[str]:
    of_condition = step.condition.names if step.condition is not None else frozenset()
    return of_condition.union(*(item.names for item in step.values.values()))


def _skip(condition: Condition, scope: Scope) -> Skip | None:
    judged = condition.judge(scope)
    if judged.value:
        return None
    values = {name: value for name, value in condition.values(scope).items() if not name.startswith("secrets")}
    known = {"condition": condition.source, "values": values, "missing": judged.missing, "error": judged.error}
    return Skip(detail={key: value for key, value in known.items() if value is not None})
