"""To which endpoints an event goes by their subscriptions: a pure decision, recorded with the event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hooksd.config.snapshot import CompiledEndpoint
from hooksd.model.chain import MAX_MARKS, mark_of, marks_of
from hooksd.model.ids import DeliveryId
from hooksd.model.outgoing import DeliveryPlan, NotSent
from hooksd.model.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Where an event goes."""

    plans: tuple[DeliveryPlan, ...] = ()
    not_sent: tuple[NotSent, ...] = ()


NOWHERE = Distribution()


def distribute(
    receivers: Iterable[CompiledEndpoint],
    *,
    trust: Trust,
    headers: Mapping[str, str],
    new_delivery: Callable[[], DeliveryId],
) -> Distribution:
    """Judge every endpoint that subscribes to an event, by trust and by where the event has been.

    Args:
        receivers: The endpoints.
        trust: Of the event.
        headers: Of the event, with names in lower case.
        new_delivery: Returns the identifier of a new delivery.
    """
    plans: list[DeliveryPlan] = []
    not_sent: list[NotSent] = []
    marks = marks_of(headers)
    for endpoint in receivers:
        name = endpoint.name
        if trust < Trust.TOKEN and not endpoint.value.allow_anonymous:
            not_sent.append(NotSent(endpoint=name, reason="trust"))
        elif marks and (len(marks) >= MAX_MARKS or mark_of(name, endpoint.value.url) in marks):
            not_sent.append(NotSent(endpoint=name, reason="loop"))
        else:
            plans.append(DeliveryPlan(id=new_delivery(), endpoint=name))
    return Distribution(plans=tuple(plans), not_sent=tuple(not_sent))
