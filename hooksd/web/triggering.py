"""Endpoints that are asked over the admin listener: who asks knows a name, and neither URL nor credentials.

What does not fit the definition is refused and nothing is sent; whatever comes of what is sent, or that nothing could
be, is an answer.

Source: Coviu, "Webhooks Documentation".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from hooksd.config.snapshot import Snapshot
from hooksd.delivery.format import trigger_problem
from hooksd.model import body
from hooksd.model.base import Json
from hooksd.model.effect import Deliver, Performed
from hooksd.model.ids import EventId, RunId
from hooksd.model.spans import format_duration
from hooksd.web.access import caller_of, only_triggers
from hooksd.web.answer import Answer, json_answer
from hooksd.web.asked import Refusal, document_of, unknown
from hooksd.web.desk import Desk, Served
from hooksd.web.problem import FULL, problem, unavailable
from hooksd.web.refusals import Refusals, TriggerReason

_QUERY: Final = ("queryParams", "query")
"""Two names for the same."""
_KEYS: Final = frozenset({"data", "headers", *_QUERY})
_MEMBERS: Final = ("referenceId", "status", "data", "error")
_REASONS: Final[Mapping[int, TriggerReason]] = {
    400: "unreadable_body",
    404: "unknown_endpoint",
    413: "too_large",
    422: "unfit",
}
"""Why a trigger was refused, by the status of its answer."""
_NOTHING: Final[tuple[Json, ...]] = (None, "", {}, [])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What somebody gives an endpoint."""

    data: Json
    headers: Mapping[str, str]
    query: Mapping[str, str]

    def scope(self) -> Mapping[str, Json]:
        """Return what headers of the endpoint may read: there is no event."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        return {"body": self.data, "headers": headers, "query": dict(self.query)}


class _Line:
    """Those who ask one endpoint. Who has no place yet has sent nothing, and can still be refused."""

    def __init__(self, places: int) -> None:
        """Take how many may ask at the same time."""
        self.places = places
        self._free = asyncio.Semaphore(places)

    async def enter(self, seconds: float) -> bool:
        """Wait for a place; tell whether there was one in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._free.acquire()
        except TimeoutError:
            return False
        return True

    def leave(self) -> None:
        """Give the place to the next."""
        self._free.release()


class TriggerDesk:
    """Asks endpoints for callers."""

    def __init__(
        self,
        *,
        deliver: Callable[[Deliver], Awaitable[Performed]],
        current: Callable[[], Snapshot],
        is_ready: Callable[[], bool],
        refusals: Refusals,
    ) -> None:
        """Take what it works with.

        Args:
            deliver: Carries out a call, or says why nothing was sent.
            current: Returns the definitions in force.
            is_ready: Tells whether there is room for another delivery.
            refusals: Where refused triggers are counted.
        """
        self._deliver = deliver
        self._current = current
        self._is_ready = is_ready
        self._refusals = refusals
        self._lines: dict[str, _Line] = {}

    def serves(self) -> Iterable[Served]:
        """Return what is asked of it."""
        yield Served("POST", "/endpoints/{name}/trigger", self.trigger)

    async def trigger(self, request: Request) -> Answer:
        """Answer `POST /api/v1/endpoints/NAME/trigger`."""
        by = await asyncio.to_thread(caller_of, request)
        try:
            answer = await self._answer(request, by)
        except Refusal as refusal:
            answer = refusal.answer
        self._count(request.path_params["name"], answer.status, by)
        return answer

    def _count(self, name: str, status: int, by: str) -> None:
        """Let operators find what was refused. Names of nothing count as one: callers choose them."""
        known = name in self._current().endpoints
        reason = "callers" if status == 404 and known else _REASONS.get(status)
        if reason is not None:
            self._refusals.trigger(endpoint=name if known else None, reason=reason, status=status, by=by)

    async def _answer(self, request: Request, by: str) -> Answer:
        name, endpoints = request.path_params["name"], self._current().endpoints
        endpoint = endpoints.get(name)
        if only_triggers(request) and (endpoint is None or by not in endpoint.value.callers):
            return problem(404, f"there is no endpoint {name!r}")
        if endpoint is None:
            return unknown("endpoint", name, endpoints)
        asked = _asked(await document_of(request))
        has_data = asked.data not in _NOTHING
        if wrong := trigger_problem(endpoint, asked.headers, asked.query, has_data=has_data):
            return problem(422, f"endpoint {name}: {wrong}")
        if not self._is_ready():
            return unavailable(FULL)
        line = self._line(name, endpoint.value.max_in_flight)
        if not await line.enter(endpoint.value.timeout):
            self._refusals.trigger(endpoint=name, reason="busy", status=503, by=by)
            patience = format_duration(endpoint.value.timeout)
            why = f"{line.places} ask it already, and none had its answer within {patience}"
            return unavailable(f"endpoint {name}: {why}; ask again")
        try:
            performed = await self._deliver(_call(name, asked, by))
        finally:
            line.leave()
        if not performed.ok:
            return problem(422, performed.error)
        return json_answer(200, {member: performed.output[member] for member in _MEMBERS})

    def _line(self, endpoint: str, places: int) -> _Line:
        """Return where those stand who ask an endpoint; a new one when its definition has other places."""
        line = self._lines.get(endpoint)
        if line is None or line.places != places:
            line = self._lines[endpoint] = _Line(places)
        return line


def _call(name: str, asked: _Asked, by: str) -> Deliver:
    media, raw = body.written(asked.data)
    return Deliver(
        endpoints=(name,),
        event=EventId(""),
        run=RunId(""),
        step="",
        headers=asked.headers,
        query=asked.query,
        media=media,
        body=raw,
        retry="none",
        is_call=True,
        by=by,
        scope=asked.scope,
    )


def _asked(document: Json) -> _Asked:
    """Read the body of a request.

    Raises:
        Refusal: It is not what it must be.
    """
    if not isinstance(document, Mapping | None):
        raise Refusal(problem(422, 'send a JSON object like {"data": {}, "headers": {}, "queryParams": {}}'))
    given = document or {}
    if strange := sorted(set(given) - _KEYS):
        raise Refusal(problem(422, f"unknown key {strange[0]!r}; the keys are `data`, `headers` and `queryParams`"))
    if all(given.get(key) is not None for key in _QUERY):
        raise Refusal(problem(422, "`query` is another name for `queryParams`: send one of them"))
    query = given.get("queryParams") if given.get("queryParams") is not None else given.get("query")
    return _Asked(
        data=given.get("data"),
        headers=_texts("headers", given.get("headers")),
        query=_texts("queryParams", query),
    )


def _texts(key: str, given: Json) -> Mapping[str, str]:
    """Return a mapping of texts; numbers and truth values as JSON writes them."""
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(value, str | int | float) for value in given.values()):
        raise Refusal(problem(422, f"`{key}` is an object whose values are texts or numbers"))
    return {name: body.written(value)[1].decode() for name, value in given.items()}


_: type[Desk] = TriggerDesk
