"""The output of a program: read as it comes, so that the program never waits for us, and kept up to a bound.

Used by `engine.process` on the event loop; the reading end is not blocking.
"""

from __future__ import annotations

import asyncio
import os
from typing import Literal

CHUNK = 64 * 1024
"""Bytes read at once: what a pipe of Linux holds."""

Side = Literal["start", "end"]


async def is_done(future: asyncio.Future[None], within: float) -> bool:
    """Wait at most some seconds for a future, leave it as it is, and tell whether it is done.

    As `asyncio.wait` with one future, for a third of its cost.
    """
    if not future.done() and within > 0:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()

        def wake(_: object = None) -> None:
            if not waiter.done():
                waiter.set_result(None)

        future.add_done_callback(wake)
        timer = loop.call_later(within, wake)
        try:
            await waiter
        finally:
            timer.cancel()
            future.remove_done_callback(wake)
    return future.done()


class Capture:
    """At most `limit` bytes of a stream, and how many there were in all."""

    __slots__ = ("_kept", "_limit", "_side", "size")

    def __init__(self, limit: int, side: Side) -> None:
        """Begin with nothing.

        Args:
            limit: The most bytes to keep.
            side: Which side of a longer stream to keep: results are read from the start, errors explain themselves
                at the end.
        """
        self._limit = limit
        self._side = side
        self._kept = bytearray()
        self.size = 0
        """Bytes that came."""

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        if self._side == "start":
            self._kept += data[: self._limit - len(self._kept)]
        else:
            self._kept += data
            del self._kept[: -self._limit]

    @property
    def is_truncated(self) -> bool:
        """Tell whether some bytes were not kept."""
        return self.size > self._limit

    def text(self) -> str:
        """Return what was kept as UTF-8, with U+FFFD for what is not, without the one newline that ends it."""
        return bytes(self._kept).decode("utf-8", "replace").removesuffix("\n")


class PipeReader:
    """Reads a pipe into a capture until its end; `close` must be called.

    To watch a descriptor takes six calls of the kernel, and most programs are over before they have filled a pipe. So
    it is watched where somebody asks for that.
    """

    def __init__(self, descriptor: int, capture: Capture) -> None:
        """Read nothing yet. The descriptor belongs to the reader from now on."""
        self.capture = capture
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._is_watched = False
        self.ended: asyncio.Future[None] = self._loop.create_future()
        """Done when nobody can write any more."""
        os.set_blocking(descriptor, False)

    def watch(self) -> None:
        """Read on the running loop, from now on, as it comes."""
        if not self._is_watched and not self.ended.done():
            self._is_watched = True
            self._loop.add_reader(self._descriptor, self._read)

    def finish(self) -> None:
        """Read what a pipe holds, and its end; watch it if that is not there, because somebody can still write."""
        for _ in range(2):
            if not self.ended.done():
                self._read()
        self.watch()

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            return
        if data:
            self.capture.add(data)
            return
        self._stop()
        self.ended.set_result(None)

    def _stop(self) -> None:
        if self._is_watched:
            self._is_watched = False
            self._loop.remove_reader(self._descriptor)

    def close(self) -> None:
        """Stop reading and let go of the pipe, whoever may still hold its other end."""
        if not self.ended.done():
            self._stop()
            self.ended.cancel()
        os.close(self._descriptor)
