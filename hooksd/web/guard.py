"""The HTTP protocol of both listeners: uvicorn's, with the bounds that it lacks.

uvicorn parses, hands requests to the application and writes its answers. This class decides who is heard: it bounds
headers, targets, chunks, waiting requests and time, wants exactly one Host, and says why it refuses before it closes.
`daemon.server` plugs it in. Time limits strike in `check`, which `web.guard_crowd` calls; nothing here sets a timer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from hooksd.web.answer import encode_answer
from hooksd.web.guard_crowd import Crowd
from hooksd.web.guard_cycle import Cycle, cycle_of, scope_of
from hooksd.web.guard_exit import Exit, reset
from hooksd.web.guard_limits import (
    BODY_RATE,
    FREE_PIECES,
    LEAST_PIECE,
    LINGER,
    LINGER_BYTES,
    MAX_TARGET,
    MAX_UNREAD,
    MAX_WAITING,
    WIRE_RATIO,
    WIRE_SLACK,
    GuardReason,
)
from hooksd.web.guard_refusal import BODY, HEAD, IDLE, Unwelcome, check_host, check_size, unwelcome
from hooksd.web.guard_slots import SLOTS
from hooksd.web.guard_upgrade import parser_of, without_upgrade
from hooksd.web.problem import CLOSE, RETRY_AFTER, problem


class GuardedProtocol(HttpToolsProtocol):
    """One connection."""

    __slots__ = SLOTS

    cycle: Cycle

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        crowd: Crowd,
    ) -> None:
        """Begin without a connection; uvicorn calls it.

        Args:
            config: uvicorn's.
            server_state: uvicorn's.
            app_state: uvicorn's.
            crowd: All connections of this listener.
        """
        super().__init__(config, server_state, app_state, _loop)
        self.crowd = crowd
        self.limits = crowd.limits
        self._most, self._names = crowd.limits.headers, crowd.names
        self.address, self.since = "", 0.0
        self._phase = IDLE
        self._exit: Exit
        self._served = False
        self._owed = 0  # requests heard whose answers are not complete
        self.method = b""
        self._version = ""
        self.fields: list[tuple[str, str]] = []  # the headers as text, names in lower case; then trailers
        self.named: dict[str, str] = {}  # the headers, the last one where several have the same name
        self._wire = 0  # bytes read for this request, but for the read it began in
        self._read = 0  # bytes of the last read
        self._body = self._pieces = 0
        self._held = 0  # our part of crowd.buffered
        self._forgotten = 0  # of the oldest body, what is not in memory any more
        self._sizes: deque[int] = deque()  # of the bodies that were heard and not answered, oldest first
        self._keeps = True  # the connection may outlive this request
        self._ends = False  # the daemon stops
        self._deaf = False  # nothing is heard any more
        self._discarded = 0  # bytes since then
        self._last_words: bytes | None = None  # a refusal that waits for the answers before it
        self._parted: float | None = None  # since when the caller is only let finish
        self._closed: float | None = None  # since when a closed connection has something left to send
        self._stalled: float | None = None  # since when the caller does not read

    # The life of the connection.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Come in, if there is room."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(MAX_UNREAD)
        self._exit = Exit(transport, self.part)
        self.since = self.loop.time()
        self.address = self.client[0] if self.client else ""
        common: Any = scope_of(self)
        self.scope = common
        if not self.crowd.enter(self):
            self._deaf = True
            self._tell("crowded", 503)
            detail = "too many connections; try again later, or use fewer at once"
            answer = problem(503, detail, headers=RETRY_AFTER + CLOSE)
            transport.write(encode_answer(answer, self.server_state.default_headers))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave."""
        self.crowd.turn.end()
        self.crowd.leave(self)
        self._release(self._held)
        self.pipeline.clear()
        self._exit.leave()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Answer what was asked, and close then; a body that is on its way must come soon."""
        self.crowd.turn.end()
        self._keeps = False
        self._ends = True
        if self._phase is BODY:
            self.since = self.loop.time()
        super().shutdown()

    # What arrives.

    def data_received(self, data: bytes) -> None:
        """Take what the caller sends; see `hear`."""
        if self._deaf:
            self._discarded += len(data)
            if self._discarded > LINGER_BYTES:
                self.flow.pause_reading()  # reading what nobody wants would take the time of others
            return
        self.crowd.turn.put(self, data)

    def eof_received(self) -> None:
        """Hear what was sent before the end, which closes the connection."""
        self.crowd.turn.end()

    def hear(self, data: bytes) -> None:
        """Work on what the caller sent."""
        if self._deaf:
            return
        self._read = size = len(data)
        self._wire += size
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            head = without_upgrade(self.method, self.url, self.fields)
            self.parser = parser_of(self)
            self.hear(head + data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(unwelcome(error))
        if self._wire > self.limits.head_bytes:
            self._weigh()

    def _weigh(self) -> None:
        """Refuse a request that takes many bytes to say little."""
        if self._deaf:
            return
        if self._phase is not BODY:
            self._refuse(Unwelcome(431, "head_too_large", f"headers may have {self.limits.head_bytes} bytes in all"))
        elif self._wire > WIRE_RATIO * self._body + WIRE_SLACK + self.limits.head_bytes:
            self._refuse(Unwelcome(400, "malformed", "send the body in larger chunks, without chunk extensions"))

    def on_message_begin(self) -> None:
        """Begin a request."""
        if not self._keeps and self._owed:
            raise Unwelcome(None, "malformed")  # RFC 9112 section 9.6: nothing counts after `Connection: close`
        self.url = b""
        self.fields = []
        self._phase = HEAD
        self.since = self.loop.time()
        self._wire = self._body = self._pieces = 0

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request target."""
        self.url += url
        if len(self.url) > MAX_TARGET:
            raise Unwelcome(414, "head_too_large", f"the path and query may have {MAX_TARGET} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field, or a trailer field, which is counted and forgotten (RFC 9110 section 6.5.1)."""
        fields = self.fields
        fields.append((self._names[name], value.strip().decode("latin-1")))
        if len(fields) > self._most:
            raise Unwelcome(431, "head_too_large", f"a request may have {self._most} header fields")

    def on_headers_complete(self) -> None:
        """Hand the request to the application, or let it wait for those before it."""
        self.check_head()
        if self.parser.should_upgrade():
            return  # see guard_upgrade
        self.begin_answer()
        self._phase = BODY
        self._owed += 1

    def begin_answer(self) -> None:
        """Hand the request to the application, or let it wait for those before it; `cycle` is its state from here."""
        # Trailer fields must not join the headers, which were checked and perhaps signed.
        fields, self.fields = self.fields, []
        # Only a request that was heard to its end leaves a connection on which the next can be found: see `Cycle.end`.
        self._keeps = self._version != "1.0" and self.parser.should_keep_alive()
        before: Cycle | None = self.cycle
        self.cycle = cycle = cycle_of(self, fields, self.named, self._exit)
        if before is None or before.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def check_head(self) -> None:
        """Judge a request by its complete head.

        Raises:
            Unwelcome: It is refused.
        """
        fields = self.fields
        self.named = named = dict(fields)
        self._version = version = self.parser.get_http_version()
        check_host(named, fields, version)
        self.expect_100_continue = "expect" in named and named["expect"].lower() == "100-continue"
        if self._wire + self._read > self.limits.head_bytes:
            check_size(self.url, fields, self.limits.head_bytes)
        self.method = self.parser.get_method()
        if self.method == b"CONNECT":
            raise Unwelcome(400, "malformed", "this is no proxy")
        if len(self.pipeline) >= MAX_WAITING:
            detail = f"{MAX_WAITING} requests wait for their answers on this connection; read before you send more"
            raise Unwelcome(429, "pipelined", detail)

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        size, crowd = len(body), self.crowd
        self._body += size
        self._pieces = pieces = self._pieces + 1
        if pieces > FREE_PIECES and pieces > FREE_PIECES + self._body // LEAST_PIECE:
            raise Unwelcome(400, "malformed", "send the body in larger chunks")
        self._held += size
        crowd.buffered += size
        if crowd.buffered > self.limits.buffered:
            raise Unwelcome(503, "crowded", "too many bodies are being received; try again later")
        self.cycle.hear(body)

    def on_message_complete(self) -> None:
        """End a request."""
        if self._phase is not BODY:
            return  # see guard_upgrade
        self._phase = IDLE
        self._wire = 0
        self._sizes.append(self._body)
        self.end_request()

    def end_request(self) -> None:
        """Tell the request that it is whole."""
        self.cycle.end(keeps=self._keeps)

    # What leaves.

    def on_response_complete(self) -> None:
        """Go on with the request that waits, or wait for one."""
        self._owed -= 1
        self._served = True
        if not self._owed:
            self._sizes.clear()
            self.crowd.buffered -= self._held
            self._held = self._forgotten = 0
        elif self._sizes:
            self._release(self._sizes.popleft() - self._forgotten)
            self._forgotten = 0
        if self._phase is IDLE:
            self.since = self.loop.time()
        if self.pipeline or self._deaf or self.flow.read_paused:
            self._go_on()

    def _go_on(self) -> None:
        if self._parted is not None or self.transport.is_closing():
            return
        if self.pipeline:
            self.flow.resume_reading()
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self._deaf:
            self._say_last_words()
        else:
            self.flow.resume_reading()

    def pause_writing(self) -> None:
        """Note that the caller does not read."""
        self._stalled = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that it does."""
        self._stalled = None
        super().resume_writing()

    def part(self) -> None:
        """Close, in a way that lets the caller read what was sent."""
        if self._phase is IDLE and not self._deaf:
            self.transport.close()
        elif self._parted is None and not self.transport.is_closing():
            self._deaf = True
            self._parted = self.loop.time()
            self.flow.resume_reading()
            self.transport.write_eof()

    def _refuse(self, unwelcome: Unwelcome) -> None:
        """Hear nothing more; answer what was asked before, then say why, then part."""
        if self._deaf:
            return
        self._deaf = True
        answered = False
        if self._phase is BODY:  # the application knows this request
            answered = self.cycle.response_started
            self._withdraw()
        if unwelcome.status is not None and not answered:
            self._tell(unwelcome.reason, unwelcome.status)
            headers = RETRY_AFTER + CLOSE if unwelcome.status == 503 else CLOSE
            answer = problem(unwelcome.status, unwelcome.detail, headers=headers)
            self._last_words = encode_answer(answer, self.server_state.default_headers)
        if not self._owed:
            self._say_last_words()

    def _withdraw(self) -> None:
        """Take the request that is being received away from the application."""
        self._release(self._body - self._forgotten)
        cycle = self.cycle
        if self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline.popleft()
            self._owed -= 1
        elif not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
            self._owed -= 1

    def _say_last_words(self) -> None:
        if self._last_words is not None and not self.transport.is_closing():
            self.transport.write(self._last_words)
        self.part()

    def _tell(self, reason: GuardReason, status: int) -> None:
        self.crowd.report(webhook=None, reason=reason, status=status, peer=self.address or "unix")

    def forget(self, size: int) -> None:
        """Take bytes of the body that is being answered for gone: they are on the disk."""
        self._forgotten += size
        self._release(size)

    def _release(self, size: int) -> None:
        size = max(0, min(size, self._held))
        self.crowd.buffered -= size
        self._held -= size

    # What the crowd asks.

    def standing(self) -> int | None:
        """Tell what this connection waits for: 0 for a request, 1 for a body; None: it is being answered."""
        if self._phase is BODY:
            return 1
        return None if self._owed else 0

    def dismiss(self) -> None:
        """Close, because room is needed."""
        self.transport.close()

    def check(self, now: float) -> None:
        """End what has taken too long."""
        if self._closed is None and self.transport.is_closing():
            self._closed = now
        unread = self._stalled if self._stalled is not None else self._closed
        if unread is not None:
            if now - unread > self.limits.write_timeout:
                reset(self.transport)
        elif self._parted is not None:
            if now - self._parted > LINGER:
                self.transport.close()
        elif self.flow.read_paused:
            self.since = now  # it is not the caller who lets wait
        elif not self._deaf:
            self._check_caller(now - self.since)

    def _check_caller(self, seconds: float) -> None:
        limits = self.limits
        if self._phase is HEAD:
            if seconds > limits.header_timeout:
                self._refuse(Unwelcome(408, "slow", f"the headers were not there after {limits.header_timeout:g} s"))
        elif self._phase is BODY:
            if self._ends and seconds > LINGER:
                self._refuse(Unwelcome(503, "slow", "the daemon stops; send the same request again later"))
            elif seconds > limits.body_timeout + self._body / BODY_RATE:
                self._refuse(Unwelcome(408, "slow", f"the body was not there after {seconds:.0f} s"))
        elif not self._owed and seconds > (limits.idle_timeout if self._served else limits.header_timeout):
            self.transport.close()
