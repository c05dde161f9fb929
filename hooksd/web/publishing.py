"""Events that others publish over the admin listener: each source and id once, a batch whole or not at all.

An event is answered for when it is durable together with everything that it starts. Who asks again gets the first
event; who gives another one the same id is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import orjson
from starlette.requests import Request

from hooksd.clock import Clock, rfc3339
from hooksd.config.snapshot import Snapshot
from hooksd.engine.ports import Accepted, Intake, Publisher
from hooksd.model import body
from hooksd.model.base import Json
from hooksd.model.chain import VIA
from hooksd.model.event import Event
from hooksd.model.ids import EventId, IdFactory
from hooksd.model.trust import Trust
from hooksd.web.access import caller_of, has_key
from hooksd.web.answer import Answer, json_answer
from hooksd.web.asked import Refusal, bytes_of, unknown
from hooksd.web.desk import Desk, Served
from hooksd.web.duplicates import Acceptance, Duplicates, Known
from hooksd.web.outcome import started_document
from hooksd.web.problem import FULL, problem, unavailable
from hooksd.web.publication import BATCH, Publication, Unfit, publications, single
from hooksd.web.remembered import published_key

T = TypeVar("T")

SLICE: Final = 32
"""Events that are dealt with at once: not quite a millisecond."""
MAX_VIA: Final = 1024
"""Characters of the header that says where an event has been."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One event of a request."""

    event: Event
    key: int | None
    """Of its source and id; None: it has no id, so it is a new one whatever came before."""
    mark: int
    """What tells it from another event with the same id."""


class PublishingDesk:
    """Takes events from publishers."""

    def __init__(
        self,
        *,
        publisher: Publisher,
        intake: Intake,
        duplicates: Duplicates,
        ids: IdFactory,
        clock: Clock,
        current: Callable[[], Snapshot],
        public_url: str | None,
    ) -> None:
        """Take what it works with.

        Args:
            publisher: Where events go.
            intake: Where events go that are for one endpoint.
            duplicates: What was accepted before.
            ids: Names events.
            clock: The time.
            current: Returns the definitions in force.
            public_url: What URLs of runs start with; None: they are paths.
        """
        self._publisher = publisher
        self._intake = intake
        self._duplicates = duplicates
        self._ids = ids
        self._clock = clock
        self._current = current
        self._base = (public_url or "").rstrip("/")

    def serves(self) -> Iterable[Served]:
        """Return what is asked of it."""
        yield Served("POST", "/events", self.publish)
        yield Served("POST", "/endpoints/{name}/send", self.send)

    async def publish(self, request: Request) -> Answer:
        """Answer `POST /api/v1/events`."""
        raw, by = await bytes_of(request), await asyncio.to_thread(caller_of, request)
        headers = _headers(request)
        try:
            given = publications(headers, raw)
        except Unfit as error:
            raise Refusal(problem(error.status, str(error))) from error
        asked = [self._asked(one, by, request) async for one in _paced(given)]
        shown = await self._accept(asked)
        status = 200 if all("duplicate" in one for one in shown) else 202
        is_batch = (request.headers.get("content-type") or "").partition(";")[0].strip().lower() == BATCH
        return json_answer(status, {"events": shown} if is_batch else shown[0])

    async def send(self, request: Request) -> Answer:
        """Answer `POST /api/v1/endpoints/NAME/send`: one event for one endpoint, whatever it subscribes to."""
        endpoint, endpoints = request.path_params["name"], self._current().endpoints
        if endpoint not in endpoints:
            return unknown("endpoint", endpoint, endpoints)
        raw, by = await bytes_of(request), await asyncio.to_thread(caller_of, request)
        try:
            given = single(_headers(request), raw)
        except Unfit as error:
            raise Refusal(problem(error.status, str(error))) from error
        # Its id stands in its headers, and is no id by which an event is known again.
        event = replace(self._asked(given, by, request).event, delivery_id=None, fingerprint=None)
        accepted = await self._intake.send(event, endpoint)
        return json_answer(202, {"event": accepted.event, "delivery": accepted.deliveries[0].id})

    def _asked(self, given: Publication, by: str, request: Request) -> _Asked:
        identifier = self._ids.event()
        said = given.attributes
        event = Event(
            id=identifier,
            type=said["type"],
            source=said.get("source") or f"api/{by}",
            subject=said.get("subject"),
            time=rfc3339(self._clock.now()),
            trust=Trust.TOKEN if has_key(request) else Trust.LOCAL,
            delivery_id=said.get("id"),
            headers=_kept(given, identifier, by, request),
            media=given.media,
            raw=given.raw,
            data=given.data,
            fingerprint=_fingerprint(given) if "id" in said else None,
            publisher=by,
        )
        if event.delivery_id is None:
            return _Asked(event=event, key=None, mark=0)
        return _Asked(
            event=event,
            key=published_key(event.source, event.delivery_id),
            mark=int(event.fingerprint or "0", 16),
        )

    async def _accept(self, asked: Sequence[_Asked]) -> list[dict[str, Json]]:
        """Return what is told of each event, when all are durable."""
        known = await self._known(asked)
        first: dict[int, _Asked] = {}
        for place, one in enumerate(asked):
            if one.key is not None:
                self._compare(place, one, known.get(one.key), first.setdefault(one.key, one), len(asked))
        new = [one for one in asked if one.key is None or (one.key not in known and first[one.key] is one)]
        accepted = await self._durable(new) if new else {}
        shown: list[dict[str, Json]] = []
        async for one in _paced(asked):
            if one.event.id in accepted:
                shown.append(started_document(accepted[one.event.id], one.event.time, self._base))
            elif one.key is not None:
                event = known[one.key].event if one.key in known else first[one.key].event.id
                shown.append({"event": event, "duplicate": True})
        return shown

    async def _known(self, asked: Sequence[_Asked]) -> dict[int, Known]:
        """Return what was accepted before, as soon as nothing with one of the ids is on its way."""
        while True:
            looks = {one.key: self._duplicates.look(one.key) for one in asked if one.key is not None}
            waited = next((look for look in looks.values() if isinstance(look, Acceptance)), None)
            if waited is None:
                return {key: look for key, look in looks.items() if isinstance(look, Known)}
            await waited.over()
            if waited.is_unknown:
                raise Refusal(unavailable(FULL))

    def _compare(self, place: int, one: _Asked, known: Known | None, first: _Asked, count: int) -> None:
        """Refuse another event under the id of one that came before, or that stands before it."""
        mark = first.mark if known is None else known.fingerprint
        if mark is None or mark == one.mark:
            return
        where = f"event {place} of the batch, counted from 0: " if count > 1 else ""
        event = one.event
        raise Refusal(
            problem(
                409,
                f"{where}the source {event.source[:80]!r} has published another event with the id "
                f"{(event.delivery_id or '')[:80]!r}: give each event an id of its own",
                more=None if known is None else {"event": known.event},
            )
        )

    async def _durable(self, new: Sequence[_Asked]) -> Mapping[EventId, Accepted]:
        keys = [one.key for one in new if one.key is not None]
        for key in keys:
            self._duplicates.begin(key)
        try:
            accepted = await self._publisher.accept_all([one.event for one in new])
        except asyncio.CancelledError:
            for key in keys:
                self._duplicates.lost(key)
            raise
        except BaseException:
            for key in keys:
                self._duplicates.failed(key)
            raise
        for one in new:
            if one.key is not None:
                # No runs: a publisher's id is not free again when they came to nothing.
                self._duplicates.done(one.key, one.event.id, one.mark, 0)
        return {one.event: one for one in accepted}


async def _paced(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield items, and let callers of webhooks have their turn in between."""
    for place, item in enumerate(items):
        if place % SLICE == SLICE - 1:
            await asyncio.sleep(0)
        yield item


def _headers(request: Request) -> list[tuple[str, str]]:
    return [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.headers.raw]


def _kept(given: Publication, identifier: EventId, by: str, request: Request) -> dict[str, str]:
    """Return the headers of an event: its attributes, whatever form it came in, and where it has been."""
    said = {"specversion": "1.0", "id": identifier, "source": f"api/{by}", **given.attributes}
    headers = {f"ce-{name}": value for name, value in said.items()}
    via = request.headers.get(VIA)
    return headers if via is None else {**headers, VIA: via[:MAX_VIA]}


def _fingerprint(given: Publication) -> str:
    """Return what tells an event from another one with the same id: 16 hexadecimal digits.

    JSON counts as what it says: a publisher may repeat an event in another form, which writes it otherwise.
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in (given.attributes["type"], given.attributes.get("subject", ""), given.media):
        digest.update(part.encode() + b"\0")
    is_value = body.is_json(given.media) and given.raw
    digest.update(orjson.dumps(given.data, option=orjson.OPT_SORT_KEYS) if is_value else given.raw)
    return digest.hexdigest()


_: type[Desk] = PublishingDesk
