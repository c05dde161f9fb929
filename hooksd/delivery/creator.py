"""Deliveries as they are created: the record that says what every attempt sends.

`delivery.dispatcher` says when. What is long is made durable beside the log before the record that names it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import orjson

from hooksd.clock import Clock, rfc3339
from hooksd.config.snapshot import Snapshot
from hooksd.delivery.entry import Entry
from hooksd.delivery.ledger import Ledger, put_back
from hooksd.delivery.multipart import MEDIA, multipart
from hooksd.delivery.payload import keep
from hooksd.delivery.pinned import pin
from hooksd.delivery.policy import rule_to_json
from hooksd.delivery.state import begin, is_once
from hooksd.errors import JournalError
from hooksd.model.effect import Deliver
from hooksd.model.making import delivery_created
from hooksd.model.received import ReceivedFile
from hooksd.model.record import Record
from hooksd.model.stored import BLOB_THRESHOLD, StoredBody

_NOTHING: Mapping[str, str] = {}


class Creator:
    """Creates deliveries: gives them their state, and the record that begins it."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        current: Callable[[], Snapshot],
        ready: Callable[[Sequence[Entry]], None],
        spawn: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        """Take the world as arguments.

        Args:
            ledger: The log.
            clock: The time.
            current: Returns the definitions in force.
            ready: Called with deliveries that may wait for their turn now: the log has them.
            spawn: Lets something go on that may have to wait.
        """
        self._ledger = ledger
        self._clock = clock
        self._current = current
        self._ready = ready
        self._spawn = spawn
        self._asked: deque[tuple[Deliver, Sequence[Entry]]] = deque()

    def ask(self, effect: Deliver, entries: Sequence[Entry]) -> None:
        """Take note of what is wanted; `create` does it."""
        self._asked.append((effect, entries))

    def create(self) -> list[Entry]:
        """Create what was asked for since the last time, and return what may leave before its record is in the log.

        The log promises it already, or an attempt of it waits for the log in any case. `keep` writes the record of
        what does not leave at once. Everything else is written here, in one write, and is `ready` later.
        """
        if not self._asked:
            return []
        free: list[Entry] = []
        others: list[Entry] = []
        snapshot, at = self._current(), rfc3339(self._clock.now())
        endpoints = snapshot.endpoints
        media, raw, body = "", b"", keep("", b"")
        while self._asked:
            effect, entries = self._asked.popleft()
            if len(effect.body) > BLOB_THRESHOLD or _has_files(effect) or any(map(self._is_pinned, effect.endpoints)):
                self._spawn(self._create_with_blobs(effect, entries))
                continue
            if effect.body is not raw or effect.media != media:
                # Of one event several endpoints get the same: it is looked at once.
                media, raw, body = effect.media, effect.body, keep(effect.media, effect.body)
            self._begin(effect, entries, body, at=at, revision=snapshot.revision.id)
            for entry in entries:
                is_free = entry.is_durable or is_once(entry.created, endpoints.get(entry.endpoint))
                (free if is_free else others).append(entry)
        if others:
            self._ledger.hand_in(_unwritten(others), partial(self._created, others))
        return free

    def keep(self, entries: Sequence[Entry]) -> None:
        """Write the records of deliveries that wait for their turn."""
        records = _unwritten(entries)
        for entry in entries:
            entry.unwritten.clear()
        self._ledger.hand_in(records, partial(_kept, entries))

    def _created(self, entries: Sequence[Entry], error: JournalError | None) -> None:
        if error is not None:
            self._spawn(self._insist(entries))
            return
        for entry in entries:
            entry.unwritten.clear()
            entry.is_durable = True
        self._ready(entries)

    async def _insist(self, entries: Sequence[Entry]) -> None:
        await self._ledger.write(_unwritten(entries))
        self._created(entries, None)

    async def _create_with_blobs(self, effect: Deliver, entries: Sequence[Entry]) -> None:
        body = await (self._with_files(effect) if _has_files(effect) else self._ledger.keep(effect.media, effect.body))
        endpoints = self._current().endpoints
        pinned = {
            name: await self._ledger.keep_blob(pin(endpoints[name]))
            for name in effect.endpoints
            if self._is_pinned(name)
        }
        at, revision = rfc3339(self._clock.now()), self._current().revision.id
        self._begin(effect, entries, body, at=at, revision=revision, pinned=pinned)
        await self._insist(entries)

    async def create_again(self, entry: Entry, attempts: int) -> None:
        """Make a delivery durable that had its end and begins anew, with the same id.

        Args:
            entry: With its state of then.
            attempts: How many it had.
        """
        record = replace(entry.created, at=rfc3339(self._clock.now()), attempts=max(attempts, 1), again=entry.id)
        await self._ledger.write([record])
        entry.know(begin(record))

    def _begin(
        self,
        effect: Deliver,
        entries: Sequence[Entry],
        body: StoredBody,
        *,
        at: str,
        revision: str,
        pinned: Mapping[str, str] = _NOTHING,
    ) -> None:
        retry = None if effect.retry is None else rule_to_json(effect.retry)
        for entry in entries:
            created = delivery_created(
                at=at,
                delivery=entry.id,
                endpoint=entry.endpoint,
                event=effect.event,
                run=effect.run,
                step=effect.step,
                revision=revision,
                headers=effect.headers,
                query=effect.query,
                body=body,
                retry=retry,
                subject=effect.subject,
                pinned=pinned.get(entry.endpoint),
                is_call=effect.is_call,
                by=effect.by,
            )
            entry.create(created)
            entry.unwritten.append(created)

    async def _with_files(self, effect: Deliver) -> StoredBody:
        """Return a form with the files of the event as a record holds it."""
        files: list[tuple[ReceivedFile, bytes]] = []
        for file in effect.files.values():
            try:
                files.append((file, await self._ledger.blob(file.digest)))
            except KeyError:
                # The attempts will say so: a delivery that is asked for has a recorded end.
                return StoredBody(media=effect.media, size=file.size, encoding="blob", content=file.digest)
        media, raw = await asyncio.to_thread(multipart, orjson.loads(effect.body), files)
        return await self._ledger.keep(media, raw)

    def _is_pinned(self, name: str) -> bool:
        """Tell whether a delivery to an endpoint keeps its definition."""
        endpoint = self._current().endpoints.get(name)
        return endpoint is not None and endpoint.is_pinned


def _unwritten(entries: Iterable[Entry]) -> list[Record]:
    return [record for entry in entries for record in entry.unwritten]


def _kept(entries: Iterable[Entry], error: JournalError | None) -> None:
    for entry in entries:
        entry.is_durable = entry.is_durable or error is None
        put_back(entry.unwritten, (entry.created,), error)


def _has_files(effect: Deliver) -> bool:
    """Tell whether `delivery.format` found that the endpoint gets a form with the files of the event."""
    return bool(effect.files) and effect.media == MEDIA
