"""Deliveries that operators want again: one at once, or many in their turn. What is sent is in the log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

import orjson
from starlette.requests import Request

from hooksd.errors import JournalError
from hooksd.journal.codec import record_of
from hooksd.model.base import Json
from hooksd.model.ids import DELIVERY_PREFIX
from hooksd.model.record import DeliveryCreated
from hooksd.web.answer import Answer, json_answer
from hooksd.web.asked import Refusal, document_of, identifier_in, not_held
from hooksd.web.control import Control
from hooksd.web.delivery_history import deliveries_of
from hooksd.web.desk import Desk, Served
from hooksd.web.problem import problem

MOST = 100
"""Deliveries that are asked for in one request."""

Created = Callable[[str], Awaitable[Mapping[str, Json] | None]]
"""Returns the record that created a delivery; None: it is unknown."""


class Outbox(Protocol):
    """Who carries out deliveries: `delivery.dispatcher.Dispatcher`."""

    def is_open(self, delivery: str) -> bool:
        """Tell whether a delivery has no end yet."""
        ...

    async def redeliver(self, created: DeliveryCreated, attempts: int, *, in_turn: bool = False) -> None:
        """Begin a delivery anew that had its end, or make the next attempt of one that has none at once."""
        ...


class RedeliveryDesk:
    """Delivers again for operators."""

    def __init__(self, *, control: Control, outbox: Outbox, created: Created) -> None:
        """Take what it works with.

        Args:
            control: The daemon: its definitions and its log.
            outbox: Who carries out deliveries.
            created: Looks into the log, and reads little of it.
        """
        self._control = control
        self._outbox = outbox
        self._created = created

    def serves(self) -> Iterable[Served]:
        """Return what is asked of it."""
        yield Served("POST", "/deliveries/{id}/redeliver", self.redeliver)
        yield Served("POST", "/redeliveries", self.redeliver_many)

    async def redeliver(self, request: Request) -> Answer:
        """Answer `POST /api/v1/deliveries/ID/redeliver`."""
        identifier = identifier_in(request, DELIVERY_PREFIX, "delivery")
        if await document_of(request) not in (None, {}):
            raise Refusal(problem(422, "send nothing: what is delivered again is in the log"))
        records = await self._control.history(identifier)
        mine = [one for one in records if one["type"] == "delivery.created" and one["delivery"] == identifier]
        if not mine and any(identifier in [plan["id"] for plan in one.get("deliveries", ())] for one in records):
            raise Refusal(problem(409, f"{identifier} is about to begin: ask again in a moment"))
        created = self._fit(identifier, mine[0] if mine else None)
        attempts = deliveries_of(records)[identifier]["attempts"]
        await self._outbox.redeliver(created, attempts)
        return json_answer(202, {"delivery": identifier, "endpoint": created.endpoint, "attempts": attempts})

    async def redeliver_many(self, request: Request) -> Answer:
        """Answer `POST /api/v1/redeliveries`."""
        wanted = _wanted(await document_of(request))
        try:
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(self._in_turn(one, attempts)) for one, attempts in wanted.items()]
        except* JournalError as errors:
            raise errors.exceptions[0] from None
        return json_answer(202, {"deliveries": [one.result() for one in asked]})

    async def _in_turn(self, identifier: str, attempts: int) -> dict[str, Json]:
        """Let one wait for its turn, and tell whether it does."""
        if self._outbox.is_open(identifier):
            return {"delivery": identifier, "asked": False, "detail": "it is under way already"}
        try:
            created = self._fit(identifier, await self._created(identifier))
            await self._outbox.redeliver(created, attempts, in_turn=True)
        except Refusal as refusal:
            return {"delivery": identifier, "asked": False, "detail": orjson.loads(refusal.answer.body)["detail"]}
        return {"delivery": identifier, "asked": True, "detail": None}

    def _fit(self, identifier: str, record: Mapping[str, Json] | None) -> DeliveryCreated:
        """Return a delivery that may be made again, as the log has it.

        Raises:
            Refusal: There is none, or it cannot be made again.
        """
        if record is None:
            raise Refusal(not_held("delivery", identifier))
        created = record_of(record)
        if not isinstance(created, DeliveryCreated):
            raise TypeError(created.type)
        if created.is_call:
            raise Refusal(
                problem(409, "it is a call: somebody waited for its answer, and nobody would get another one")
            )
        if created.endpoint not in self._control.current().endpoints:
            raise Refusal(problem(409, f"no endpoint is called {created.endpoint!r} any more: it has nowhere to go"))
        return replace(created, again=None)


def _wanted(document: Json) -> dict[str, int]:
    """Read the body of a request to deliver many again: how many attempts each had.

    Raises:
        Refusal: It says something else.
    """
    items = document.get("deliveries") if isinstance(document, Mapping) and set(document) == {"deliveries"} else None
    if not isinstance(items, list) or not items:
        raise Refusal(problem(422, 'send {"deliveries": [{"id": "dlv_...", "attempts": 3}, ...]}'))
    if len(items) > MOST:
        raise Refusal(problem(413, f"at most {MOST} deliveries at a time, these are {len(items)}: send them in parts"))
    return dict(_one(place, item) for place, item in enumerate(items))


def _one(place: int, item: Json) -> tuple[str, int]:
    if isinstance(item, Mapping) and set(item) <= {"id", "attempts"}:
        identifier, attempts = item.get("id"), item.get("attempts", 0)
        is_number = isinstance(attempts, int) and not isinstance(attempts, bool) and 0 <= attempts < 2**31
        if is_number and isinstance(identifier, str) and identifier.startswith(DELIVERY_PREFIX):
            return identifier, attempts
    raise Refusal(problem(422, f'delivery {place}, counted from 0, is not like {{"id": "dlv_...", "attempts": 3}}'))


_: type[Desk] = RedeliveryDesk
