"""One connection of HTTP/1.1, from our side: a request is written, the answer is parsed, every part of it is bounded.

`delivery.transport` makes these and keeps those that may be used again. A receiver is as hostile as a caller: an answer
costs at most `HEAD` bytes of headers, `INTERIM` answers before the answer, and the body that the wire keeps; how long
it may take is the affair of whoever asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import cast

import httptools
import httpx

from hooksd.delivery.transport_wire import Call, Wire

HEAD = 64 * 1024
"""Bytes of headers, and of what else is not body, that an answer may have."""
HEADERS = 1024
"""Headers that an answer may have, trailers included."""
INTERIM = 16
"""Answers of 1xx that may come before the answer."""
FRAMING = 2
"""Bytes on the wire for each byte of the body, beyond `HEAD`: chunks of six bytes need less. Those of one byte need
six, and each is work for us: a long body in such chunks would hold up everybody else for seconds."""


class Connection(asyncio.Protocol):
    """Carries one request at a time."""

    __slots__ = (
        "_done",
        "_head_only",
        "_headers",
        "_interim",
        "_loop",
        "_parser",
        "_received",
        "_transport",
        "_wire",
        "idle_since",
        "is_usable",
    )

    def __init__(self) -> None:
        self.is_usable = False
        """It is open, and nothing stands in the way of another request."""
        self.idle_since = 0.0
        """When it was put aside until the next one; the pool's alone."""
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._wire: Wire | None = None
        self._done: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._head_only = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._interim = 0
        self._received = 0

    async def ask(self, call: Call, wire: Wire) -> None:
        """Send a request and return when its answer is in the wire, to its end or to the bound.

        Args:
            call: The request.
            wire: Where what is seen is put.

        Raises:
            TimeoutError: The time that the wire gives is over.
            OSError: The connection broke off.
            httpx.RemoteProtocolError: The answer is not HTTP, or not one that ends.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise httpx.RemoteProtocolError("disconnected")
        done = self._done = self._loop.create_future()
        # The answer to HEAD has no body, whatever its headers say.
        self._wire, self._head_only = wire, call.method == "HEAD"
        self._headers, self._interim, self._received = [], 0, 0
        self.is_usable = False
        # A timer for the one thing that is waited for: `asyncio.timeout` costs five times as much.
        alarm = self._loop.call_later(wire.left, self._expire)
        transport.write(call.head + call.body)
        wire.sent_at = wire.now()
        try:
            await done
        finally:
            alarm.cancel()
            self._wire = self._done = None
            if not self.is_usable:
                transport.abort()

    def close(self) -> None:
        """Close it."""
        self.is_usable = False
        if self._transport is not None:
            self._transport.close()

    # --- of the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102 - see asyncio.Protocol
        self._transport = cast("asyncio.Transport", transport)
        self.is_usable = True

    def data_received(self, data: bytes) -> None:  # noqa: D102 - see asyncio.Protocol
        wire = self._wire
        if wire is None:
            self.close()  # nobody asked
            return
        if wire.first_byte_at is None:
            wire.first_byte_at = wire.now()
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(httpx.RemoteProtocolError("it changes to another protocol"))
        except httptools.HttpParserError as error:
            self._fail(_problem(error))
        else:
            if self._done is not None and not self._done.done():
                self._check_size(wire)

    def eof_received(self) -> bool:  # noqa: D102 - see asyncio.Protocol
        wire = self._wire
        if wire is not None and wire.status is not None and not wire.is_whole and _is_open_ended(wire.headers):
            self._end(wire, is_usable=False)
        return False

    def connection_lost(self, error: Exception | None) -> None:  # noqa: D102 - see asyncio.Protocol
        self.is_usable = False
        if self._wire is not None and self._wire.first_byte_at is not None:
            self._fail(error or httpx.RemoteProtocolError("it ends in the middle"))
        else:
            self._fail(error or httpx.RemoteProtocolError("disconnected"))
        # The parser holds on to this connection: let go of both.
        self._transport = None
        del self._parser

    # --- of the parser

    def on_message_begin(self) -> None:
        """See whether somebody asked."""
        if self._wire is None or self._wire.is_whole:
            self.is_usable = False  # two answers to one request

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer."""
        self._headers.append((name, value))
        if len(self._headers) > HEADERS:
            raise _TooMuch("it has too many headers")

    def on_headers_complete(self) -> None:
        """See what kind of answer it is."""
        wire, status = self._wire, self._parser.get_status_code()
        if wire is None or wire.is_whole:
            return
        if status < 200:
            self._interim += 1
            if self._interim > INTERIM:
                raise _TooMuch("it never comes to the answer")
            return
        wire.status, wire.headers = status, self._headers
        self._headers = []
        if self._head_only:
            self._end(wire, is_usable=False)

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body, up to the bound."""
        wire = self._wire
        if wire is None or wire.is_whole:
            return
        room = wire.keeps - len(wire.body)
        if len(data) <= room:
            wire.body += data
            return
        wire.body += data[:room]
        wire.is_cut = True
        self._end(wire, is_usable=False)

    def on_message_complete(self) -> None:
        """The answer is there."""
        wire = self._wire
        if wire is None or wire.is_whole:
            return
        if self._parser.get_status_code() < 200:
            self._headers = []
        else:
            transport = self._transport
            is_sent = transport is not None and not transport.get_write_buffer_size()
            self._end(wire, is_usable=is_sent and bool(self._parser.should_keep_alive()))

    # --- ours

    def _check_size(self, wire: Wire) -> None:
        if self._received > HEAD + FRAMING * len(wire.body):
            self._fail(httpx.RemoteProtocolError("its headers, or what is not body, never end"))

    def _end(self, wire: Wire, *, is_usable: bool) -> None:
        wire.body_at = wire.now()
        wire.is_whole = True
        self.is_usable = is_usable
        if self._done is not None and not self._done.done():
            self._done.set_result(None)

    def _expire(self) -> None:
        self._fail(TimeoutError())

    def _fail(self, error: Exception) -> None:
        self.is_usable = False
        if self._done is not None and not self._done.done():
            self._done.set_exception(error)


def _is_open_ended(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Tell whether the end of the connection is the end of the body: nothing else says where that is."""
    return not {name.lower() for name, _ in headers} & {b"content-length", b"transfer-encoding"}


class _TooMuch(Exception):
    """An answer is beyond a bound."""


def _problem(error: httptools.HttpParserError) -> httpx.RemoteProtocolError:
    """Say what is wrong with an answer."""
    cause = error.__context__
    return httpx.RemoteProtocolError(str(cause if isinstance(cause, _TooMuch) else error) or "malformed")
