"""`send`: deliver to registered endpoints. Attempts and retries are the delivery's own affair."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hooksd.engine.steps.intent import Act, Intent, Occasion, Refuse
from hooksd.engine.steps.payload import header_problem, payload_of
from hooksd.expr.event import request_scope
from hooksd.model.effect import Deliver
from hooksd.model.step import SendStep


def prepare(occasion: Occasion) -> Intent:
    """Render what is delivered; without `json`, `text`, `form` or `data` it is the event's body, byte for byte.

    Raises:
        RenderProblem: A template cannot be rendered.
    """
    step = occasion.step.value
    return delivery_to(step.send if isinstance(step, SendStep) else (), occasion)


def delivery_to(endpoints: Sequence[str], occasion: Occasion) -> Intent:
    """Render a delivery to some endpoints.

    Raises:
        RenderProblem: A template cannot be rendered.
    """
    for endpoint in endpoints:
        if (reason := occasion.rights.denial("send", endpoint)) is not None:
            return Refuse(error=reason)
    event = occasion.run.event
    own = payload_of(occasion)
    headers = occasion.texts("headers")
    if headers and (problem := header_problem(headers)) is not None:
        return problem
    return Act(
        effect=Deliver(
            endpoints=tuple(endpoints),
            event=event.id,
            run=occasion.run.id,
            step=occasion.step.key,
            headers=headers,
            query=occasion.texts("query"),
            media=own.media if own else event.media,
            body=own.body if own else event.raw,
            retry=occasion.step.value.retry,
            subject=event.subject,
            files={} if own else event.files,
            scope=partial(request_scope, event),
        )
    )
