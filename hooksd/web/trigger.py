"""The trigger listener: one dictionary lookup on the path, and only where no webhook is does Starlette's router look.

A route for each webhook would be searched one by one: slower with every definition. Nothing on this path logs, reads a
file or starts a task.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import lru_cache, partial
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from hooksd.auth.request import Headers, Inbound
from hooksd.clock import Clock
from hooksd.config.snapshot import CompiledWebhook, Snapshot
from hooksd.errors import JournalError
from hooksd.model.webhook import UUID, uuid_digest
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer
from hooksd.web.answer import ANSWER, Answer, send_answer
from hooksd.web.body import Disconnected, read_body
from hooksd.web.guard_cycle import TEXTS
from hooksd.web.handover import Outcome, Promise
from hooksd.web.health import health_app
from hooksd.web.multipart import MULTIPART, Oversized
from hooksd.web.origin import Proxies
from hooksd.web.problem import problem
from hooksd.web.receive import Head, Receiver
from hooksd.web.refusals import Refusals

Say = Callable[[Answer], None]
Work = Coroutine[Any, Any, None]

_DIGITS = 19
"""A `content-length` this long is no length: reading stops at the webhook's limit instead."""


class TriggerApp:
    """Answers callers of webhooks, and whoever asks after the health of the daemon."""

    def __init__(  # noqa: PLR0913 - what it works with, each by name
        self,
        *,
        receiver: Receiver,
        refusals: Refusals,
        current: Callable[[], Snapshot],
        unready: Callable[[], Sequence[str]],
        public_url: str | None,
        clock: Clock,
        observer: Observer,
        proxies: Proxies | None = None,
    ) -> None:
        """Take what it works with.

        Args:
            receiver: Receives requests for webhooks.
            refusals: Where requests for no webhook are counted.
            current: Returns the definitions in force.
            unready: Returns why the daemon cannot take requests now; nothing: it can.
            public_url: The URL that callers use, for schemes that sign it; None: not known.
            clock: Measures requests.
            observer: Told of every answer.
            proxies: Who may say where a request comes from. Default: nobody.
        """
        self._proxies = proxies
        self._receiver = receiver
        self._refusals = refusals
        self._current = current
        self._elsewhere = health_app(unready=unready, unknown=self._unknown)
        self._public_url = public_url.rstrip("/") if public_url else None
        self._monotonic = clock.monotonic
        self._observer = observer
        self._count = observer.metrics.request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        webhook = self.webhook_at(scope["path"]) or self._unguessable(scope)
        if webhook is None:
            await self._elsewhere(scope, receive, send)
            return
        began = self._monotonic()
        try:
            outcome = await self._outcome(webhook, scope, receive)
        except Disconnected:
            return
        except Exception as error:  # noqa: BLE001 - the problem handler: callers never see an error of ours
            outcome = self._failed(webhook, scope["method"], error)
        said: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if (work := self._answer(webhook, scope["method"], outcome, began, partial(_say, said))) is not None:
            await work
        answer = await said
        if ANSWER in scope.get("extensions", ()):
            await send({"type": ANSWER, "answer": answer})
        else:
            await send_answer(answer, send)

    def webhook_at(self, path: str) -> CompiledWebhook | None:
        """Return the webhook at a path: one lookup, however many there are."""
        return self._current().by_path.get(path)

    def _unguessable(self, scope: Scope) -> CompiledWebhook | None:
        """Return the webhook that the query parameter `uuid` leads to. What is wrong leads nowhere, like any path."""
        known = self._current().by_uuid
        if not known or b"uuid=" not in scope["query_string"]:
            return None
        given = parse_qsl(scope["query_string"].decode("latin-1"), errors="replace")
        said = [value for name, value in given if name == UUID]
        return known.get((scope["path"], uuid_digest(said[0]))) if len(said) == 1 else None

    def begin_answer(
        self, webhook: CompiledWebhook, headers: dict[str, str], query: str, body: bytes, peer: str, say: Say
    ) -> Work | None:
        """Answer a plain POST whose body is there, without a task if nothing but the disk has to be waited for.

        Args:
            webhook: The webhook at its path; it has no `wait`.
            headers: All of them, none came twice; names in lower case, values without surrounding white space.
            query: As received, without the question mark.
            body: The whole body.
            peer: The address of the connection.
            say: Called once with the answer: now, or when the event is durable.

        Returns:
            What has to be done before `say` can be called, where something must be stored first.
        """
        began = self._monotonic()
        outcome: Outcome | None = None
        try:
            if self._proxies is not None:
                peer = self._proxies.caller(peer, tuple(headers.items()))
            media = plain_media(webhook, headers, len(body))
            if media is None:
                head = head_of("POST", headers)._replace(length=len(body))
                media, outcome = head.media, self._receiver.screen(webhook, head, peer)
            if outcome is None:
                request = Inbound(
                    method="POST",
                    path=webhook.path,
                    query_string=query,
                    headers=headers,
                    body=body,
                    media=media,
                    url=None if self._public_url is None else self._url(webhook.path, query),
                )
                outcome = self._receiver.take(webhook, request, peer)
        except Exception as error:  # noqa: BLE001 - see `__call__`
            outcome = self._failed(webhook, "POST", error)
        return self._answer(webhook, "POST", outcome, began, say)

    def _answer(self, webhook: CompiledWebhook, method: str, outcome: Outcome, began: float, say: Say) -> Work | None:
        """Call `say` once with the answer: now, when the event is durable, or when what is returned is done."""
        if isinstance(outcome, Promise) and webhook.wait is None:
            outcome.taken.durable.then(partial(self._end_answer, webhook, method, outcome, began, say))
        elif isinstance(outcome, Answer):
            self._tell(webhook, outcome, began, say)
        else:
            return self._finish(webhook, method, outcome, began, say)
        return None

    def _end_answer(
        self,
        webhook: CompiledWebhook,
        method: str,
        promise: Promise,
        began: float,
        say: Say,
        error: JournalError | None,
    ) -> None:
        try:
            answer = self._receiver.kept(webhook, promise, error)
        except Exception as bug:  # noqa: BLE001 - see `__call__`
            answer = self._failed(webhook, method, bug)
        self._tell(webhook, answer, began, say)

    async def _finish(self, webhook: CompiledWebhook, method: str, outcome: Outcome, began: float, say: Say) -> None:
        try:
            answer = await self._receiver.finish(webhook, outcome)
        except Exception as error:  # noqa: BLE001 - see `__call__`
            answer = self._failed(webhook, method, error)
        self._tell(webhook, answer, began, say)

    def _failed(self, webhook: CompiledWebhook, method: str, error: Exception) -> Answer:
        self._observer.emit(happenings.RequestFailed(method=method, path=webhook.path, exc_info=error))
        return problem(500, "hooksd made an error; its log says more")

    def _tell(self, webhook: CompiledWebhook, answer: Answer, began: float, say: Say) -> None:
        self._count(webhook.name, answer.status, self._monotonic() - began)
        say(answer)

    async def _outcome(self, webhook: CompiledWebhook, scope: Scope, receive: Receive) -> Outcome:
        """Take a request whose body is still to be read.

        Raises:
            Disconnected: The caller went away before the end of the body.
        """
        headers = _texts(scope)
        peer = self._peer(scope, headers)
        media: str | None = None
        if scope["method"] == "POST" and isinstance(headers, dict):
            media = plain_media(webhook, headers, length_of(headers))
        if media is None or media == MULTIPART:
            return await self._unusual(webhook, scope, receive, headers, peer)
        body = await read_body(receive, webhook.limit)
        if body is None:
            return self._receiver.too_large(webhook, peer)
        return self._receiver.take(webhook, self._inbound(scope, media, headers, body), peer)

    async def _unusual(
        self,
        webhook: CompiledWebhook,
        scope: Scope,
        receive: Receive,
        headers: Headers | dict[str, str],
        peer: str,
    ) -> Outcome:
        """Take a request whose head needs a closer look.

        Raises:
            Disconnected: The caller went away before the end of the body.
        """
        head, limit = head_of(scope["method"], headers), webhook.limit
        if (refused := self._receiver.screen(webhook, head, peer)) is not None:
            return refused
        if head.media == MULTIPART and not webhook.reads_body and not head.coding:
            pieces = _pieces(scope, receive, limit)
            return await self._receiver.stream(webhook, self._inbound(scope, head.media, headers, b""), pieces, peer)
        body = await read_body(receive, limit)
        if body is None:
            return self._receiver.too_large(webhook, peer)
        if head.length is None:
            head = head._replace(length=len(body))
            if (refused := self._receiver.unfit(webhook, head, peer)) is not None:
                return refused
        return self._receiver.take(webhook, self._inbound(scope, head.media, headers, body), peer)

    def _inbound(self, scope: Scope, media: str, headers: Headers | dict[str, str], body: bytes) -> Inbound:
        path, query = scope["path"], scope["query_string"].decode("latin-1")
        return Inbound(
            method=scope["method"],
            path=path,
            query_string=query,
            headers=headers,
            body=body,
            media=media,
            url=self._url(path, query),
        )

    def _url(self, path: str, query: str) -> str | None:
        if self._public_url is None:
            return None
        return f"{self._public_url}{path}?{query}" if query else f"{self._public_url}{path}"

    def _peer(self, scope: Scope, headers: Headers | dict[str, str]) -> str:
        peer = peer_of(scope)
        if self._proxies is None:
            return peer
        return self._proxies.caller(peer, tuple(headers.items()) if isinstance(headers, dict) else headers)

    def _unknown(self, request: Request) -> None:
        peer = self._peer(request.scope, _texts(request.scope))
        self._refusals.add(webhook=None, reason="unknown_path", status=404, peer=peer)


async def _pieces(scope: Scope, receive: Receive, limit: int) -> AsyncIterator[bytes]:
    """Yield a body as it comes, within a limit.

    What was yielded is on the disk or forgotten when the next piece is asked for: it counts no longer among the bodies
    in memory, of which `web.guard` bounds the sum.
    """
    forget: Callable[[int], None] = scope.get("hooksd.forget", _keep)
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Disconnected
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise Oversized(f"the body may have at most {limit} bytes")
        yield piece
        forget(len(piece))
        more = message.get("more_body", False)


def _say(said: asyncio.Future[Answer], answer: Answer) -> None:
    """Tell the answer, if somebody still waits for it."""
    if not said.done():
        said.set_result(answer)


def _keep(size: int) -> None:
    """Count what nobody counts."""


def peer_of(scope: Scope) -> str:
    """Return the address a request came from, without the port."""
    client = scope.get("client")
    return str(client[0]) if client else "unix"


def _texts(scope: Scope) -> Headers | dict[str, str]:
    """Return the headers of a request as text; `web.guard` has made it already."""
    texts: Headers | dict[str, str] | None = scope.get(TEXTS)
    if texts is not None:
        return texts
    return tuple([(name.decode("latin-1"), value.decode("latin-1").strip(" \t")) for name, value in scope["headers"]])


@lru_cache(maxsize=64)
def media_of(content_type: str) -> str:
    """Return the media type in a `content-type`: in lower case, without parameters. Most callers say the same."""
    return content_type.partition(";")[0].strip().lower()


def plain_media(webhook: CompiledWebhook, headers: dict[str, str], length: int | None) -> str | None:
    """Return the media type of a POST that `Receiver.screen` would let through; None: ask it, nothing is said yet.

    Args:
        webhook: The webhook.
        headers: Those of the request.
        length: Bytes of its body; None: nobody knows yet.
    """
    if length is None or length > webhook.limit:
        return None
    media = media_of(headers.get("content-type", ""))
    return media if media in webhook.plain and "content-encoding" not in headers else None


def length_of(named: dict[str, str]) -> int | None:
    """Return the bytes of a body; None when its head does not say."""
    if "transfer-encoding" in named:
        return None
    said = named.get("content-length", "0")
    return int(said) if said.isascii() and said.isdigit() and len(said) < _DIGITS else None


def head_of(method: str, headers: Headers | dict[str, str]) -> Head:
    """Read what decides about a request before its body is there."""
    named = headers if isinstance(headers, dict) else _first_values(headers)
    media, coding = media_of(named.get("content-type", "")), named.get("content-encoding", "").lower()
    return Head(method, media, coding, length_of(named))


def _first_values(headers: Headers) -> dict[str, str]:
    """Return headers by name: of those that came twice, the first that says something."""
    named = dict(headers)
    named.update((name, value) for name, value in reversed(headers) if value)
    return named
