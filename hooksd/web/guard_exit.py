"""The transport as uvicorn's answers see it: all the same, but closing waits until the answer can arrive.

Used by `web.guard` alone.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Final

_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER that throws away what was not sent: whoever does not read must not hold kernel memory either."""


class Exit:
    """What a request needs of the transport."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        """Lead to a transport.

        Args:
            transport: Where answers go.
            close: Called in the place of its `close`.
        """
        self.write: Callable[[bytes], None] = transport.write
        self.is_closing: Callable[[], bool] = transport.is_closing
        self.close = close

    def leave(self) -> None:
        """Lead nowhere: uvicorn tells only its newest request, and a circle would wait for the garbage collector."""
        self.write = lambda _: None
        self.close = lambda: None
        self.is_closing = lambda: True


def reset(transport: asyncio.Transport) -> None:
    """Close at once."""
    if (carrier := transport.get_extra_info("socket")) is not None:
        carrier.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
