"""The HTTP client of deliveries: HTTP/1.1 over asyncio and httptools, bounded in everything.

It follows no redirects, keeps no cookies, and knows no proxies and no environment. `delivery.sender` hands it bytes;
it is also a transport of httpx, for what is content with `httpx.Request` and `httpx.Response`. httpx's own pool walks
over all of its connections for every request: with 50 it is many times slower, with 1,000 it stops the loop.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import httpx

from hooksd.delivery.dialer import Dialer, Resolver, SystemResolver
from hooksd.delivery.place import place_of
from hooksd.delivery.transport_connection import Connection
from hooksd.delivery.transport_deadlines import Deadlines
from hooksd.delivery.transport_heads import Heads
from hooksd.delivery.transport_pool import Pool
from hooksd.delivery.transport_tls import Contexts
from hooksd.delivery.transport_wire import IDEMPOTENT, Way, Wire

CONNECT_TIMEOUT = 5.0
"""Seconds to reach the receiver, DNS and TLS included."""
TIMEOUT = 15.0
"""Seconds for all of a request of httpx that states none."""
READ = 1024 * 1024
"""Bytes that are read of an answer to a request of httpx."""


class Transport(httpx.AsyncBaseTransport):
    """Sends requests. Its connections live until it is closed."""

    def __init__(
        self, *, now: Callable[[], float], tls: ssl.SSLContext | None = None, resolver: Resolver | None = None
    ) -> None:
        """Prepare; nothing is dialled.

        Args:
            now: Seconds on a clock that never goes back.
            tls: What certificates are checked against. Default: the system's authorities.
            resolver: Who is asked for addresses. Default: the machine's.
        """
        self._now = now
        self._contexts = Contexts(tls)
        self._own_resolver = SystemResolver() if resolver is None else None
        self._dialer = Dialer(resolver=resolver or self._own_resolver or SystemResolver(), now=now)
        self._pool = Pool(now)
        self._deadlines = Deadlines(now)
        self._heads = Heads()

    async def exchange(self, way: Way, written: bytes, wire: Wire) -> None:
        """Send one request, and return when its answer is in the wire.

        Args:
            way: Where it goes.
            written: All of it.
            wire: Where what is seen is put.

        Raises:
            Blocked: The place may not be called; nothing was dialled.
            TimeoutError: The time that the wire gives is over.
            OSError: There is no connection, or it broke off.
            BadCertificate: The certificates for TLS cannot be used.
            httpx.HTTPError: There was no connection in time, or the answer is not HTTP.
        """
        connection = None if way.is_fresh else self._idle(way, wire)
        if connection is not None:
            try:
                await connection.ask(written, wire)
            except BaseException as failure:
                connection.abort()
                if not _may_try_again(failure, way, wire):
                    raise
                wire.restart()
                connection = None
        if connection is None:
            async with asyncio.timeout(wire.left):
                connection = await self._connected(way, wire)
            try:
                await connection.ask(written, wire)
            except BaseException:
                connection.abort()
                raise
        if connection.is_usable:
            self._pool.put(connection)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: D102 - see httpx
        timeouts = request.extensions.get("timeout", {})
        place = place_of(str(request.url))
        lines = [request.method.encode(), b" ", place.target, b" HTTP/1.1\r\n"]
        for name, value in request.headers.raw:
            lines += (name, b": ", value, b"\r\n")
        written = b"".join([*lines, b"\r\n", await request.aread()])
        wire = Wire(self._now, READ, timeouts.get("read") or TIMEOUT)
        try:
            await self.exchange(Way(place=place, may_repeat=request.method in IDEMPOTENT), written, wire)
        except TimeoutError as error:
            raise httpx.ReadTimeout("no whole answer in time", request=request) from error
        except OSError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        return httpx.Response(wire.status or 0, headers=wire.headers, content=bytes(wire.body), request=request)

    async def aclose(self) -> None:
        """Close every connection."""
        self._pool.close()
        if self._own_resolver is not None:
            self._own_resolver.close()

    def _idle(self, way: Way, wire: Wire) -> Connection | None:
        """Return a connection that waits for its next request; None when there is none."""
        place, now = way.place, wire.began
        for address in self._dialer.known(place, way.rules, now, is_literal=way.is_literal):
            connection = self._pool.take((address, place.origin, way.identity), now)
            if connection is not None:
                wire.peer = connection.peer
                return connection
        return None

    async def _connected(self, way: Way, wire: Wire) -> Connection:
        """Dial one address after the other, each within its share of the time that is left."""
        addresses = await self._dialer.vetted(way.place, way.rules, is_literal=way.is_literal)
        wire.reached["dns"] = wire.now()
        ends = wire.began + CONNECT_TIMEOUT
        failure: Exception | None = None
        for place, address in enumerate(addresses):
            share = (ends - self._now()) / (len(addresses) - place)
            try:
                async with asyncio.timeout(share):
                    return await self._dial(way, wire, address)
            except TimeoutError:
                failure = httpx.ConnectTimeout("no connection in time")
            except ssl.SSLError:
                raise  # another address of the same name has the same certificate
            except OSError as error:
                failure = error
        self._dialer.forget(way.place.host)
        raise failure or httpx.ConnectError("the name has no address")

    async def _dial(self, way: Way, wire: Wire, address: str) -> Connection:
        place = way.place
        wire.peer = peer = f"[{address}]:{place.port}" if ":" in address else f"{address}:{place.port}"
        is_secure = place.scheme == "https"
        tls = self._contexts.of(way.identity) if is_secure else None
        sock = await self._dialer.connect(address, place.port)
        wire.reached["connect"] = wire.now()
        # From here on the loop closes the socket, whatever happens.
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self._deadlines, self._heads, (address, place.origin, way.identity), peer),
            sock=sock,
            ssl=tls,
            server_hostname=place.host if is_secure else None,
        )
        if is_secure:
            wire.reached["tls"] = wire.now()
        return connection


def _may_try_again(failure: BaseException, way: Way, wire: Wire) -> bool:
    """Tell whether a waiting connection had been closed: nothing was answered, and the request may be sent again."""
    is_broken = isinstance(failure, OSError | httpx.RemoteProtocolError) and not isinstance(failure, TimeoutError)
    return is_broken and "first_byte" not in wire.reached and (way.may_repeat or "request" not in wire.reached)
