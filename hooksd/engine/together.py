"""Tells of all that became durable in one batch of the log with one call, instead of one call for each.

An event that starts nothing costs little more than what it takes to tell of it one by one. Used by `engine.runner`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from msgspec import Struct

from hooksd.errors import JournalError
from hooksd.journal.protocol import Durable

T = TypeVar("T")


class _Batch(Struct, Generic[T], eq=False):
    durable: Durable
    """Of everything that is written together."""
    items: list[T]


class Together(Generic[T]):
    """Waits for batches. On the event loop's thread only."""

    def __init__(self, tell: Callable[[list[T]], None]) -> None:
        """Take whom to tell.

        Args:
            tell: Told what is durable, in the order in which it was added. What cannot be durable nobody is told of.
        """
        self._tell = tell
        self._batch: _Batch[T] | None = None
        self._batches: list[_Batch[T]] = []

    @property
    def size(self) -> int:
        """How much waits to be durable."""
        return sum([len(batch.items) for batch in self._batches])

    @property
    def first(self) -> Durable | None:
        """What the first of it waits for; None: nothing waits."""
        return self._batches[0].durable if self._batches else None

    def add(self, durable: Durable, item: T) -> None:
        """Tell of something when it is durable, with all else that was added and shares its batch.

        It is told where the first of them would have been told of by `Durable.then`.
        """
        batch = self._batch
        if batch is not None and batch.durable is durable:
            batch.items.append(item)
        else:
            self._batch = batch = _Batch(durable, [item])
            self._batches.append(batch)
            durable.then(partial(self._over, batch))

    def _over(self, batch: _Batch[T], error: JournalError | None) -> None:
        if self._batch is batch:
            self._batch = None
        self._batches.remove(batch)
        if error is None:
            self._tell(batch.items)
