"""`call`: ask a registered endpoint. Any answer is data, and so is that there was none."""

from __future__ import annotations

from dataclasses import replace

from hooksd.engine.steps import send
from hooksd.engine.steps.intent import Act, Intent, Occasion
from hooksd.model.effect import Deliver
from hooksd.model.step import CallStep


def prepare(occasion: Occasion) -> Intent:
    """Render what is asked; without `json`, `text`, `form` or `data` it is the event's body, byte for byte.

    Raises:
        RenderProblem: A template cannot be rendered.
    """
    step = occasion.step.value
    intent = send.delivery_to((step.call,) if isinstance(step, CallStep) else (), occasion)
    if isinstance(intent, Act) and isinstance(intent.effect, Deliver):
        return Act(effect=replace(intent.effect, retry=step.retry or "none", is_call=True))
    return intent
