"""`set`, `respond`, `fail` and `sleep`: steps that touch nothing outside the run and are always allowed."""

from __future__ import annotations

from hooksd.engine.steps.intent import Answer, Intent, Occasion, Refuse, Settle, Sleep
from hooksd.engine.steps.payload import header_problem
from hooksd.model.step import RespondStep, SleepStep


def prepare_set(occasion: Occasion) -> Intent:
    """Render the variables.

    Raises:
        RenderProblem: A template cannot be rendered.
    """
    return Settle(output=occasion.render("set"))


def prepare_respond(occasion: Occasion) -> Intent:
    """Render the answer.

    Raises:
        RenderProblem: A template cannot be rendered.
    """
    step = occasion.step.value
    headers = occasion.texts("headers")
    if (problem := header_problem(headers)) is not None:
        return problem
    status = step.status if isinstance(step, RespondStep) else 200
    return Answer(status=status, headers=headers, body=occasion.render("respond"))


def prepare_fail(occasion: Occasion) -> Intent:
    """Render the reason.

    Raises:
        RenderProblem: A template cannot be rendered.
    """
    return Refuse(error=occasion.text("fail"))


def prepare_sleep(occasion: Occasion) -> Intent:
    """Return how long to wait."""
    step = occasion.step.value
    return Sleep(seconds=step.sleep if isinstance(step, SleepStep) else 0.0)
