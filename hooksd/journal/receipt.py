"""The outcome of one batch of records, awaited by everyone whose record is in it.

A future could not be shared: cancelling one waiter would cancel it for all, and a failure that nobody awaits would be
reported as an error of the program. Used on the event loop's thread only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

from hooksd.errors import JournalError


class Receipt:
    """Awaitable, any number of times, by any number of tasks, or by none."""

    __slots__ = ("_done", "_error", "_waiters")

    def __init__(self) -> None:
        self._done = False
        self._error: JournalError | None = None
        self._waiters: list[asyncio.Future[None]] = []

    def settle(self, error: JournalError | None) -> None:
        """Say what came of the batch: durable, or why not. Once; later words are ignored."""
        if self._done:
            return
        self._done = True
        self._error = error
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def __await__(self) -> Generator[Any, None, None]:
        if not self._done:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            yield from waiter
        if self._error is not None:
            # A new exception for each waiter: a shared one would collect the tracebacks of all.
            raise type(self._error)(*self._error.args) from self._error


def settled(error: JournalError | None) -> Receipt:
    """Return the receipt of what was never queued: there was nothing to write, or it was refused at once."""
    receipt = Receipt()
    receipt.settle(error)
    return receipt
