"""Group commit: one thread takes everything that was queued while it wrote, and writes it as the next batch.

The event loop never waits for the disk, and each batch costs one write, one sync and one call back into the loop,
however many records it has. The thread does not die before it is told to: what goes wrong is the outcome of a batch.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVarTuple

from hooksd.clock import Clock
from hooksd.errors import JournalBroken, JournalError, JournalFull
from hooksd.journal.lines import Begun
from hooksd.journal.receipt import Receipt, settled
from hooksd.journal.tail import Tail
from hooksd.model.arrival import EventLine
from hooksd.model.record import Record
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer

JournalState = Literal["ok", "full", "broken"]

_Ts = TypeVarTuple("_Ts")

PROBE_INTERVAL = 1.0
"""Seconds between looks whether a full disk has room again."""

ENOUGH = 32
"""Records of a batch that wait for no more. Half of 64 callers: their next requests are heard while it is written."""
TURNS = 3
"""Turns of the event loop that a batch may wait for more: a few tens of microseconds when nothing else is to be done,
and no long time when each turn is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may wait for the disk. More is refused at once, so that a slow disk becomes a 503, not a slow answer."""

    records: int = 20_000
    size: int = 64 * 1024 * 1024
    """Bytes. One record may be larger when nothing else waits."""


class _Queue:
    """What waits, and what everyone who has something in it awaits."""

    __slots__ = ("begun", "receipt", "records", "size")

    def __init__(self) -> None:
        self.records: list[Record | EventLine] = []
        self.begun: list[Begun] = []
        self.size = 0
        self.receipt = Receipt()


class Writer:
    """The queue, the thread behind it, and what state they are in. Made and used on the event loop."""

    def __init__(
        self,
        tail: Tail,
        *,
        clock: Clock,
        limits: Limits,
        observer: Observer,
        on_broken: Callable[[JournalBroken], None] | None,
    ) -> None:
        """Start the thread.

        Args:
            tail: Where batches go; the thread's alone until `close` returns.
            clock: For `behind`.
            limits: How much may wait.
            observer: Told of every batch and of every change of state.
            on_broken: Called once, on the event loop, when the log cannot be written any more.
        """
        self._tail = tail
        self._clock = clock
        self._limits = limits
        self._observer = observer
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        self._queue = _Queue()
        self._lock = threading.Lock()
        """Guards the queue and what follows; held for a few instructions only."""
        self._ready = threading.Condition(self._lock)
        self._called = False
        self._refusal: JournalError | None = None
        self._closing = False
        self._writing_since: float | None = None
        self._ended = Receipt()
        self._thread = threading.Thread(target=self._run, name="hooksd-log", daemon=True)
        self._thread.start()
        observer.emit(happenings.JournalAccepting())

    @property
    def state(self) -> JournalState:
        """`full`: refuses, and looks for room by itself; `broken`: refuses for good."""
        match self._refusal:
            case None:
                return "ok"
            case JournalFull():
                return "full"
            case _:
                return "broken"

    @property
    def refusal(self) -> JournalError | None:
        """Why nothing is taken now; None when everything is."""
        return self._refusal

    @property
    def behind(self) -> float:
        """For how many seconds the batch that is being written has been; 0 when nothing is."""
        since = self._writing_since
        return 0.0 if since is None else max(0.0, self._clock.monotonic() - since)

    def put(self, records: Sequence[Record | EventLine], begun: Sequence[Begun], size: int) -> Receipt:
        """Queue records behind all others. Never waits.

        Args:
            records: What to write.
            begun: The line of each.
            size: The bytes of those.
        """
        if not records:
            return settled(None)
        with self._lock:  # not the condition, which is written in Python
            queue, limits, refusal = self._queue, self._limits, self._refusal
            count = len(queue.records)
            if refusal is not None:
                return settled(refusal)
            if not count:
                self._loop.call_soon(self._gather, 0, TURNS)
            elif count + len(records) > limits.records or queue.size + size > limits.size:
                return settled(JournalFull(f"{count} records wait for the disk; it is too slow for what arrives"))
            queue.records += records
            queue.begun += begun
            queue.size += size
            return queue.receipt

    def _gather(self, known: int, turns: int) -> None:
        """Let the thread begin, once the loop has heard everybody who speaks now.

        Called for each record, it would compete with the loop for the interpreter, and write batches of one. So it is
        called after a turn of the loop that brought nothing, or when enough wait to share what a sync costs.

        Args:
            known: How many records waited in the turn before.
            turns: How many more may pass.
        """
        count = len(self._queue.records)
        if known < count < ENOUGH and turns:
            self._loop.call_soon(self._gather, count, turns - 1)
            return
        with self._ready:
            if self._queue.records:
                self._called = True
                self._ready.notify()

    def refused_body(self, error: JournalError) -> None:
        """Hear that a body beside the records could not be written. Any thread but the event loop's: it tries the disk.

        A broken medium refuses everything from now on, a full disk until there is room. A body that is larger than
        the room is its own matter.
        """
        if not isinstance(error, JournalFull):
            self._fail(error, ())
        elif not self._tail.takes_bodies():
            self._fill_up(error)

    def _fill_up(self, error: JournalFull) -> None:
        with self._ready:
            if self._refusal is not None:
                return
            self._refusal = error
            self._ready.notify()  # from now on it looks for room
        self._announce(error)

    async def close(self) -> None:
        """Make everything queued durable and end the thread."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        await self._ended
        self._thread.join()

    def _written(self, queue: _Queue, seconds: float) -> None:
        queue.receipt.settle(None)
        self._observer.emit(happenings.JournalWritten(records=len(queue.records), size=queue.size, seconds=seconds))

    # What follows runs in the thread.

    def _run(self) -> None:
        while (queue := self._next()) is not None:
            error = self._commit(queue)
            if error is None:
                self._call(self._written, queue, self.behind)
            else:
                self._fail(error, (queue.receipt,))
        self._call(self._ended.settle, None)

    def _next(self) -> _Queue | None:
        """Wait for something to write, and take all of it; None when there will be nothing more."""
        self._writing_since = None
        while True:
            with self._ready:
                if self._called or (self._closing and self._queue.records):
                    self._writing_since = self._clock.monotonic()
                    return self._take()
                if self._closing:
                    self._refusal = self._refusal or JournalBroken("the log is closed")
                    return None
                full = isinstance(self._refusal, JournalFull)
                told = self._ready.wait(PROBE_INTERVAL if full else None)
            if full and not told and self._tail.takes_bodies():
                self._accept_again()

    def _take(self) -> _Queue:
        self._called = False
        queue, self._queue = self._queue, _Queue()
        return queue

    def _accept_again(self) -> None:
        with self._ready:
            if not isinstance(self._refusal, JournalFull):
                return
            self._refusal = None
        self._call(self._observer.emit, happenings.JournalAccepting())

    def _commit(self, queue: _Queue) -> JournalError | None:
        try:
            self._tail.commit(queue.records, queue.begun)
        except JournalError as error:
            return error
        except Exception as error:  # noqa: BLE001 - the thread must not die: nobody would be told
            return JournalBroken(f"the log cannot be written: {error!r}")
        return None

    def _fail(self, error: JournalError, receipts: Sequence[Receipt]) -> None:
        """Refuse `receipts`, what waits behind them, because it may build on them, and everything from now on."""
        with self._ready:
            was_broken = self.state == "broken"
            self._refusal = self._refusal if was_broken else error
            waiting = self._take()
        # Before anyone is refused: who sees the refusal can rely on it that the daemon knows.
        if not was_broken:
            self._announce(error)
        for receipt in (*receipts, waiting.receipt):
            self._call(receipt.settle, error)

    def _announce(self, error: JournalError) -> None:
        if not isinstance(error, JournalBroken):
            self._call(self._observer.emit, happenings.JournalRefused(error=str(error)))
            return
        self._call(self._observer.emit, happenings.JournalBroken(error=str(error)))
        if self._on_broken is not None:
            self._call(self._on_broken, error)

    def _call(self, function: Callable[[*_Ts], None], *arguments: *_Ts) -> None:
        """Let the loop do something, in the order of these calls. What goes wrong there does not end the thread."""
        later(self._loop, function, *arguments)


def later(loop: asyncio.AbstractEventLoop, function: Callable[[*_Ts], None], *arguments: *_Ts) -> None:
    """Let a loop call a function soon, from any thread; nothing happens when the loop is closed."""
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        return  # nobody is left to be told
