"""A request on its way through an ASGI application: uvicorn's, but an answer that is whole is one write.

Head and body written one after the other are two packets, and take a fifth more of the processor for the whole request.
Used by `web.guard`.
"""

from __future__ import annotations

import asyncio
import re
import urllib.parse
from collections.abc import Iterator, Sequence
from typing import Any, Final

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from hooksd.web.answer import ANSWER, JSON_TYPE, Answer, Headers, encode_answer
from hooksd.web.guard_exit import Exit
from hooksd.web.problem import CLOSE, problem

TEXTS: Final = "hooksd.headers"
"""What a scope has besides what ASGI says: its headers as text, for whoever would make it of them again; by name where
none came twice."""
_HEADER: Final = re.compile(rb"(?!(?:connection|content-length|transfer-encoding)$)[a-z0-9-]+")
"""A name that says nothing about the connection."""
_UNFIT: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_EXTENSIONS: Final[dict[str, dict[object, object]]] = {ANSWER: {}}
_NO_EXTENSIONS: Final[dict[str, dict[object, object]]] = {}


class Cycle(RequestResponseCycle):
    """One request, from its head to the end of its answer."""

    _begun: Any = None
    """The message that begins the answer, until the next comes."""

    def __init__(self, connection: HttpToolsProtocol, scope: Any, leave: Exit) -> None:
        """Begin with what uvicorn's has, which takes half as long as handing it over by eleven names.

        Args:
            connection: The connection, whose head has just come.
            scope: See ASGI.
            leave: Where its answer goes.
        """
        transport: Any = leave  # all of it that a cycle uses
        self.scope = scope
        self.transport = transport
        self.flow = connection.flow
        self.logger = connection.logger
        self.access_logger = connection.access_logger
        self.access_log = False
        self.default_headers = connection.server_state.default_headers
        self.message_event = asyncio.Event()
        self.on_response = connection.on_response_complete
        self.disconnected = False
        self.keep_alive = False  # see `Cycle.end`
        self.waiting_for_100_continue = connection.expect_100_continue
        self.body = bytearray()
        self.more_body = True
        self.response_started = self.response_complete = False
        self.chunked_encoding = None
        self.expected_content_length = 0

    def hear(self, piece: bytes) -> None:
        """Take a piece of the body."""
        if self.response_complete:
            return
        body: Any = self.body
        if not body:
            body = piece  # most come in one, which is not copied
        elif isinstance(body, bytes):
            body = bytearray(body) + piece
        else:
            body += piece
        self.body = body
        if len(body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        self.message_event.set()

    def end(self, *, keeps: bool) -> None:
        """Take note that the body is whole.

        Args:
            keeps: The connection may outlive the answer, unless that has begun and says something else.
        """
        if not self.response_started:
            self.keep_alive = keeps
        if not self.response_complete:
            self.more_body = False
            self.message_event.set()

    async def receive(self) -> Any:
        """Return what came of the body; see ASGI. What is whole is there at once, in the bytes that came."""
        event = self.message_event
        is_over = self.disconnected or self.response_complete
        if self.more_body or self.waiting_for_100_continue or is_over or not event.is_set():
            return await super().receive()
        event.clear()
        self.flow.resume_reading()
        body: Any = self.body
        self.body = bytearray()
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    async def send(self, message: Any) -> None:
        """Send what the application says; see ASGI, and `ANSWER`."""
        kind = message["type"]
        if kind == ANSWER and not self.response_started:
            await self._say(message["answer"])
            return
        if kind == "http.response.start" and not self.response_started:
            self._begun = message
            return
        begun, self._begun = self._begun, None
        if begun is not None:
            answer = self._whole(begun, message)
            if answer is not None:
                await self._say(answer)
                return
            await super().send(begun)
        await super().send(message)

    def _whole(self, begun: Any, message: Any) -> Answer | None:
        """Return an answer that two messages are all of; None: it has something that is left to uvicorn."""
        body, status = message.get("body", b""), begun["status"]
        if message["type"] != "http.response.body" or message.get("more_body") or self.scope["method"] == "HEAD":
            return None
        headers, length = list(begun.get("headers", ())), (b"content-length", b"%d" % len(body))
        if status in {204, 304}:
            if body:
                return None
        elif length in headers:
            headers.remove(length)
        else:
            return None
        own = tuple(headers)
        usual = own == JSON_TYPE or all(header in CLOSE or _HEADER.fullmatch(header[0]) for header in own)
        return Answer(status, own, body) if usual and is_fit(own) else None

    async def _say(self, answer: Answer) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        self.response_started = True
        if answer.headers is not JSON_TYPE or not self.keep_alive:
            answer, self.keep_alive = fitting(answer, keeps=self.keep_alive)
        self.transport.write(encode_answer(answer, self.default_headers))
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


class _Encoded:
    """Headers as ASGI has them, made when somebody asks: webhooks read them as text."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields = fields

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        return iter([(name.encode(), value.encode("latin-1")) for name, value in self._fields])


def scope_of(connection: HttpToolsProtocol) -> dict[str, Any]:
    """Return what the requests of a connection have in common."""
    return {
        "type": "http",
        "asgi": {"version": connection.asgi_version, "spec_version": "2.3"},
        "server": connection.server,
        "client": connection.client,
        "scheme": connection.scheme,
        "root_path": "",
    }


def cycle_of(connection: HttpToolsProtocol, fields: list[tuple[str, str]], named: dict[str, str], leave: Exit) -> Cycle:
    """Return the request whose head has just come on a connection.

    Args:
        connection: The connection; its parser and `url` are still about this request, `scope` is that of all.
        fields: The headers as text, names in lower case.
        named: The same by name.
        leave: Where its answer goes.
    """
    url = httptools.parse_url(connection.url)
    path = url.path.decode("ascii")
    method = connection.parser.get_method().decode("ascii")
    scope: Any = {
        **connection.scope,
        "http_version": connection.parser.get_http_version(),
        "method": method,
        "path": urllib.parse.unquote(path) if "%" in path else path,
        "raw_path": url.path,
        "query_string": url.query or b"",
        "headers": _Encoded(fields),
        "state": connection.app_state.copy(),
        "extensions": _NO_EXTENSIONS if method == "HEAD" else _EXTENSIONS,
        TEXTS: named if len(named) == len(fields) else tuple(fields),
    }
    return Cycle(connection, scope, leave)


def is_fit(headers: Headers) -> bool:
    """Tell whether the values of headers can be sent: data of a caller must not begin a line of its own."""
    return not any(_UNFIT.search(value) for _, value in headers)


def fitting(answer: Answer, *, keeps: bool) -> tuple[Answer, bool]:
    """Return an answer that can be sent and says whether it is the last, and whether it is not.

    Args:
        answer: The answer.
        keeps: The connection may outlive it, unless it says something else.
    """
    if not is_fit(answer.headers):
        answer = problem(500)
    if CLOSE[0] in answer.headers:
        return answer, False
    if keeps:
        return answer, True
    return Answer(answer.status, answer.headers + CLOSE, answer.body), False
