"""Hands events on to the engine: each id of a delivery once, whoever else is on the way with the same one.

give -> Answer     it came before, or may not come at all
     -> Promise    it is queued: what becomes an answer when it is durable
     -> Laden      something of it must be stored first: `kept` does it
     -> Later      another with the same id is on the way: see what becomes of that
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from hooksd.config.snapshot import CompiledWebhook
from hooksd.engine.ports import Accepted, Intake, Taken
from hooksd.model.arrival import Arrival
from hooksd.model.ids import EventId
from hooksd.model.received import Files
from hooksd.web.answer import Answer, json_answer
from hooksd.web.duplicates import Acceptance, Duplicates, Known
from hooksd.web.problem import FULL, problem, unavailable
from hooksd.web.refusals import Refusals
from hooksd.web.remembered import key_of


class Promise(NamedTuple):
    """An answer that may be given when an event is durable."""

    taken: Taken
    time: str
    """When it came, RFC 3339."""


class Laden(NamedTuple):
    """An event, and what is not part of most events."""

    arrival: Arrival
    files: Files
    fingerprint: str | None = None
    """Of the request, where the caller chose the id of the delivery."""
    acceptance: Acceptance | None = None
    """Waits to be told what becomes of it; None: it has no id."""

    @property
    def time(self) -> str:
        """When it came, RFC 3339."""
        return self.arrival.time


class Later(NamedTuple):
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

    def give(self, webhook: CompiledWebhook, laden: Laden, peer: str) -> Outcome:
        """Have an event made durable, unless its id was accepted before; without an id in any case."""
        arrival = laden.arrival
        if arrival.delivery_id is None or (webhook.entry is not None and webhook.entry.takes_all):
            return self._hand_on(webhook, laden)
        key = key_of(webhook.name, arrival.delivery_id)
        mark = None if laden.fingerprint is None else int(laden.fingerprint, 16)
        known = self._duplicates.look(key)
        if known is None:
            acceptance = self._duplicates.begin(key, arrival.id, mark)
            return self._hand_on(webhook, laden._replace(acceptance=acceptance))
        if isinstance(known, Known):
            return self._again(webhook, known, mark, peer)
        return Later(partial(self._after, known, webhook, laden, peer))

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
        return unavailable(FULL) if first.is_unknown else self.give(webhook, laden, peer)

    def _hand_on(self, webhook: CompiledWebhook, laden: Laden) -> Promise | Laden:
        if laden.files or laden.fingerprint is not None:
            return laden
        acceptance = laden.acceptance
        try:
            taken = self._intake.take(laden.arrival, origin=webhook.origin)
        except BaseException:
            if acceptance is not None:
                acceptance.failed()
            raise
        if taken is None:
            return laden
        if acceptance is not None:
            taken.durable.then(partial(acceptance.told, len(taken.accepted.runs)))
        return Promise(taken, laden.arrival.time)

    async def kept(self, webhook: CompiledWebhook, outcome: Promise | Laden) -> Accepted:
        """Return when an event is durable.

        Raises:
            JournalError: It cannot be.
        """
        if isinstance(outcome, Promise):
            await outcome.taken.durable
            return outcome.taken.accepted
        return await self._store(webhook, outcome, outcome.acceptance)

    async def _store(self, webhook: CompiledWebhook, laden: Laden, acceptance: Acceptance | None) -> Accepted:
        event = laden.arrival.event()
        if laden.files or laden.fingerprint is not None:
            event = replace(event, files=laden.files, folder=self._folder, fingerprint=laden.fingerprint)
        try:
            accepted = await self._intake.accept(event, origin=webhook.origin)
        except asyncio.CancelledError:
            if acceptance is not None:
                acceptance.unknown()
            raise
        except BaseException:
            if acceptance is not None:
                acceptance.failed()
            raise
        if acceptance is not None:
            acceptance.done(len(accepted.runs))
        return accepted


def _duplicate(webhook: CompiledWebhook, first: EventId) -> Answer:
    if webhook.value.answer == "none":
        return Answer(status=204)
    return json_answer(200, {"event": first, "duplicate": True})
