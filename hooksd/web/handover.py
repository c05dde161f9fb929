"""Hands events on to the engine: each id of a delivery once, whoever else is on the way with the same one.

give -> Answer     it came before, or may not come at all
     -> Promise    it is queued: what becomes an answer when it is durable, which `told` is told, or `kept` waits for
     -> Laden      something of it must be stored first: `kept` does it
     -> Later      another with the same id is on the way: see what becomes of that
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Final

from msgspec import Struct

from hooksd.config.snapshot import CompiledWebhook
from hooksd.engine.ports import Accepted, Intake, Taken
from hooksd.errors import JournalError
from hooksd.model.arrival import Arrival
from hooksd.model.ids import EventId
from hooksd.model.received import Files
from hooksd.web.answer import Answer, json_answer
from hooksd.web.duplicates import Acceptance, Duplicates, Known
from hooksd.web.problem import FULL, problem, unavailable
from hooksd.web.refusals import Refusals
from hooksd.web.remembered import key_of

_NONE: Final[Files] = {}


class Promise(Struct, frozen=True):
    """An answer that may be given when an event is durable."""

    taken: Taken
    time: str
    """When it came, RFC 3339."""
    key: int | None
    """Of its id, which waits to be told what becomes of it; None: it has none."""


class Laden(Struct, frozen=True):
    """An event, and what is not part of most events."""

    arrival: Arrival
    files: Files
    fingerprint: str | None = None
    """Of the request, where the caller chose the id of the delivery."""
    key: int | None = None
    """Of its id, which waits to be told what becomes of it; None: it has none."""

    @property
    def time(self) -> str:
        """When it came, RFC 3339."""
        return self.arrival.time

    @property
    def mark(self) -> int | None:
        """The fingerprint as a number."""
        return None if self.fingerprint is None else int(self.fingerprint, 16)


class Later(Struct, frozen=True):
    """Something has to be waited for before there is more to say."""

    resume: Callable[[], Awaitable[Outcome]]


Outcome = Answer | Promise | Laden | Later


class Handover:
    """Between the receiver and the engine."""

    def __init__(self, *, intake: Intake, duplicates: Duplicates, refusals: Refusals, folder: str) -> None:
        """Take what it works with.

        Args:
            intake: Where events go.
            duplicates: What was accepted before.
            refusals: Where requests are counted that are no events.
            folder: The directory that the paths of files begin with.
        """
        self._intake = intake
        self._duplicates = duplicates
        self._refusals = refusals
        self._folder = folder

    def give(
        self, webhook: CompiledWebhook, arrival: Arrival, files: Files, fingerprint: str | None, peer: str
    ) -> Outcome:
        """Have an event made durable, unless its id was accepted before; without an id in any case.

        Args:
            webhook: Who received it.
            arrival: The event.
            files: What it brought.
            fingerprint: Of the request, where the caller chose the id of the delivery.
            peer: The address it came from.
        """
        key, delivery_id = None, arrival.delivery_id
        if delivery_id is not None and (webhook.entry is None or not webhook.entry.takes_all):
            key = key_of(webhook.name, delivery_id)
            known = self._duplicates.claim(key)
            if known is not None:
                laden = Laden(arrival, files, fingerprint)
                if isinstance(known, Known):
                    return self._again(webhook, known, laden.mark, peer)
                return Later(partial(self._after, known, webhook, laden, peer))
        if files or fingerprint is not None:
            return Laden(arrival, files, fingerprint, key)
        try:
            taken = self._intake.take(arrival, origin=webhook.origin)
        except BaseException:
            if key is not None:
                self._duplicates.failed(key)
            raise
        return Laden(arrival, _NONE, None, key) if taken is None else Promise(taken, arrival.time, key)

    def _again(self, webhook: CompiledWebhook, known: Known, mark: int | None, peer: str) -> Answer:
        if mark is not None and known.fingerprint is not None and mark != known.fingerprint:
            detail = "another request had the same `Idempotency-Key`: give each request a key of its own"
            self._refusals.add(webhook=webhook.name, reason="key_reused", status=409, peer=peer)
            return problem(409, detail)
        answer = _duplicate(webhook, known.event)
        self._refusals.add(webhook=webhook.name, reason="duplicate", status=answer.status, peer=peer)
        return answer

    async def _after(self, first: Acceptance, webhook: CompiledWebhook, laden: Laden, peer: str) -> Outcome:
        """Look again when it is known what became of the first."""
        await first.over()
        if first.is_unknown:
            return unavailable(FULL)
        return self.give(webhook, laden.arrival, laden.files, laden.fingerprint, peer)

    def told(self, promise: Promise, error: JournalError | None) -> None:
        """Take note that an event is durable, or why not: once, for each that nobody has `kept` wait for it."""
        if promise.key is None:
            return
        if error is None:
            accepted = promise.taken.accepted
            self._duplicates.done(promise.key, accepted.event, None, len(accepted.runs))
        else:
            self._duplicates.failed(promise.key)

    async def kept(self, webhook: CompiledWebhook, outcome: Promise | Laden) -> Accepted:
        """Return when an event is durable.

        Raises:
            JournalError: It cannot be.
        """
        if isinstance(outcome, Promise):
            # Told whether or not somebody still waits here then.
            outcome.taken.durable.then(partial(self.told, outcome))
            await outcome.taken.durable
            return outcome.taken.accepted
        return await self._store(webhook, outcome)

    async def _store(self, webhook: CompiledWebhook, laden: Laden) -> Accepted:
        event, key = laden.arrival.event(), laden.key
        if laden.files or laden.fingerprint is not None:
            event = replace(event, files=laden.files, folder=self._folder, fingerprint=laden.fingerprint)
        try:
            accepted = await self._intake.accept(event, origin=webhook.origin)
        except asyncio.CancelledError:
            if key is not None:
                self._duplicates.lost(key)
            raise
        except BaseException:
            if key is not None:
                self._duplicates.failed(key)
            raise
        if key is not None:
            self._duplicates.done(key, event.id, laden.mark, len(accepted.runs))
        return accepted


def _duplicate(webhook: CompiledWebhook, first: EventId) -> Answer:
    if not webhook.answers:
        return Answer(status=204)
    return json_answer(200, {"event": first, "duplicate": True})
