"""Deliveries and endpoints for operators: what became of one, how things stand, go on.

Everything that it tells comes from the log and from whoever carries out deliveries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from starlette.requests import Request

from hooksd.clock import rfc3339
from hooksd.config.snapshot import Snapshot
from hooksd.delivery.request import MIN_SECRET
from hooksd.delivery.standing import Standing
from hooksd.model.base import Json
from hooksd.model.ids import DELIVERY_PREFIX
from hooksd.web.answer import Answer, json_answer
from hooksd.web.asked import identifier_in, not_held, unknown
from hooksd.web.control import Control
from hooksd.web.delivery_history import delivery_view
from hooksd.web.desk import Desk, Served
from hooksd.web.problem import problem
from hooksd.web.recent import MOST, masked
from hooksd.web.views import KINDS, documents

KIND = "endpoints"


class Gatekeeper(Protocol):
    """Who knows how things stand: `delivery.dispatcher.Dispatcher`."""

    def standings(self, endpoints: Iterable[str]) -> Mapping[str, Standing]:
        """Return how things stand with some endpoints, by name."""
        ...

    def resume(self, endpoint: str) -> None:
        """Forget what is held against an endpoint."""
        ...


class OutgoingDesk:
    """Serves operators what goes out."""

    def __init__(self, *, control: Control, outbox: Gatekeeper, public_url: str | None) -> None:
        """Take what it works with.

        Args:
            control: The daemon: its definitions and its log.
            outbox: Who knows how things stand.
            public_url: What URLs start with; None: they are paths.
        """
        self._control = control
        self._outbox = outbox
        self._public_url = public_url

    def serves(self) -> Iterable[Served]:
        """Return what is asked of it."""
        yield Served("GET", "/endpoints", self.listed)
        yield Served("GET", "/endpoints/{name}", self.shown)
        yield Served("GET", "/endpoints/{name}/deliveries", self.deliveries)
        yield Served("POST", "/endpoints/{name}/resume", self.resume)
        yield Served("GET", "/deliveries/{id}", self.delivery)

    async def listed(self, _request: Request) -> Answer:
        """Answer `GET /api/v1/endpoints`."""
        views = KINDS[KIND](self._control.current(), self._public_url)
        standings = self._outbox.standings(views)
        shown: list[Json] = [{**views[name], "state": standing_view(standings[name])} for name in sorted(views)]
        return json_answer(200, {KIND: shown})

    async def shown(self, request: Request) -> Answer:
        """Answer `GET /api/v1/endpoints/NAME`."""
        snapshot, name = self._control.current(), request.path_params["name"]
        views = KINDS[KIND](snapshot, self._public_url)
        if name not in views:
            return unknown("endpoint", name, views)
        state = standing_view(self._outbox.standings((name,))[name])
        return json_answer(200, {**views[name], "state": state, "definition": documents(snapshot, KIND)[name]})

    async def deliveries(self, request: Request) -> Answer:
        """Answer `GET /api/v1/endpoints/NAME/deliveries`."""
        snapshot, name = self._control.current(), request.path_params["name"]
        if name not in snapshot.endpoints:
            return unknown("endpoint", name, snapshot.endpoints)
        limit = request.query_params.get("limit", str(MOST))
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= MOST):
            return problem(422, f"`limit` is how many deliveries are shown: 1 to {MOST}")
        found = await self._control.recent(name, int(limit))
        return json_answer(200, {"deliveries": [masked(view, _secrets(snapshot, name)) for view in found]})

    async def resume(self, request: Request) -> Answer:
        """Answer `POST /api/v1/endpoints/NAME/resume`."""
        name, endpoints = request.path_params["name"], self._control.current().endpoints
        if name not in endpoints:
            return unknown("endpoint", name, endpoints)
        before = self._outbox.standings((name,))[name]
        self._outbox.resume(name)
        after = self._outbox.standings((name,))[name]
        released = None if before.hold is None or after.hold == before.hold else before.hold.reason
        return json_answer(200, {"endpoint": name, "released": released, "state": standing_view(after)})

    async def delivery(self, request: Request) -> Answer:
        """Answer `GET /api/v1/deliveries/ID`."""
        identifier = identifier_in(request, DELIVERY_PREFIX, "delivery")
        view = delivery_view(identifier, await self._control.history(identifier))
        if view is None:
            return not_held("delivery", identifier)
        return json_answer(200, masked(view, _secrets(self._control.current(), view["endpoint"])))


def _secrets(snapshot: Snapshot, endpoint: str) -> list[str]:
    """Return the texts that no answer shows: secrets of the endpoint, and those that steps may put into a payload."""
    known = snapshot.endpoints.get(endpoint)
    texts = {secret.reveal().decode("utf-8", "replace") for secret in snapshot.secrets.values()}
    if known is not None:
        texts.update(known.hidden, (secret.reveal().decode("utf-8", "replace") for secret in known.secrets))
    # The longest first: one may be the beginning of another.
    return sorted((text for text in texts if len(text) >= MIN_SECRET), key=len, reverse=True)


def standing_view(standing: Standing) -> dict[str, Json]:
    """Show how things stand with an endpoint."""
    hold, last = standing.hold, standing.last
    return {
        "held": None
        if hold is None
        else {
            "reason": hold.reason,
            "until": None if hold.until is None else rfc3339(hold.until),
            "error": hold.error,
        },
        "breaker": standing.breaker,
        "failures": standing.failures,
        "in_flight": standing.in_flight,
        "waiting": standing.waiting,
        "pending": standing.pending,
        "last": None if last is None else {"at": rfc3339(last.at), "outcome": last.outcome, "status": last.status},
    }


_: type[Desk] = OutgoingDesk
