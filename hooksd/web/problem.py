"""Errors as problem documents. They say what is wrong and what to do; of a failed authentication they say nothing.

Source: RFC 9457.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from hooksd.model.base import Json
from hooksd.web.answer import PHRASES, Answer, Headers

PROBLEM_TYPE: Final[Headers] = ((b"content-type", b"application/problem+json"),)

FULL: Final = "nothing can be written now; send the same request again later"
"""What a caller is told whose event cannot be made durable."""

RETRY_AFTER_SECONDS: Final = 5
"""What a 503 asks callers to wait: long enough to free room, short enough for callers who do not queue."""

RETRY_AFTER: Final[Headers] = ((b"retry-after", b"%d" % RETRY_AFTER_SECONDS),)

CLOSE: Final[Headers] = ((b"connection", b"close"),)
"""Sent where the rest of a body is not read, so that no later request is looked for in it."""


def problem(
    status: int, detail: str | None = None, *, headers: Headers = (), more: Mapping[str, Json] | None = None
) -> Answer:
    """Build a problem answer.

    Args:
        status: The HTTP status; its standard phrase is the title.
        detail: What is wrong here and what to do, for people.
        headers: Added to the answer.
        more: Members beside the standard ones (RFC 9457 section 3.2).
    """
    document: dict[str, Json] = {"type": "about:blank", "title": PHRASES[status], "status": status}
    if detail is not None:
        document["detail"] = detail
    document.update(more or {})
    return Answer(status=status, headers=PROBLEM_TYPE + headers, body=orjson.dumps(document))


def unavailable(detail: str) -> Answer:
    """Refuse because nothing can be made durable now; the caller should send the same again."""
    return problem(503, detail, headers=RETRY_AFTER)
