"""What the engine needs of the world, and what the web needs of the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from hooksd.journal.protocol import Durable
from hooksd.model.arrival import Arrival
from hooksd.model.base import Json
from hooksd.model.effect import Effect, Performed
from hooksd.model.event import Event
from hooksd.model.ids import EventId
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import NotStarted, Origin, RunPlan


class Performer(Protocol):
    """Carries out one effect. Cancelling the call ends what it started."""

    async def perform(self, effect: Effect) -> Performed:
        """Carry out an effect and say what came of it. Failing is an outcome, not an exception."""
        ...


class Outlet(Protocol):
    """Where events go out to the endpoints that subscribe to them."""

    @property
    def is_full(self) -> bool:
        """Tell whether so many deliveries wait that no event may be taken that would add to them."""
        ...

    def send(self, event: Event, plans: Sequence[DeliveryPlan]) -> None:
        """Carry out the deliveries of an event, which is durable together with them."""
        ...


class Accepted(Struct, frozen=True):
    """An event is durable, and so are the runs it starts."""

    event: EventId
    runs: tuple[RunPlan, ...]
    not_started: tuple[NotStarted, ...]
    deliveries: tuple[DeliveryPlan, ...] = ()
    """To endpoints that subscribe."""


class Taken(Struct, frozen=True):
    """An event that is queued to be durable, with the runs it starts."""

    accepted: Accepted
    """What is true when it is durable."""
    durable: Durable


class Publisher(Protocol):
    """Where events go that somebody publishes, several at once."""

    async def accept_all(self, events: Sequence[Event]) -> Sequence[Accepted]:
        """Do what `Intake.accept` does for all of some events, in one write, or for none of them.

        Raises:
            JournalFull: There is no room: nothing was accepted.
            JournalBroken: The log is at its end.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a `respond` step says to the caller."""

    status: int
    headers: Mapping[str, str]
    body: Json


class Intake(Protocol):
    """Where events go. The web and the daemon know the engine by this alone."""

    async def accept(self, event: Event, *, origin: Origin | None) -> Accepted:
        """Route an event, make it and its runs durable, and start them.

        Args:
            event: The event.
            origin: Where the webhook that received it is defined.

        Raises:
            JournalFull: There is no room: nothing was accepted.
            JournalBroken: The log is at its end.
        """
        ...

    def take(self, arrival: Arrival, *, origin: Origin) -> Taken | None:
        """Do what `accept` does without waiting: the engine's part is done before whoever waits is told.

        None: something must be stored first, so `accept` it.
        """
        ...

    async def start(self, event: Event, workflow: str) -> Accepted:
        """Like `accept`, for one workflow by name whatever its `on` says (manual trigger). Conditions still hold.

        Raises:
            KeyError: There is no such workflow.
        """
        ...

    async def send(self, event: Event, endpoint: str, *, fingerprint: str | None = None) -> Accepted:
        """Like `accept`, for one endpoint by name whatever it subscribes to; no workflow starts.

        Args:
            event: The event.
            endpoint: The name of the endpoint.
            fingerprint: Of the endpoint's definition, when this is the ping that it gets because it is new: kept with
                the event, so that it gets none again.

        Raises:
            KeyError: There is no such endpoint.
        """
        ...

    async def response(self, event: EventId, timeout: float) -> Response | None:  # noqa: ASYNC109 - a caller's patience
        """Return what a `respond` step of a run of this event says.

        None when `timeout` seconds passed, or at once when every run of the event ended without an answer.
        """
        ...
