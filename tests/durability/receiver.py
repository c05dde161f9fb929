"""Somebody who receives deliveries and writes down what came, and answers the questions of `http` steps."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import orjson


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a caller that is killed leaves broken connections."""


class Receiver:
    """An HTTP server in threads of its own. `with` it."""

    def __init__(self, *, stumbles: bool = True) -> None:
        """Prepare it.

        Args:
            stumbles: Answer 409 to the first request of every delivery, so that each one is tried again. It says that
                the receiver works: one that fails and fails would be left alone for longer than a test waits.
        """
        self._stumbles = stumbles
        self._lock = threading.Lock()
        self._answers: dict[str, Counter[int]] = defaultdict(Counter)
        self._ids: dict[int, set[str]] = defaultdict(set)
        handler = type("Handler", (_Handler,), {"receiver": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def received(self, identifier: str, number: int) -> int:
        """Note one request and return the status to answer."""
        with self._lock:
            self._ids[number].add(identifier)
            status = 409 if self._stumbles and not self._answers[identifier] else 200
            self._answers[identifier][status] += 1
            return status

    @property
    def ids(self) -> dict[int, set[str]]:
        """The `webhook-id`s that came, for each number that was sent."""
        with self._lock:
            return {number: set(ids) for number, ids in self._ids.items()}

    @property
    def again(self) -> dict[str, int]:
        """How many requests of each delivery came although it had been answered 200."""
        with self._lock:
            return {identifier: max(0, answers[200] - 1) for identifier, answers in self._answers.items()}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def do_GET(self) -> None:
        self._answer(200)

    def do_POST(self) -> None:
        body = orjson.loads(self.rfile.read(int(self.headers["content-length"])))
        self._answer(self.receiver.received(self.headers["webhook-id"], int(body["number"])))

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass
