"""An answer to an HTTP request, as a value that knows no server."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import orjson
from msgspec import Struct
from starlette.types import Send

from hooksd.model.base import Json

Headers = tuple[tuple[bytes, bytes], ...]
"""Names in lower case and values, as ASGI sends them."""

PHRASES: Final = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    422: "Unprocessable Entity",
}
"""What statuses are called, whatever the version of Python calls them: 3.13 has taken the words of RFC 9110."""

# What uvicorn writes for answers that go the long way: nobody reads the words, but they must not tell the ways apart.
_WORDS: Final = {status.value: status.phrase for status in HTTPStatus}
_STATUS_LINES: Final = {
    status: f"HTTP/1.1 {status} {_WORDS.get(status, '')}\r\n".encode() for status in range(100, 600)
}

JSON_TYPE: Final[Headers] = ((b"content-type", b"application/json"),)

ANSWER: Final = "hooksd.answer"
"""A type of message that ASGI does not know: `answer` is the whole answer. A server that takes it says so under
`extensions` of the scope."""


class Answer(Struct, frozen=True):
    """What the caller gets. `content-length` is added when it is sent."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of a header; `name` in lower case."""
        wanted = name.encode()
        return next((value.decode("latin-1") for key, value in self.headers if key == wanted), None)


def json_answer(status: int, value: Json, headers: Headers = ()) -> Answer:
    """Answer with a JSON value."""
    return Answer(status=status, headers=JSON_TYPE + headers, body=orjson.dumps(value))


def encode_answer(answer: Answer, headers: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
    """Write an answer as HTTP/1.1 does, where no ASGI server does it.

    Args:
        answer: The answer; its headers are the daemon's own, so they are not checked for line breaks.
        headers: Sent before those of the answer, like Date.
    """
    body = answer.body
    return _head(answer.status, tuple(headers), answer.headers, len(body)) + body


@functools.lru_cache(maxsize=64)
def _head(status: int, before: Headers, own: Headers, size: int) -> bytes:
    """Write all but the body. Most answers have the same head, until the server's part changes once a second."""
    lines = [_STATUS_LINES[status], *[b"%b: %b\r\n" % header for header in before + own]]
    if status not in {204, 304}:  # RFC 9110 section 8.6: no content, no content-length
        lines.append(b"content-length: %d\r\n" % size)
    return b"".join([*lines, b"\r\n"])


async def send_answer(answer: Answer, send: Send) -> None:
    """Send an answer to an ASGI server in two messages."""
    headers: Sequence[tuple[bytes, bytes]] = (*answer.headers, (b"content-length", b"%d" % len(answer.body)))
    if answer.status in {204, 304}:
        headers = answer.headers  # RFC 9110 section 8.6: no content, no content-length
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
