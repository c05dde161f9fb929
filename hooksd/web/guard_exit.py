"""The transport as uvicorn's answers see it: all the same, but closing waits until the answer can arrive.

Used by `web.guard` alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


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
