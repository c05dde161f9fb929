"""The one door for HTTP requests to the outside: bounded in time and size, without redirects, cookies or proxies.

`daemon.wiring` hands an `HttpSender` to the dispatcher for the attempts of deliveries, and to the engine for
`MakeRequest`. Under it is a transport of httpx, not its client: a transport has no redirects, cookies, proxies or
default headers that would have to be turned off. HTTP/1.1 only.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import ssl
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal, Self

import httpcore
import httpx

from hooksd.delivery.attempt import HIDDEN, Attempted, Sender, exchange_of
from hooksd.delivery.failure import failure_of
from hooksd.delivery.policy import outcome_of
from hooksd.delivery.request import CREDENTIAL_HEADERS, Prepared, RequestProblem, prepare_request
from hooksd.model import body as bodies
from hooksd.model.base import Json
from hooksd.model.effect import MakeRequest, Performed
from hooksd.model.record import Outcome
from hooksd.model.units import format_duration

CONNECT_TIMEOUT = 5.0
"""Seconds to reach the receiver, TLS included; a part of the whole timeout."""

KEPT = 64 * 1024
"""Bytes of an answer that are kept with an attempt."""

READ = 1024 * 1024
"""Bytes of an answer that are read at all, and that an `http` step is given; then the connection is closed."""

KEEP_ALIVE = 2.0
"""Seconds that an idle connection is kept: less than common servers do, so that it is ours to close."""

MAX_HEADERS = 100
MAX_HEADER = 1024
"""How many headers of an answer are kept, and how many characters of each."""

_KINDS: Mapping[Outcome, Literal["timeout", "connect", ""]] = {
    "timeout_connect": "timeout",
    "timeout_total": "timeout",
    "config": "",
}


class _Wire:
    """What is seen of one request on its way, so that it is known of a request that fails too."""

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._began = self._now()
        self.peer: str | None = None
        """The address that was dialled."""
        self.connect_ms: float | None = None
        """None when a connection was used again."""
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        self.body = bytearray()
        self.is_truncated = False
        self.is_whole = False
        """An answer came, to its end or to the bound."""

    @property
    def elapsed_ms(self) -> float:
        return round((self._now() - self._began) * 1000, 3)

    async def trace(self, name: str, info: Mapping[str, Any]) -> None:
        """Take what the HTTP client tells of its connection."""
        if name in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self.connect_ms = self.elapsed_ms
            self._leads_to(info["return_value"])

    async def answers(self, response: httpx.Response) -> None:
        """Read an answer to its end or to the bound."""
        self.status = response.status_code
        self.headers = _kept_headers(response.headers)
        self._leads_to(response.extensions["network_stream"])
        async for chunk in response.aiter_raw():
            room = READ - len(self.body)
            self.body += chunk[:room]
            if len(chunk) > room:
                self.is_truncated = True
                break
        self.is_whole = True

    def _leads_to(self, stream: httpcore.AsyncNetworkStream) -> None:
        address = stream.get_extra_info("server_addr")
        if isinstance(address, tuple):
            host, port, *_ = address
            self.peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def trusted() -> ssl.SSLContext:
    """Return what certificates are checked against: the system's authorities, or those that come with httpx."""
    paths = ssl.get_default_verify_paths()
    has_own = paths.cafile is not None or paths.capath is not None
    return ssl.create_default_context() if has_own else httpx.create_ssl_context(trust_env=False)


class HttpSender:
    """Makes requests. An async context manager: its connections live as long as it does."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        """Prepare the pool; nothing is dialled.

        Args:
            tls: What certificates are checked against. Default: `trusted()`.
        """
        # Who may send how much at once is the dispatcher's and the engine's affair, so the pool sets no bound.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=KEEP_ALIVE)
        self._transport = httpx.AsyncHTTPTransport(
            verify=tls or trusted(), trust_env=False, http1=True, http2=False, limits=limits, retries=0
        )

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, traceback)

    async def attempt(self, prepared: Prepared, timeout: float) -> Attempted:  # noqa: ASYNC109 - a rule of the endpoint
        """Send one attempt of a delivery. Nothing is replaced in the exchange: see `delivery.attempt.redacted`.

        Args:
            prepared: The request.
            timeout: Seconds for all of it, the answer's body included.
        """
        wire = _Wire()
        outcome, error = await self._send(prepared, timeout, wire)
        exchange = replace(
            exchange_of(prepared),
            peer=wire.peer,
            status=wire.status,
            response_headers=wire.headers,
            response_body=wire.body[:KEPT].decode("utf-8", "replace"),
            response_truncated=wire.is_truncated or len(wire.body) > KEPT,
            connect_ms=wire.connect_ms,
            total_ms=wire.elapsed_ms,
        )
        return Attempted(outcome=outcome, exchange=exchange, error=error)

    async def request(self, effect: MakeRequest) -> Performed:
        """Make the request of an `http` step. Any answer is a success here; the engine knows which the step expects."""
        try:
            prepared = prepare_request(effect)
        except RequestProblem as problem:
            return Performed(ok=False, error=str(problem))
        wire = _Wire()
        outcome, error = await self._send(prepared, effect.timeout, wire)
        if not wire.is_whole:
            return Performed(ok=False, code=wire.status, error=error, kind=_KINDS.get(outcome, "connect"))
        headers = {name: HIDDEN if name in CREDENTIAL_HEADERS else value for name, value in wire.headers.items()}
        detail = {"headers": headers, "truncated": wire.is_truncated, "peer": wire.peer}
        return Performed(ok=True, code=wire.status, output=_output(wire), detail=detail)

    async def _send(self, prepared: Prepared, timeout: float, wire: _Wire) -> tuple[Outcome, str | None]:  # noqa: ASYNC109 - passed on
        try:
            async with asyncio.timeout(timeout):
                response = await self._transport.handle_async_request(_request(prepared, timeout, wire))
                try:
                    await wire.answers(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            # Connecting has a time of its own, which the client reports as an error of another class.
            return "timeout_total", f"no whole answer within {format_duration(timeout)}"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as failure:
            return failure_of(failure)
        outcome = outcome_of(response.status_code)
        return outcome, None if outcome == "ok" else f"answered {response.status_code}"


def _request(prepared: Prepared, timeout: float, wire: _Wire) -> httpx.Request:
    connect = min(CONNECT_TIMEOUT, timeout)
    return httpx.Request(
        prepared.method,
        prepared.url,
        headers=[(name.encode(), value.encode()) for name, value in prepared.headers],
        content=prepared.body,
        extensions={"timeout": {"connect": connect}, "trace": wire.trace},
    )


def _kept_headers(headers: httpx.Headers) -> dict[str, str]:
    """Return the headers of an answer, names in lower case, repeated ones joined, bounded in number and length."""
    return {name: value[:MAX_HEADER] for name, value in itertools.islice(headers.items(), MAX_HEADERS)}


def _output(wire: _Wire) -> Json:
    """Return an answer as a JSON value where it says that it is one, else as text."""
    media = wire.headers.get("content-type", "").partition(";")[0].strip().lower()
    if bodies.is_json(media) and not wire.is_truncated:
        with contextlib.suppress(ValueError):
            return bodies.parse(media, bytes(wire.body))
    return wire.body.decode("utf-8", "replace")


_: type[Sender] = HttpSender
