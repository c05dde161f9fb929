"""Requests through a proxy, for endpoints with `egress.proxy`: httpx's own transport, which knows how to ask one.

The proxy resolves the names of hosts, so it has to judge their addresses; an address that stands in the URL is judged
here as everywhere. Called by `delivery.sender`.
"""

from __future__ import annotations

import ssl

import httpx

from hooksd.delivery.addresses import parse
from hooksd.delivery.egress import check_address, check_host
from hooksd.delivery.head import WITH_BODY, with_host
from hooksd.delivery.place import Place
from hooksd.delivery.request import Prepared
from hooksd.delivery.transport import CONNECT_TIMEOUT
from hooksd.delivery.transport_connection import FRAMING, HEAD
from hooksd.delivery.transport_heads import Headers, kept_headers
from hooksd.delivery.transport_pool import KEEP_ALIVE
from hooksd.delivery.transport_tls import Contexts
from hooksd.delivery.transport_wire import Way, Wire
from hooksd.model.identity import Identity


class Proxied:
    """Sends requests through proxies."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """Prepare; nothing is dialled.

        Args:
            tls: What certificates are checked against. Default: the system's authorities.
        """
        self._contexts = Contexts(tls)
        self._transports: dict[tuple[str, Identity | None], httpx.AsyncHTTPTransport] = {}

    async def exchange(self, way: Way, prepared: Prepared, wire: Wire) -> None:
        """Send one request, and return when its answer is in the wire. How long that may take is the caller's affair.

        Raises:
            Blocked: The place may not be called.
            httpx.HTTPError: The proxy cannot be reached, or the answer is not HTTP.
            OSError: The connection broke off.
            BadCertificate: The certificates for TLS cannot be used.
        """
        place = way.place
        check_host(way.rules, place.scheme, place.host, place.port)
        address = parse(place.host)
        if address is not None:
            check_address(way.rules, place.host, address, is_literal=way.is_literal)
        request = httpx.Request(
            prepared.method,
            f"{place.scheme}://{place.authority.decode()}{place.target.decode()}",
            headers=_headers(prepared, place),
            content=prepared.body,
            extensions={"timeout": {"connect": CONNECT_TIMEOUT}},
        )
        wire.peer = way.rules.proxy
        wire.reached["request"] = wire.now()
        response = await self._through(way).handle_async_request(request)
        try:
            await _read(response, wire)
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        for transport in self._transports.values():
            await transport.aclose()

    def _through(self, way: Way) -> httpx.AsyncHTTPTransport:
        key = (way.rules.proxy or "", way.identity)
        if key not in self._transports:
            self._transports[key] = httpx.AsyncHTTPTransport(
                verify=self._contexts.of(way.identity),
                trust_env=False,
                proxy=httpx.Proxy(key[0]),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=KEEP_ALIVE),
            )
        return self._transports[key]


def _headers(prepared: Prepared, place: Place) -> Headers:
    """Return the headers with those that only a client knows: where it goes, and how long the body is."""
    headers = with_host(prepared.headers.items(), place)
    if prepared.body or prepared.method in WITH_BODY:
        headers.append(("Content-Length", str(len(prepared.body))))
    return [(name.encode(), value.encode()) for name, value in headers]


async def _read(response: httpx.Response, wire: Wire) -> None:
    wire.reached["first_byte"] = wire.now()
    wire.status, wire.headers = response.status_code, response.headers.raw
    wire.kept = kept_headers(wire.headers)
    body = wire.body = bytearray()
    framing = 0
    async for chunk in response.aiter_raw():
        framing += len(b"1\r\n\r\n")
        if framing > HEAD + (FRAMING - 1) * len(body):
            raise httpx.RemoteProtocolError("its body comes in pieces that are too small")
        room = wire.keeps - len(body)
        body += chunk[:room]
        if len(chunk) > room:
            wire.is_cut = True
            break
    wire.reached["body"] = wire.now()
