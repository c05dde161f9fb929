"""One delivery in the memory of the dispatcher, and what a step is told when all of its deliveries have ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import NamedTuple

from hooksd.delivery.agenda import Turn
from hooksd.delivery.lanes import Lane
from hooksd.delivery.state import Delivery, apply, begin
from hooksd.model import body
from hooksd.model.base import Json
from hooksd.model.effect import Performed
from hooksd.model.ids import DeliveryId
from hooksd.model.record import AttemptEnded, AttemptStarted, DeliveryCreated, DeliveryEnded, Record

CALL = "call "
"""Before the name of an endpoint: the turns of calls to it. No name holds a space."""

Key = tuple[str, str, str]
"""Run, step and endpoint: there is one delivery for each."""


class Conclusion(NamedTuple):
    """What an attempt means for its delivery."""

    started: AttemptStarted | None
    ended: AttemptEnded | None
    """None, both: there was no attempt, only an end that a crash cut off."""
    end: DeliveryEnded | None
    """None: there will be another attempt."""


class Entry:
    """One delivery, and who waits for its end."""

    # Values of the class: one is made for every delivery, and most stay as they are until somebody asks.
    created: DeliveryCreated
    """What begins it; not there before it `is_created`."""
    is_created = False
    is_fresh = True
    """Nothing has happened since it was created: then no state need be made of that."""
    turn: Turn[Entry]
    """Whose turn it is sent in; not there before it waits for it."""
    is_over = False
    waiters = 0
    lane: Lane | None = None
    """Where it waits for those before it."""
    is_busy = False
    """An attempt is under way, or what came of it is on its way to the log."""
    is_waiting = False
    """It waits in the agenda, or in its lane."""
    arrival: AttemptEnded | None = None
    """The attempt that arrived, as far as it was `learnt`: then nobody need fold the state to say what came of it."""
    _state: Delivery | None = None
    _news: Sequence[Record | None] = ()
    """Records of it that are in the log and not in the state: most deliveries are over before somebody asks."""
    _asking: Sequence[asyncio.Future[None]] = ()

    def __init__(
        self, delivery: DeliveryId, key: Key, state: Delivery | None = None, *, is_durable: bool = True
    ) -> None:
        """Take a delivery.

        Args:
            delivery: Its id.
            key: What it is asked for by.
            state: None until it is created.
            is_durable: The log knows of it: after a crash it goes on.
        """
        self.id = delivery
        self.key = key
        self.endpoint = key[2]
        """The name of the endpoint."""
        self.is_durable = is_durable
        self.unwritten: list[Record] = []
        """Records of it that are neither in the log nor on their way there, in order."""
        if state is not None:
            self.know(state)

    @property
    def turn_name(self) -> str:
        """In whose turn it is sent: calls have turns of their own, because nothing holds them."""
        return f"{CALL}{self.endpoint}" if self.created.is_call else self.endpoint

    @property
    def known(self) -> Delivery:
        """The state of a delivery that is created."""
        state, news = self._state, self._news
        if state is None:
            if not self.is_created:
                raise AssertionError(f"{self.id} is not created yet")
            state = begin(self.created)
        for record in news:
            state = state if record is None else apply(state, record)
        self._state, self._news = state, ()
        return state

    def create(self, created: DeliveryCreated) -> None:
        """Take the record that begins it."""
        self.created = created
        self.is_created = True

    def know(self, state: Delivery) -> None:
        """Take a state: what is known of an earlier life, or what somebody decided."""
        self.create(state.created)
        self._state, self._news = state, ()
        self.is_fresh = False

    def learn(self, conclusion: Conclusion) -> None:
        """Take records that are in the log now: the state is the fold of all of them."""
        self._news = (*self._news, *conclusion) if self._news else conclusion
        self.is_fresh = False
        if conclusion.end is not None and conclusion.end.status == "delivered":
            self.arrival = conclusion.ended

    def over(self) -> asyncio.Future[None]:
        """Return what is done when it has ended. For who asks alone: cancelling it changes nothing for others."""
        asking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.is_over:
            asking.set_result(None)
        else:
            self._asking = (*self._asking, asking)
        return asking

    def tell(self) -> None:
        """Let those who wait know that it has ended."""
        self.is_over = True
        for asking in self._asking:
            if not asking.done():
                asking.set_result(None)
        self._asking = ()


def answered(entry: Entry) -> Performed:
    """Return what came of a call: whatever was answered, or that nothing was."""
    delivery = entry.known
    status = None if _status(delivery) == "indeterminate" else delivery.code
    output: dict[str, Json] = {
        "referenceId": entry.id,
        "status": status,
        "data": _data(delivery),
        "error": not _is_delivered(delivery),
        "message": None if _is_delivered(delivery) else delivery.told or delivery.error,
    }
    return Performed(ok=True, code=status, output=output)


def _data(delivery: Delivery) -> Json:
    if delivery.answer is None:
        return None
    media, text = delivery.answer
    if body.is_json(media):
        with contextlib.suppress(ValueError):
            return body.parse(media, text.encode())
    return text or None


def performed(entries: Sequence[Entry]) -> Performed:
    """Return what came of the deliveries of one step, all of which have ended."""
    output: dict[str, Json] = {}
    failed: dict[str, Delivery] = {}
    code: int | None = None
    for entry in entries:
        if (arrival := entry.arrival) is not None:
            code = arrival.exchange.status
            output[entry.endpoint] = _outcome(entry, "delivered", arrival.number, code)
            continue
        delivery = entry.known
        code, status = delivery.code, _status(delivery)
        if status != "delivered":
            failed[entry.endpoint] = delivery
        output[entry.endpoint] = _outcome(entry, status, delivery.sent, code, delivery.error)
    if len(entries) > 1:
        code = None
    if not failed:
        return Performed(ok=True, code=code, output=output)
    error = "; ".join(f"{endpoint}: {_failure(delivery)}" for endpoint, delivery in failed.items())
    is_gone = all(_status(delivery) == "gone" for delivery in failed.values())
    return Performed(ok=False, code=code, output=output, error=error, kind="http" if is_gone else "exhausted")


def _status(delivery: Delivery) -> str | None:
    return delivery.ended.status if delivery.ended else None


def _is_delivered(delivery: Delivery) -> bool:
    return _status(delivery) == "delivered"


def _failure(delivery: Delivery) -> str:
    if _status(delivery) == "gone":
        return "answered 410, which means never again"
    if _status(delivery) == "indeterminate":
        return f"{delivery.error or 'cut off'}: nobody knows whether it arrived, and it must not arrive twice"
    attempts = "1 attempt" if delivery.sent == 1 else f"{delivery.sent} attempts"
    return f"{delivery.error or 'failed'} ({attempts})"


def _outcome(
    entry: Entry, status: str | None, attempts: int, code: int | None, error: str | None = None
) -> dict[str, Json]:
    return {
        "delivery": entry.id,
        "status": status,
        "attempts": attempts,
        "code": code,
        "error": None if status == "delivered" else error,
    }
