"""One connection of HTTP/1.1, from our side: a request is written, the answer is parsed, every part of it is bounded.

`delivery.transport` makes these and keeps those that may be used again. A receiver is as hostile as a caller: an answer
costs at most `HEAD` bytes of headers, `INTERIM` answers before the answer, and the body that the wire keeps; how long
it may take is the affair of whoever asks.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Hashable, Iterable
from typing import cast

import httptools
import httpx

from hooksd.delivery.transport_deadlines import Deadlines
from hooksd.delivery.transport_heads import END, Head, Heads, kept_headers
from hooksd.delivery.transport_wire import Wire

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
        "_deadlines",
        "_done",
        "_head_only",
        "_headers",
        "_heads",
        "_interim",
        "_loop",
        "_parser",
        "_received",
        "_transport",
        "_wire",
        "ends",
        "idle_since",
        "is_usable",
        "leads_to",
        "peer",
    )

    def __init__(self, deadlines: Deadlines, heads: Heads, leads_to: Hashable = None, peer: str = "") -> None:
        """Begin without a connection; the event loop makes it.

        Args:
            deadlines: Who ends what takes too long.
            heads: What is known of answers.
            leads_to: Calls that go there may use it.
            peer: The address that was dialled.
        """
        self.leads_to = leads_to
        self.peer = peer
        self.is_usable = False
        """It is open, and nothing stands in the way of another request."""
        self.idle_since = 0.0
        """When its last answer was there."""
        self.ends = math.inf
        """When the answer that is waited for must be there."""
        self._deadlines = deadlines
        self._heads = heads
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._wire: Wire | None = None
        self._done: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._head_only = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._interim = 0
        self._received = 0

    def ask(self, written: bytes, wire: Wire) -> asyncio.Future[None]:
        """Send a request. What is returned is over when its answer is in the wire, to its end or to the bound.

        Whoever stops waiting for it must `abort`. It is no coroutine: each of those costs all that wait.

        Args:
            written: The request, all of it.
            wire: Where what is seen is put.

        Raises:
            TimeoutError: The time that the wire gives is over; like the following, from what is returned.
            OSError: The connection broke off.
            httpx.RemoteProtocolError: The answer is not HTTP, or not one that ends. At once: it is closed.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise httpx.RemoteProtocolError("disconnected")
        done = self._done = self._loop.create_future()
        # The answer to HEAD has no body, whatever its headers say.
        self._wire, self._head_only = wire, written.startswith(b"HEAD ")
        self.is_usable = False
        self.ends = ends = wire.ends
        if ends < self._deadlines.next:
            self._deadlines.look_at(ends)
        transport.write(written)
        wire.reached["request"] = wire.now()
        return done

    def close(self) -> None:
        """Close it."""
        self.is_usable = False
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close it at once: whatever is under way is given up, and nobody is told."""
        self.is_usable = False
        self._wire = self._done = None
        self.ends = math.inf
        if self._transport is not None:
            self._transport.abort()

    def expire(self) -> None:
        """Give up on an answer: its time is over."""
        self._fail(TimeoutError())

    # --- of the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102 - see asyncio.Protocol
        self._transport = cast("asyncio.Transport", transport)
        self.is_usable = True
        self._deadlines.enter(self)

    def data_received(self, data: bytes) -> None:  # noqa: D102 - see asyncio.Protocol
        wire = self._wire
        if wire is None:
            self.close()  # nobody asked
            return
        if "first_byte" in wire.reached:
            self._parse(data, wire)
            return
        wire.reached["first_byte"] = wire.now()
        start, end, body = data.partition(END)
        head = None if self._head_only else self._heads.get(start)
        if head is not None and end and len(body) == head.length <= wire.keeps:
            wire.status, wire.headers, wire.kept, _ = head
            wire.body = body
            self._end(wire, is_last=False)
            return
        self._interim = self._received = 0
        self._parse(data, wire)
        if self.is_usable and not self._head_only:
            head = Head(wire.status or 0, wire.headers, wire.kept or {}, len(wire.body))
            self._heads.learn(start, len(body), head)

    def eof_received(self) -> bool:  # noqa: D102 - see asyncio.Protocol
        wire = self._wire
        if wire is not None and wire.status is not None and not wire.is_whole and _is_open_ended(wire.headers):
            self._end(wire, is_last=True)
        return False

    def connection_lost(self, error: Exception | None) -> None:  # noqa: D102 - see asyncio.Protocol
        is_begun = self._wire is not None and "first_byte" in self._wire.reached
        self._transport = None
        self._deadlines.leave(self)
        self._fail(error or httpx.RemoteProtocolError("it ends in the middle" if is_begun else "disconnected"))
        del self._parser  # it holds on to this connection, and the other way round

    # --- of the parser

    def on_message_begin(self) -> None:
        """See whether somebody asked."""
        self._headers = []
        if self._wire is None:
            self.abort()  # two answers to one request

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer."""
        self._headers.append((name, value))
        if len(self._headers) > HEADERS:
            raise _TooMuch("it has too many headers")

    def on_headers_complete(self) -> None:
        """See what kind of answer it is."""
        wire, status = self._wire, self._parser.get_status_code()
        if wire is None:
            return
        if status < 200:
            self._interim += 1
            if self._interim > INTERIM:
                raise _TooMuch("it never comes to the answer")
            return
        wire.status, wire.headers, wire.body = status, self._headers, bytearray()
        wire.kept = kept_headers(self._headers)
        self._headers = []
        if self._head_only:
            self._end(wire, is_last=True)

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body, up to the bound."""
        wire = self._wire
        if wire is None:
            return
        room = wire.keeps - len(wire.body)
        if len(data) <= room:
            wire.body += data
            return
        wire.body += data[:room]
        wire.is_cut = True
        self._end(wire, is_last=True)

    def on_message_complete(self) -> None:
        """The answer is there."""
        wire = self._wire
        if wire is not None and self._parser.get_status_code() >= 200:
            self._end(wire, is_last=not self._parser.should_keep_alive())

    # --- ours

    def _parse(self, data: bytes, wire: Wire) -> None:
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(httpx.RemoteProtocolError("it changes to another protocol"))
        except httptools.HttpParserError as error:
            self._fail(_problem(error))
        else:
            if self._wire is not None and self._received > HEAD + FRAMING * len(wire.body):
                self._fail(httpx.RemoteProtocolError("its headers, or what is not body, never end"))

    def _end(self, wire: Wire, *, is_last: bool) -> None:
        """The answer is in the wire; the last one closes the connection."""
        self.idle_since = wire.reached["body"] = wire.now()
        transport, done = self._transport, self._done
        self._wire = self._done = None
        self.ends = math.inf
        if is_last or transport is None or transport.get_write_buffer_size():
            self.abort()
        else:
            self.is_usable = True
        if done is not None and not done.done():
            done.set_result(None)

    def _fail(self, error: Exception) -> None:
        done = self._done
        self.abort()
        if done is not None and not done.done():
            done.set_exception(error)


def _is_open_ended(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Tell whether the end of the connection is the end of the body: nothing else says where that is."""
    return not {name.lower() for name, _ in headers} & {b"content-length", b"transfer-encoding"}


class _TooMuch(Exception):
    """An answer is beyond a bound."""


def _problem(error: httptools.HttpParserError) -> httpx.RemoteProtocolError:
    """Say what is wrong with an answer."""
    cause = error.__context__
    return httpx.RemoteProtocolError(str(cause if isinstance(cause, _TooMuch) else error) or "malformed")
