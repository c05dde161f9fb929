"""Deliveries by subscription: from what the record of an event planned to deliveries that are under way.

The plan is part of the record that accepted the event, so no crash can part them. A delivery itself is made durable a
moment later, with the bytes that every attempt sends; what a crash left planned and not created is created after it.
`daemon.wiring` hands a `Distributor` to the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from hooksd.clock import Clock, rfc3339
from hooksd.config.snapshot import CompiledEndpoint, Snapshot
from hooksd.delivery.dispatcher import Dispatcher
from hooksd.delivery.format import Unfit, fit
from hooksd.delivery.shape import Message, shaped
from hooksd.expr.event import request_scope
from hooksd.journal.protocol import Journal
from hooksd.journal.replay import PlannedDelivery
from hooksd.model.chain import VIA, mark_of, marks_of
from hooksd.model.effect import Deliver
from hooksd.model.event import Event
from hooksd.model.ids import DeliveryId, RunId
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import DeliveryEnded
from hooksd.model.stored import restore

ROOM = 100_000
"""Deliveries without an end, however they came about, above which no event is taken that would add to them."""

_NO_RUN: Final = RunId("")


class Distributor:
    """Sends events to the endpoints that subscribe to them."""

    def __init__(
        self, *, dispatcher: Dispatcher, journal: Journal, clock: Clock, current: Callable[[], Snapshot]
    ) -> None:
        """Take the collaborators.

        Args:
            dispatcher: Who carries out deliveries.
            journal: Where the bodies of events are, after a restart.
            clock: The time.
            current: Returns the definitions in force.
        """
        self._dispatcher = dispatcher
        self._journal = journal
        self._clock = clock
        self._current = current

    @property
    def is_full(self) -> bool:
        """Tell whether so many deliveries wait that new ones must be refused."""
        return self._dispatcher.pending >= ROOM

    def send(self, event: Event, plans: Sequence[DeliveryPlan]) -> None:
        """Carry out what was planned for an event that is durable."""
        for plan in plans:
            effect = self._effect(event, plan)
            if isinstance(effect, Unfit):
                self._end(plan, effect.why)
            else:
                self._dispatcher.take(DeliveryId(plan.id), effect)

    def recover(self, planned: Iterable[PlannedDelivery]) -> None:
        """Carry out what an earlier life planned and did not begin. Called once, after the dispatcher recovered."""
        for item in planned:
            try:
                event = restore(item.accepted.event, self._journal.blob)
            except (KeyError, ValueError) as error:
                self._end(item.plan, f"the event cannot be read any more: {type(error).__name__}: {error}")
            else:
                self.send(event, (item.plan,))

    def _end(self, plan: DeliveryPlan, error: str) -> None:
        # Who drops the result loses nothing: without the record the next start comes to the same end.
        at = rfc3339(self._clock.now())
        ended = DeliveryEnded(
            at=at, delivery=plan.id, endpoint=plan.endpoint, status="exhausted", attempts=0, error=error
        )
        _ = self._journal.append([ended])

    def _effect(self, event: Event, plan: DeliveryPlan) -> Deliver | Unfit:
        endpoint = self._current().endpoints.get(plan.endpoint)
        if endpoint is None:
            # It was removed meanwhile. Its attempts fail by the schedule, as it may come back.
            message = Message(headers={}, media=event.media, body=event.raw)
        else:
            message = _message(event, plan, endpoint)
        effect = Deliver(
            endpoints=(plan.endpoint,),
            event=event.id,
            run=_NO_RUN,
            step="",
            headers=message.headers,
            query={},
            media=message.media,
            body=message.body,
            retry=None,
            subject=event.subject,
            files=event.files,
            scope=partial(request_scope, event),
        )
        return effect if endpoint is None else fit(effect, endpoint)


def _message(event: Event, plan: DeliveryPlan, endpoint: CompiledEndpoint) -> Message:
    """Return what an endpoint is sent of an event, with its mark behind those that the event brought."""
    value = endpoint.value
    message = shaped(
        event,
        shape=value.shape,
        endpoint=plan.endpoint,
        delivery=plan.id,
        is_form=value.content_type == "form",
        has_entity=value.include_entity,
    )
    mark = mark_of(plan.endpoint, value.url)
    marks = marks_of(event.headers)
    message.headers[VIA] = ", ".join((*marks, mark)) if marks else mark
    return message
