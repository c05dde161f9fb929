"""uvicorn as a guest in our event loop: our sockets, our signals, our way to stop. Called by `daemon.lifecycle`."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from hooksd.web.answer import send_answer
from hooksd.web.guard_crowd import Crowd, Report
from hooksd.web.guard_direct import DirectProtocol
from hooksd.web.guard_limits import GuardReason, Limits
from hooksd.web.guard_local import LocalProtocol
from hooksd.web.problem import unavailable
from hooksd.web.trigger import TriggerApp

FINISH = 10.0
"""Seconds that requests under way get when the daemon stops."""


class _Guest(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.opened = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell at once when the doors are open: callers may have waited for them in a socket of systemd's."""
        await super().startup(sockets)
        self.opened.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `daemon.lifecycle`."""
        yield


class Listener:
    """Serves one application on its sockets until it is told to stop."""

    def __init__(
        self,
        app: ASGIApp,
        sockets: Sequence[socket.socket],
        *,
        limits: Limits | None = None,
        report: Report | None = None,
        finish: float = FINISH,
    ) -> None:
        """Prepare to serve.

        Args:
            app: The application.
            sockets: Bound and listening; they are closed at the end.
            limits: What callers may take. Default: those of `Limits`.
            report: Told of requests that are refused before they reach the application. Default: nobody.
            finish: Seconds that requests under way get at the end.
        """
        self._sockets = list(sockets)
        self._crowd = Crowd(_affordable(limits or Limits()), report or _untold)
        protocol: Any = partial(LocalProtocol, crowd=self._crowd)  # uvicorn only calls it
        if isinstance(app, TriggerApp):
            protocol = partial(DirectProtocol, crowd=self._crowd, application=app)
        self._server = _Guest(
            uvicorn.Config(
                _to_the_end(app),
                http=protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=max(1, int(finish)),
            )
        )

    async def opened(self) -> None:
        """Return when requests are answered."""
        await self._server.opened.wait()

    async def serve(self) -> None:
        """Answer requests until `stop` was called and those under way have ended."""
        async with asyncio.TaskGroup() as group:
            sweeping = group.create_task(self._crowd.run(), name="time limits of connections")
            try:
                await self._server.serve(sockets=self._sockets)
            finally:
                sweeping.cancel()

    def stop(self) -> None:
        """Accept no further connection and let `serve` end."""
        self._server.should_exit = True

    def stop_now(self) -> None:
        """Like `stop`, without waiting for requests under way."""
        self._server.should_exit = True
        self._server.force_exit = True
        while self._server.servers:  # since Python 3.12 asyncio's wait for their connections, and uvicorn for them
            self._server.servers.pop().close()


def _to_the_end(app: ASGIApp) -> ASGIApp:
    """Return an application that answers even where uvicorn ends it, because the daemon cannot wait any longer."""

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            with contextlib.suppress(RuntimeError):  # the answer has begun, and ends here
                await send_answer(unavailable("the daemon stops; send the same request again later"), send)

    return answering


def _affordable(limits: Limits) -> Limits:
    """Return limits under which half of the file descriptors stay free for the log, programs and deliveries."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return limits
    return replace(limits, connections=max(1, min(limits.connections, soft // 2)))


def _untold(*, webhook: str | None, reason: GuardReason, status: int, peer: str) -> None:
    """Count nothing."""
