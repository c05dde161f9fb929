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
from hooksd.delivery.transport_wire import IDEMPOTENT, Call, Wire

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

    async def exchange(self, call: Call, wire: Wire) -> None:
        """Send one request, and return when its answer is in the wire.

        Raises:
            Blocked: The place may not be called; nothing was dialled.
            TimeoutError: The time that the wire gives is over.
            OSError: There is no connection, or it broke off.
            BadCertificate: The certificates for TLS cannot be used.
            httpx.HTTPError: There was no connection in time, or the answer is not HTTP.
        """
        connection = None if call.is_fresh else self._idle(call, wire)
        if connection is not None:
            try:
                await connection.ask(call, wire)
            except BaseException as failure:
                connection.abort()
                if not _may_try_again(failure, call, wire):
                    raise
                wire.restart()
                connection = None
        if connection is None:
            async with asyncio.timeout(wire.left):
                connection = await self._connected(call, wire)
            try:
                await connection.ask(call, wire)
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
        call = Call(
            method=request.method,
            place=place,
            head=b"".join([*lines, b"\r\n"]),
            body=await request.aread(),
            may_repeat=request.method in IDEMPOTENT,
        )
        wire = Wire(self._now, READ, timeouts.get("read") or TIMEOUT)
        try:
            await self.exchange(call, wire)
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

    def _idle(self, call: Call, wire: Wire) -> Connection | None:
        """Return a connection that waits for its next request; None when there is none."""
        place = call.place
        for address in self._dialer.known(place, call.rules, is_literal=call.is_literal) or ():
            connection = self._pool.take((address, place.origin, call.identity))
            if connection is not None:
                wire.resolved_at = wire.now()
                wire.peer = connection.peer
                return connection
        return None

    async def _connected(self, call: Call, wire: Wire) -> Connection:
        """Dial one address after the other, each within its share of the time that is left."""
        addresses = await self._dialer.vetted(call.place, call.rules, is_literal=call.is_literal)
        wire.resolved_at = wire.now()
        ends = wire.began + CONNECT_TIMEOUT
        failure: Exception | None = None
        for place, address in enumerate(addresses):
            share = (ends - self._now()) / (len(addresses) - place)
            try:
                async with asyncio.timeout(share):
                    return await self._dial(call, wire, address)
            except TimeoutError:
                failure = httpx.ConnectTimeout("no connection in time")
            except ssl.SSLError:
                raise  # another address of the same name has the same certificate
            except OSError as error:
                failure = error
        self._dialer.forget(call.place.host)
        raise failure or httpx.ConnectError("the name has no address")

    async def _dial(self, call: Call, wire: Wire, address: str) -> Connection:
        place = call.place
        wire.peer = peer = f"[{address}]:{place.port}" if ":" in address else f"{address}:{place.port}"
        is_secure = place.scheme == "https"
        tls = self._contexts.of(call.identity) if is_secure else None
        sock = await self._dialer.connect(address, place.port)
        wire.connected_at = wire.now()
        # From here on the loop closes the socket, whatever happens.
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self._deadlines, self._heads, (address, place.origin, call.identity), peer),
            sock=sock,
            ssl=tls,
            server_hostname=place.host if is_secure else None,
        )
        if is_secure:
            wire.secured_at = wire.now()
        return connection


def _may_try_again(failure: BaseException, call: Call, wire: Wire) -> bool:
    """Tell whether a waiting connection had been closed: nothing was answered, and the request may be sent again."""
    is_broken = isinstance(failure, OSError | httpx.RemoteProtocolError) and not isinstance(failure, TimeoutError)
    return is_broken and wire.first_byte_at is None and (call.may_repeat or wire.sent_at is None)
