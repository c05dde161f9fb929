"""uvicorn as a guest in our event loop: our sockets, our signals, our way to stop. Called by `daemon.lifecycle`."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence

import uvicorn
from starlette.types import ASGIApp

KEEP_ALIVE = 75.0
"""Seconds an idle connection is kept: longer than the 60 s of common proxies, so that they never meet a closed one."""
FINISH = 10.0
"""Seconds that requests under way get when the daemon stops."""


class _Guest(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `daemon.lifecycle`."""
        yield


class Listener:
    """Serves one application on its sockets until it is told to stop."""

    def __init__(self, app: ASGIApp, sockets: Sequence[socket.socket], *, finish: float = FINISH) -> None:
        """Prepare to serve.

        Args:
            app: The application.
            sockets: Bound and listening; they are closed at the end.
            finish: Seconds that requests under way get at the end.
        """
        self._sockets = list(sockets)
        self._server = _Guest(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=int(KEEP_ALIVE),
                timeout_graceful_shutdown=max(1, int(finish)),
            )
        )

    @property
    def is_open(self) -> bool:
        """Tell whether requests are answered."""
        return self._server.started

    async def serve(self) -> None:
        """Answer requests until `stop` was called and those under way have ended."""
        await self._server.serve(sockets=self._sockets)

    def stop(self) -> None:
        """Accept no further connection and let `serve` end."""
        self._server.should_exit = True

    def stop_now(self) -> None:
        """Like `stop`, without waiting for requests under way."""
        self._server.should_exit = True
        self._server.force_exit = True
