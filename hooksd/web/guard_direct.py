"""The short way from a connection to a webhook: a plain request is answered without ASGI in between.

It saves what costs most once bodies are small: uvicorn's state of a request, two messages there and two back, and the
check of headers that are our own. The application's `answer` is the same function in both ways. Whatever is unusual
(another method, an encoded path, a large or chunked body, a request behind another one, a webhook that waits for its
workflow) goes the long way. `daemon.server` plugs this class in for the trigger listener.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, Protocol
from weakref import ref

from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.server import ServerState

from hooksd.config.snapshot import CompiledWebhook
from hooksd.web.answer import JSON_TYPE, Answer, encode_answer
from hooksd.web.guard import GuardedProtocol
from hooksd.web.guard_crowd import Crowd
from hooksd.web.problem import CLOSE, problem

LARGEST: Final = 32 * 1024
"""Bytes of the longest body that goes this way: far below what uvicorn reads before it pauses."""
_DIGITS: Final = 6
_UNFIT = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class Application(Protocol):
    """What answers: `web.trigger.TriggerApp`."""

    def webhook_at(self, path: str) -> CompiledWebhook | None:
        """Return the webhook at a path."""
        ...

    def begin_answer(
        self, webhook: CompiledWebhook, scope: Scope, body: bytes, say: Callable[[Answer], None]
    ) -> Coroutine[Any, Any, None] | None:
        """Call `say` with the answer, now or later; what is returned has to be done first."""
        ...


class _Unheard:
    """Stands in for an event that nobody waits for: the answer begins when the request is whole."""

    __slots__ = ()

    def set(self) -> None:
        """Wake nobody."""


_UNHEARD: Final = _Unheard()


class _Request:
    """A plain request under way, with everything that uvicorn and the guard ask of one."""

    __slots__ = (
        "body", "disconnected", "keep_alive", "message_event", "more_body", "response_complete", "response_started",
        "scope", "transport", "webhook",
    )  # fmt: skip

    def __init__(self, webhook: CompiledWebhook, scope: Scope) -> None:
        self.webhook = webhook
        self.scope = scope
        self.body = b""
        self.keep_alive = True
        self.disconnected = self.response_complete = self.response_started = False
        self.more_body = True
        self.message_event = _UNHEARD
        self.transport: Any = None


def _forget(protocol: ref[GuardedProtocol], size: int) -> None:
    if (alive := protocol()) is not None:
        alive.forget(size)


class DirectProtocol(GuardedProtocol):
    """One connection of callers."""

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

    def begin_answer(self) -> None:
        """Take a plain request; leave any other to uvicorn."""
        before: Any = self.cycle  # None at first
        if (before is None or before.response_complete) and self._is_plain():
            target, _, query = self.url.partition(b"?")
            path = target.decode("ascii")
            webhook = self._application.webhook_at(path)
            if webhook is not None and webhook.value.wait is None:
                request: Any = _Request(webhook, self._described(path, query))
                self.cycle = request  # it has all of a cycle that is used
                return
        super().begin_answer()
        if self.named.get(b"content-type", b"").startswith(b"multipart/"):
            scope: Any = self.cycle.scope
            scope["hooksd.forget"] = partial(_forget, ref(self))  # no circle through the request

    def _is_plain(self) -> bool:
        parser, url, headers = self.parser, self.url, self.named
        if parser.get_method() != b"POST" or parser.get_http_version() != "1.1" or not parser.should_keep_alive():
            return False
        if self.expect_100_continue or url[:1] != b"/" or b"%" in url or b"#" in url or not url.isascii():
            return False
        length = headers.get(b"content-length", b"")
        return (
            length.isdigit()
            and len(length) < _DIGITS
            and int(length) <= LARGEST
            and b"transfer-encoding" not in headers
            and b"upgrade" not in headers
        )

    def _described(self, path: str, query: bytes) -> Scope:
        return {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": query,
            "headers": self.headers,
            "client": self.client,
        }

    def keep(self, body: bytes) -> None:
        """Take a piece of a body; most come in one, which is not copied."""
        request: object = self.cycle
        if isinstance(request, _Request):
            request.body += body
        else:
            super().keep(body)

    def end_request(self) -> None:
        """End a request; a plain one is answered now."""
        request: object = self.cycle
        if not isinstance(request, _Request):
            super().end_request()
        elif not request.response_complete:
            request.more_body = False
            request.response_started = True
            scope, body = request.scope, request.body
            request.scope, request.body = {}, b""  # what is not needed any more does not wait for the answer
            work = self._application.begin_answer(request.webhook, scope, body, partial(self._say, request))
            if work is not None:
                self._do(work)

    def _say(self, request: _Request, answer: Answer) -> None:
        if request.disconnected:
            return
        if self.flow.write_paused:
            self._do(self._say_later(request, answer))
        else:
            self._send(request, answer)

    async def _say_later(self, request: _Request, answer: Answer) -> None:
        await self.flow.drain()
        if not request.disconnected:
            self._send(request, answer)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _send(self, request: _Request, answer: Answer) -> None:
        if answer.headers is not JSON_TYPE and any(_UNFIT.search(value) for _, value in answer.headers):
            answer = problem(500)  # uvicorn would refuse it too: data of a caller must not begin a line of its own
        if CLOSE[0] in answer.headers:
            request.keep_alive = False
        elif not request.keep_alive:
            answer = Answer(status=answer.status, headers=answer.headers + CLOSE, body=answer.body)
        request.transport.write(encode_answer(answer, self.server_state.default_headers))
        request.response_complete = True
        if not request.keep_alive:
            request.transport.close()
        self.on_response_complete()
