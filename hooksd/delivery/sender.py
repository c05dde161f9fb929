"""The one door for HTTP requests to the outside: bounded in time and size, and judged by where they go.

`daemon.wiring` hands an `HttpSender` to the dispatcher for the attempts of deliveries, and to the engine for
`MakeRequest`. Under it is `delivery.transport`; requests through a proxy go over httpx's. HTTP/1.1 only.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Literal, Self

import httpx

from hooksd.clock import SystemClock
from hooksd.delivery.attempt import HIDDEN, Attempted, Sender
from hooksd.delivery.dialer import Resolver
from hooksd.delivery.egress import Blocked
from hooksd.delivery.failure import failure_of
from hooksd.delivery.place import NoPlace
from hooksd.delivery.policy import outcome_of, patience
from hooksd.delivery.request import Prepared, RequestProblem, prepare_request
from hooksd.delivery.transport import Transport
from hooksd.delivery.transport_proxy import Proxied
from hooksd.delivery.transport_tls import BadCertificate, trusted
from hooksd.delivery.transport_wire import Way, Wire
from hooksd.model import body as bodies
from hooksd.model.base import Json
from hooksd.model.effect import MakeRequest, Performed
from hooksd.model.header import CREDENTIAL_HEADERS
from hooksd.model.making import exchange
from hooksd.model.record import Exchange, Outcome
from hooksd.model.units import format_duration

KEPT = 64 * 1024
"""Bytes of an answer that are kept with an attempt."""

READ = 1024 * 1024
"""Bytes of an answer that are read at all, and that an `http` step is given; then the connection is closed."""

FAILURES = (TimeoutError, Blocked, BadCertificate, httpx.HTTPError, OSError, ValueError)
"""What comes of requests that get no whole answer. Anything else is a mistake of ours."""

_KINDS: Mapping[Outcome, Literal["timeout", "connect", ""]] = {
    "timeout_connect": "timeout",
    "timeout_total": "timeout",
    "config": "",
    "blocked": "",
}
"""What an outcome is to an `http` step, where it is no failed connection."""


class HttpSender:
    """Makes requests. An async context manager: its connections live as long as it does."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        resolver: Resolver | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        """Prepare; nothing is dialled.

        Args:
            tls: What certificates are checked against. Default: the system's authorities.
            resolver: Who is asked for addresses. Default: the machine's.
            now: Seconds on a clock that never goes back. Default: the machine's.
        """
        self._now = now or SystemClock().monotonic
        trust = tls or trusted()
        self._transport = Transport(now=self._now, tls=trust, resolver=resolver)
        self._proxied = Proxied(trust)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._transport.aclose()
        await self._proxied.aclose()

    async def attempt(self, prepared: Prepared, timeout: float) -> Attempted:  # noqa: ASYNC109 - a rule of the endpoint
        """Send one attempt of a delivery. Nothing is replaced in the exchange: see `delivery.attempt.redacted`.

        Args:
            prepared: The request.
            timeout: Seconds for all of it, the answer's body included.
        """
        wire = Wire(self._now, READ, timeout)
        failure: Exception | None = None
        try:
            await self._sending(prepared, wire)
        except FAILURES as error:
            failure = error
        if failure is None:
            outcome = outcome_of(wire.status or 0)
            why = None if outcome == "ok" else f"answered {wire.status}"
        else:
            outcome, why = _verdict(failure, timeout)
        return Attempted(
            outcome=outcome, exchange=_exchange(prepared, wire), error=why, is_sent="request" in wire.reached
        )

    async def request(self, effect: MakeRequest) -> Performed:
        """Make the request of an `http` step. Any answer is a success here; the engine knows which the step expects."""
        try:
            prepared = prepare_request(effect)
        except RequestProblem as problem:
            return Performed(ok=False, error=str(problem))
        wire = Wire(self._now, READ, effect.timeout)
        failure: Exception | None = None
        try:
            await self._sending(prepared, wire)
        except FAILURES as error:
            failure = error
        if failure is not None and not wire.is_whole:
            outcome, why = _verdict(failure, effect.timeout)
            return Performed(ok=False, code=wire.status, error=why, kind=_KINDS.get(outcome, "connect"))
        kept = wire.kept or {}
        headers = {name: HIDDEN if name in CREDENTIAL_HEADERS else value for name, value in kept.items()}
        detail = {"headers": headers, "truncated": wire.is_cut, "peer": wire.peer}
        asked = patience(wire.status, kept, SystemClock().now()) or 0.0
        return Performed(ok=True, code=wire.status, output=_output(kept, wire), detail=detail, patience=asked)

    def _sending(self, prepared: Prepared, wire: Wire) -> Awaitable[None]:
        """Return what sends a request when it is awaited.

        Raises:
            NoPlace: Its URL leads nowhere.
        """
        way = prepared.way
        if isinstance(way, str):
            raise NoPlace(way)
        if way.rules.proxy is None:
            return self._transport.exchange(way, prepared.written, wire)
        return self._through_proxy(way, prepared, wire)

    async def _through_proxy(self, way: Way, prepared: Prepared, wire: Wire) -> None:
        async with asyncio.timeout(wire.left):
            await self._proxied.exchange(way, prepared, wire)


def _verdict(failure: Exception, timeout: float) -> tuple[Outcome, str | None]:
    """Return the outcome of a request that failed, and the error in one line for people."""
    match failure:
        case TimeoutError():
            # Connecting has a time of its own, which the client reports as an error of another class.
            return "timeout_total", f"no whole answer within {format_duration(timeout)}"
        case Blocked():
            return "blocked", str(failure)
        case BadCertificate():
            return "config", str(failure)
        case _:
            return failure_of(failure)


def _exchange(prepared: Prepared, wire: Wire) -> Exchange:
    body = bytes(wire.body)
    connected_at = wire.reached.get("tls") or wire.reached.get("connect")
    return exchange(
        method=prepared.method,
        url=prepared.url,
        request_headers=prepared.headers,
        request_size=len(prepared.body),
        request_sha256=hashlib.sha256(prepared.body).hexdigest(),
        peer=wire.peer,
        status=wire.status,
        response_headers=wire.kept or {},
        response_body=body[:KEPT].decode("utf-8", "replace"),
        response_truncated=wire.is_cut or len(body) > KEPT,
        response_size=len(body),
        response_sha256=hashlib.sha256(body).hexdigest() if body else None,
        connect_ms=None if connected_at is None else round((connected_at - wire.began) * 1e6) / 1000,
        total_ms=round((wire.now() - wire.began) * 1e6) / 1000,
        phases=_phases(wire),
    )


def _phases(wire: Wire) -> dict[str, float]:
    """Return how long each phase took, in milliseconds; those that were not reached are left out."""
    # Rounding to whole microseconds first: `round` to three places goes by way of a text.
    phases: dict[str, float] = {}
    before = wire.began
    for name, end in wire.reached.items():
        phases[name] = round((end - before) * 1e6) / 1000
        before = end
    return phases


def _output(headers: Mapping[str, str], wire: Wire) -> Json:
    """Return an answer as a JSON value where it says that it is one, else as text."""
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if bodies.is_json(media) and not wire.is_cut:
        with contextlib.suppress(ValueError):
            return bodies.parse(media, bytes(wire.body))
    return wire.body.decode("utf-8", "replace")


_: type[Sender] = HttpSender
