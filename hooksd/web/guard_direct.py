"""The short way from a connection to a webhook: a plain request is answered without ASGI in between.

It saves what costs most once bodies are small: uvicorn's state of a request, two messages there and two back, and the
check of headers that are our own. The application's `answer` is the same function in both ways. Whatever is unusual
(another method, an encoded path, a large or chunked body, a request behind another one, a webhook that waits for its
workflow) goes the long way. `daemon.server` plugs this class in for the trigger listener.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, Protocol
from weakref import ref

from uvicorn.config import Config
from uvicorn.server import ServerState

from hooksd.config.snapshot import CompiledWebhook
from hooksd.web.answer import JSON_TYPE, Answer, encode_answer
from hooksd.web.guard import GuardedProtocol
from hooksd.web.guard_crowd import Crowd
from hooksd.web.guard_cycle import fitting
from hooksd.web.guard_refusal import BODY, is_host
from hooksd.web.origin import UNIX

LARGEST: Final = 32 * 1024
"""Bytes of the longest body that goes this way: far below what uvicorn reads before it pauses."""
_TOO_LARGE: Final = LARGEST + 1
_UNUSUAL: Final = frozenset({"expect", "transfer-encoding", "upgrade"})
_TELLING: Final = _UNUSUAL | {"connection", "proxy-connection"}
"""Headers that most requests lack: one look tells that there is nothing more to ask."""
_NO_HOST: Final = " "


class Application(Protocol):
    """What answers: `web.trigger.TriggerApp`."""

    def webhook_at(self, path: str) -> CompiledWebhook | None:
        """Return the webhook at a path."""
        ...

    def begin_answer(
        self,
        webhook: CompiledWebhook,
        headers: dict[str, str],
        query: str,
        body: bytes,
        peer: str,
        say: Callable[[Answer], None],
    ) -> Coroutine[Any, Any, None] | None:
        """Call `say` with the answer, now or later; what is returned has to be done first."""
        ...


class _Unheard:
    """Stands in for an event that nobody waits for."""

    __slots__ = ()

    def set(self) -> None:
        """Wake nobody."""


class _Plain:
    """The plain request of a connection, of which there is one at a time, with all that uvicorn and the guard ask."""

    __slots__ = ("body", "disconnected", "keep_alive", "query", "response_complete", "size", "webhook")

    message_event: Final = _Unheard()
    response_started: Final = False  # this is asked while the body comes, and no answer begins before it is whole

    def __init__(self) -> None:
        self.webhook: CompiledWebhook
        self.query = ""
        self.size = 0  # that the body will have
        self.body = b""
        self.keep_alive = True
        self.disconnected = self.response_complete = False

    def hear(self, piece: bytes) -> None:
        """Take a piece of the body; most come in one, which is not copied."""
        self.body += piece


def _forget(protocol: ref[GuardedProtocol], size: int) -> None:
    if (alive := protocol()) is not None:
        alive.forget(size)


class DirectProtocol(GuardedProtocol):
    """One connection of callers."""

    __slots__ = ("_application", "_plain")

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        crowd: Crowd,
        application: Application,
    ) -> None:
        """Begin without a connection; uvicorn calls it.

        Args:
            config: uvicorn's.
            server_state: uvicorn's.
            app_state: uvicorn's.
            crowd: All connections of this listener.
            application: What answers plain requests; the same as uvicorn has.
        """
        super().__init__(config, server_state, app_state, _loop, crowd=crowd)
        self._application = application
        self._plain = _Plain()

    def on_headers_complete(self) -> None:
        """Take a plain request; leave any other to the guard and to uvicorn."""
        named = dict(self.fields)
        target, _, query = self.url.decode("latin-1").partition("?")
        size = self._plain_size(named, query)
        webhook = self._application.webhook_at(target) if size is not None else None
        if webhook is None or webhook.wait is not None:
            super().on_headers_complete()
            return
        request: Any = self._plain
        request.webhook, request.query, request.size = webhook, query, size
        request.response_complete = False
        self.cycle = request  # it has all of a cycle that is used
        self.named = named
        self._keeps = True
        self._phase = BODY
        self._owed = 1

    def _plain_size(self, named: dict[str, str], query: str) -> int | None:
        """Return the bytes of the body of a request that says nothing unusual, if it is for a webhook; None: it does.

        `check_head` would let it through.
        """
        parser = self.parser
        is_plain = (
            not self._owed
            and len(named) == len(self.fields)
            and self._wire + self._read <= self.limits.head_bytes
            and is_host(named.get("host", _NO_HOST))
            and parser.get_method() == b"POST"
            and parser.should_keep_alive()
            # Without a word about it, only HTTP/1.1 keeps connections.
            and (_TELLING.isdisjoint(named) or (_UNUSUAL.isdisjoint(named) and parser.get_http_version() == "1.1"))
            and (not query or ("#" not in query and query.isascii()))
        )
        # The parser lets no other text through.
        size = int(named.get("content-length", _TOO_LARGE)) if is_plain else _TOO_LARGE
        return size if size <= LARGEST else None

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body; one that is whole at once is not among those that wait in memory."""
        request = self._plain
        cycle: object = self.cycle
        if cycle is request and len(body) == request.size:
            request.body = body
        else:
            super().on_body(body)

    def begin_answer(self) -> None:
        """Leave a request to uvicorn; what is on the disk of a form need not count."""
        super().begin_answer()
        if self.named.get("content-type", "").startswith("multipart/"):
            scope: Any = self.cycle.scope
            scope["hooksd.forget"] = partial(_forget, ref(self))  # no circle through the request

    def end_request(self) -> None:
        """End a request; a plain one is answered now."""
        request = self._plain
        cycle: object = self.cycle
        if cycle is not request:
            super().end_request()
            return
        request.keep_alive = self._keeps
        body, request.body = request.body, b""  # what is not needed any more does not wait for the answer
        work = self._application.begin_answer(
            request.webhook, self.named, request.query, body, self.address or UNIX, self._say
        )
        if work is not None:
            self._do(work)

    def _say(self, answer: Answer) -> None:
        """Send the answer to the plain request."""
        request = self._plain
        if request.disconnected:
            return
        if self.flow.write_paused:
            self._do(self._say_later(answer))
            return
        if answer.headers is not JSON_TYPE or not request.keep_alive:
            answer, request.keep_alive = fitting(answer, keeps=request.keep_alive)
        self._exit.write(encode_answer(answer, self.server_state.default_headers))
        request.response_complete = True
        if not request.keep_alive:
            self._exit.close()
        self.on_response_complete()

    async def _say_later(self, answer: Answer) -> None:
        await self.flow.drain()
        self._say(answer)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
