"""The body of a request: read within a limit, and parsed without trusting it."""

from __future__ import annotations

import orjson
from starlette.types import Receive

from hooksd.model import body
from hooksd.model.base import Json

MAX_DEPTH = 100
"""How deep lists and maps may nest. Deeper data could be read once and never written or read again: the log wraps
it in a record, workflows wrap it in an event, and the JSON library stops at 254 levels when it writes."""


class Disconnected(Exception):
    """The caller went away before the end of the body."""


class Unreadable(Exception):
    """The body is not what its media type says. The message says where; it is for the caller."""


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """Return the whole body, or None as soon as it is longer than `limit` bytes.

    Raises:
        Disconnected: The caller went away before the end.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            return None
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


def parse_body(media: str, raw: bytes) -> Json:
    """Read a body as `hooksd.model.body.parse` does, within limits.

    Raises:
        Unreadable: The bytes are not what the media type says, or nest too deep.
    """
    return check_body(media, raw).value


def check_body(media: str, raw: bytes) -> body.Document:
    """Check a body as `hooksd.model.body.read` does, within limits.

    Raises:
        Unreadable: The bytes are not what the media type says, or nest too deep.
    """
    try:
        return body.read(media, raw, MAX_DEPTH)
    except UnicodeDecodeError as error:
        raise Unreadable(f"the body is not UTF-8 at byte {error.start}") from error
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"the body is not JSON: {error}") from error
    except body.TooDeep as error:
        raise Unreadable(f"the body nests lists and maps deeper than {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise Unreadable(f"the body cannot be read as {media}: {error}") from error
