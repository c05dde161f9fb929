"""Bodies that were compressed on the way, for webhooks that ask for them: never longer than they may be.

Source: RFC 1952 (gzip), RFC 9110 section 8.4.1.3; RFC 7694 for how a server says what it takes.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import Final

from hooksd.web.body import Unreadable

GZIP: Final = "gzip"
ALIASES: Final = frozenset({GZIP, "x-gzip"})
"""Names of the coding (RFC 9110 section 8.4.1.3)."""
SMALL: Final = 16 * 1024
"""Bytes that are inflated at once; more of them take so long that it is done beside the event loop."""
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_MEMBERS: Final = 100


async def inflated(data: bytes, limit: int) -> bytes | None:
    """Return a body as it was before it was compressed; None when it is longer than `limit` bytes.

    Raises:
        Unreadable: It is not what gzip makes, or ends too early.
    """
    if len(data) <= SMALL and limit <= 1024 * SMALL:
        return inflate(data, limit)
    return await asyncio.to_thread(inflate, data, limit)


def inflate(data: bytes, limit: int) -> bytes | None:
    """Do what `inflated` does, here and now."""
    pieces: list[bytes] = []
    left = limit
    for _ in range(_MEMBERS):
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            piece = member.decompress(data, left + 1)
        except zlib.error as error:
            raise Unreadable("the body is not gzip, or it is damaged") from error
        if len(piece) > left:
            return None
        pieces.append(piece)
        left -= len(piece)
        if not member.eof:
            raise Unreadable("the body ends before its gzip data does")
        data = member.unused_data
        if not data:
            return b"".join(pieces)
    raise Unreadable(f"the body has more than {_MEMBERS} gzip members")
