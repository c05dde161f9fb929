"""The outcome of one batch of records: awaited, or told to a function, by everyone whose record is in it.

A future could not be shared: cancelling one waiter would cancel it for all, and a failure that nobody awaits would be
reported as an error of the program. A function costs a tenth of a task that waits.
Used on the event loop's thread only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable
from typing import Any

from hooksd.errors import JournalError

Told = Callable[[JournalError | None], None]
"""Is told that a batch is durable, or why not."""


class Receipt:
    """Awaitable, any number of times, by any number of tasks, or by none."""

    __slots__ = ("_done", "_error", "_told")

    def __init__(self) -> None:
        self._done = False
        self._error: JournalError | None = None
        self._told: list[Told] = []

    def then(self, told: Told) -> None:
        """Call a function when the batch is settled, at once if it is: in the order of these calls."""
        if self._done:
            told(self._error)
        else:
            self._told.append(told)

    def settle(self, error: JournalError | None) -> None:
        """Say what came of the batch: durable, or why not. Once; later words are ignored."""
        if self._done:
            return
        self._done = True
        self._error = error
        tell_all(self._told, error)
        self._told.clear()

    def __await__(self) -> Generator[Any, None, None]:
        if not self._done:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._told.append(lambda _: None if waiter.done() else waiter.set_result(None))
            yield from waiter
        if self._error is not None:
            # A new exception for each waiter: a shared one would collect the tracebacks of all.
            raise type(self._error)(*self._error.args) from self._error


def tell_all(functions: Iterable[Told], error: JournalError | None) -> None:
    """Tell functions what came of a batch, each of them whatever another one does."""
    for told in functions:
        try:
            told(error)
        except Exception as bug:  # noqa: BLE001 - one that is wrong must not leave the others waiting for ever
            about = {"message": "what waits for the log made an error", "exception": bug}
            asyncio.get_running_loop().call_exception_handler(about)


def settled(error: JournalError | None) -> Receipt:
    """Return the receipt of what was never queued: there was nothing to write, or it was refused at once."""
    receipt = Receipt()
    receipt.settle(error)
    return receipt
