"""What one caller, and all of them together, may take of a listener before a request is even known.

`web.guard` enforces these on connections, `web.guard_crowd` on all of them; `daemon.server` makes them from settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

GuardReason = Literal["malformed", "head_too_large", "slow", "pipelined", "crowded"]
"""Why a request was refused before it was known what it asks for."""

MAX_TARGET: Final = 8192
"""Bytes of a request target, path and query: what RFC 9110 section 4.1 asks servers to take at least."""
MAX_WAITING: Final = 16
"""Requests that may wait on one connection for the answer to the one before them. Each costs memory, and a caller can
put ten thousand of them into one packet."""
MAX_UNREAD: Final = 16 * 1024
"""Bytes of answers that wait in memory for one caller to read; no more are made before."""
BODY_RATE: Final = 16 * 1024
"""Bytes in a second that add to the time a body may take: 10 MiB may take eleven minutes, one byte a second nothing."""
FREE_PIECES: Final = 1024
"""Pieces of any size in which a body may arrive; beyond these they must hold `LEAST_PIECE` bytes on average."""
LEAST_PIECE: Final = 64
"""Bytes. A body of chunks of one byte costs a hundred times the work of the same body in one."""
WIRE_RATIO: Final = 4
"""Bytes that may arrive for one byte of a body. More are chunk extensions, which mean nothing here."""
WIRE_SLACK: Final = 64 * 1024
"""Bytes that may arrive beyond `WIRE_RATIO`."""
LINGER: Final = 2.0
"""Seconds in which a refused caller may go on sending before the connection is cut. Cut at once, the answer would be
lost: the kernel resets a connection that is closed with unread data (RFC 9112 section 9.6)."""

LINGER_BYTES: Final = 256 * 1024
"""Bytes that are read from a refused caller meanwhile; then it meets a full window, and can send no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one listener. `docs/settings.md` explains those that are settings."""

    connections: int = 512
    """Connections at once. When all are taken, one that waits for its caller is closed for a new one."""
    connections_per_address: int = 256
    """Connections at once from one address. This machine's own are not counted: a proxy here speaks for many."""
    header_timeout: float = 10.0
    """Seconds from the first byte of a request, or from connecting, to the end of its headers."""
    body_timeout: float = 20.0
    """Seconds for a body, and one more for every `BODY_RATE` bytes that have arrived."""
    write_timeout: float = 20.0
    """Seconds in which a caller must read what is sent before more is sent."""
    idle_timeout: float = 75.0
    """Seconds between requests: longer than the 60 s of common proxies, so that they never meet a closed connection."""
    headers: int = 100
    """Header fields of a request."""
    head_bytes: int = 32 * 1024
    """Bytes of all of them together."""
    buffered: int = 128 * 2**20
    """Bytes of unanswered bodies on all connections together."""
