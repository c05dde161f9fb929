"""Deliveries: each one durable before it leaves, tried again by its schedule, and ended once.

`daemon.wiring` hands a `Dispatcher` to the engine as what carries out `Deliver`, and lets it run beside the engine. A
delivery belongs to the dispatcher from the moment it is asked for: it goes on when the run that waits for it is
cancelled, and after a restart. Who asks again for the same run, step and endpoint gets the same delivery.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial

from hooksd.clock import Clock
from hooksd.config.snapshot import Snapshot
from hooksd.delivery.agenda import CONCURRENCY, Agenda
from hooksd.delivery.attempt import Sender
from hooksd.delivery.bell import Bell
from hooksd.delivery.courier import Courier
from hooksd.delivery.creator import Creator
from hooksd.delivery.entry import Conclusion, Entry, Key, answered, performed
from hooksd.delivery.format import Unfit, fit_all
from hooksd.delivery.gates import Gates
from hooksd.delivery.lanes import Lanes
from hooksd.delivery.ledger import Ledger
from hooksd.delivery.policy import INDETERMINATE
from hooksd.delivery.request import step_problem
from hooksd.delivery.standing import Standing, standing
from hooksd.delivery.state import Delivery, begin, due, fold
from hooksd.errors import JournalError
from hooksd.journal.protocol import Journal
from hooksd.journal.replay import Unfinished
from hooksd.model.effect import Deliver, Performed
from hooksd.model.holding import HoldReason
from hooksd.model.ids import DeliveryId, IdFactory
from hooksd.model.record import AttemptStarted, DeliveryCreated
from hooksd.telemetry.observer import Observer

UNTOLD = 10_000
"""Ends that nobody has asked for yet and that are kept in memory; the log has all of them."""


class Dispatcher:
    """Carries out `Deliver`."""

    def __init__(  # noqa: PLR0913 - what it works with, each by name
        self,
        *,
        journal: Journal,
        clock: Clock,
        ids: IdFactory,
        current: Callable[[], Snapshot],
        sender: Sender,
        jitter: Callable[[], float],
        observer: Observer | None = None,
        concurrency: int = CONCURRENCY,
    ) -> None:
        """Take the world as arguments.

        Args:
            journal: Where every delivery and attempt is written.
            clock: The time.
            ids: Makes the ids of deliveries.
            current: Returns the definitions in force; every attempt asks anew.
            sender: Makes attempts.
            jitter: Returns a random fraction from 0 to 1.
            observer: What operators observe by.
            concurrency: Attempts under way at the same time.
        """
        self._clock = clock
        self._ids = ids
        self._current = current
        self._ledger = Ledger(journal, clock)
        self._creator = Creator(
            ledger=self._ledger, clock=clock, current=current, ready=self._queue_all, spawn=self._spawn
        )
        self._gates = Gates(journal=journal, clock=clock, current=current)
        self._courier = Courier(
            ledger=self._ledger,
            clock=clock,
            current=current,
            sender=sender,
            gates=self._gates,
            jitter=jitter,
            observer=observer or Observer(),
        )
        self._agenda: Agenda[Entry] = Agenda(total=concurrency, each=self._gates.most, hold=self._gates.hold)
        self._lanes = Lanes()
        self._seen: Snapshot | None = None
        self._open: dict[str, Entry] = {}
        """Deliveries without an end, by id."""
        self._by_key: dict[Key, Entry] = {}
        """The same, and those whose end somebody may still ask for."""
        self._untold: deque[Entry] = deque()
        self._wanted: deque[Entry] = deque()
        """Deliveries of which somebody wants an attempt now."""
        self._decided: deque[Entry] = deque()
        """Recovered deliveries whose last attempt is in the log and whose end is not."""
        self._wake = asyncio.Event()
        self._quiet = asyncio.Event()
        self._busy = 0
        """Attempts whose outcome is not in the log yet."""
        self._is_draining = False
        self._bell = Bell(clock, self._wake.set)
        self._group: asyncio.TaskGroup | None = None
        """While it serves."""

    @property
    def pending(self) -> int:
        """How many deliveries have no end yet."""
        return len(self._open)

    def recover(self, unfinished: Unfinished) -> None:
        """Take up what an earlier life left. Called once, before `run` and before the first `deliver`."""
        self._gates.recover(unfinished.held)
        for past in unfinished.finished_deliveries:
            self._remember(fold(past.created, past.records)).is_over = True
        for past in unfinished.deliveries:
            delivery = fold(past.created, past.records)
            entry = self._remember(delivery)
            self._open[entry.id] = entry
            if delivery.is_in_flight and delivery.is_once:
                entry.know(delivery._replace(over=INDETERMINATE, error="cut off while it was under way"))
            if entry.known.over is None:
                self._queue((entry,))
            else:
                self._decided.append(entry)

    def _remember(self, delivery: Delivery) -> Entry:
        created = delivery.created
        entry = Entry(DeliveryId(created.delivery), (created.run, created.step, created.endpoint), delivery)
        self._by_key[entry.key] = entry
        return entry

    async def deliver(self, effect: Deliver) -> Performed:
        """Deliver to every endpoint and return when all deliveries have ended. Cancelling ends the waiting alone."""
        snapshot = self._current()
        if problem := step_problem(effect.headers, effect.query, snapshot.secrets.values()):
            return Performed(ok=False, error=problem)
        fitting = fit_all(effect, snapshot.endpoints, self._by_key)
        if isinstance(fitting, Unfit):
            return Performed(ok=False, error=fitting.why)
        entries = [entry for one in fitting for entry in self._entries(one)]
        try:
            for entry in entries:
                await entry.over()
        finally:
            for entry in entries:
                entry.waiters -= 1
        for entry in entries:
            if not entry.waiters:
                self._forget(entry)
        return answered(entries[0]) if effect.is_call else performed(entries)

    def _entries(self, effect: Deliver) -> list[Entry]:
        """Return the deliveries that are asked for; those that are not known yet will be created."""
        entries: list[Entry] = []
        new: list[Entry] = []
        for endpoint in dict.fromkeys(effect.endpoints):
            key = (effect.run, effect.step, endpoint)
            entry = self._by_key.get(key) if effect.by is None else None
            if entry is None:
                delivery = self._ids.delivery()
                entry = Entry(delivery, key if effect.by is None else (delivery, "", endpoint), is_durable=False)
                self._by_key[entry.key] = self._open[entry.id] = entry
                new.append(entry)
            entry.waiters += 1
            entries.append(entry)
        if new:
            self._creator.ask(effect, new)
            self._wake.set()
        return entries

    def take(self, delivery: DeliveryId, effect: Deliver) -> None:
        """Deliver to one endpoint under an id that the log promises already; nobody waits for the end.

        Args:
            delivery: The id that was planned.
            effect: What to deliver to which one endpoint.
        """
        entry = self._open[delivery] = Entry(delivery, (delivery, "", effect.endpoints[0]))
        self._creator.ask(effect, (entry,))
        self._wake.set()

    def _forget(self, entry: Entry) -> None:
        if self._by_key.get(entry.key) is entry:
            del self._by_key[entry.key]

    async def redeliver(self, created: DeliveryCreated, attempts: int, *, in_turn: bool = False) -> None:
        """Make an attempt now because somebody wants it, whatever is held against the endpoint.

        It takes no place in the schedule of a delivery that has no end yet. One that has ended begins again with this
        attempt, under the same id, and has its whole schedule again. One that is under way already is left alone.

        Args:
            created: The delivery, as the log has it.
            attempts: How many attempts it had.
            in_turn: It waits for its turn, and for what holds the endpoint, like any other: for who wants many. One
                that has no end yet has its turn already.

        Raises:
            JournalBroken: The log is at its end; the process must stop.
        """
        entry = self._open.get(created.delivery)
        if entry is None:
            entry = Entry(DeliveryId(created.delivery), (created.delivery, "again", created.endpoint), begin(created))
            self._open[entry.id] = entry
            await self._creator.create_again(entry, attempts)
        elif not entry.is_created or entry.is_busy or in_turn:
            return
        if in_turn:
            self._queue((entry,))
        else:
            self._wanted.append(entry)
        self._wake.set()

    def is_open(self, delivery: str) -> bool:
        """Tell whether a delivery has no end yet."""
        return delivery in self._open

    def standings(self, endpoints: Iterable[str]) -> dict[str, Standing]:
        """Return how things stand with some endpoints, by name."""
        pending = Counter(entry.endpoint for entry in self._open.values())
        return {name: standing(name, self._gates, self._agenda, pending[name]) for name in endpoints}

    def holding(self) -> list[tuple[str, HoldReason]]:
        """Return the endpoints whose deliveries wait, each with every reason that holds."""
        return self._gates.holding()

    def resume(self, endpoint: str) -> None:
        """Forget what is held against an endpoint: it was suspended, asked for patience, or failed and failed."""
        self._gates.resume(endpoint)
        self._agenda.offer(endpoint)
        self._wake.set()

    def reloaded(self) -> None:
        """Look at the definitions again: they have changed."""
        self._wake.set()

    async def run(self) -> None:
        """Serve until cancelled. Attempts that are cut off then are made again after the next start.

        Raises:
            ExceptionGroup: With `JournalBroken`: the log is at its end; the process must stop.
        """
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                while True:
                    self._wake.clear()
                    self._start_due(group)
                    self._bell.set(self._agenda.next_due)
                    await self._wake.wait()
            finally:
                self._group = None
                self._ledger.pass_on()

    async def drain(self, timeout: float) -> None:  # noqa: ASYNC109 - a bound for the whole
        """Start nothing more, and let attempts under way end for at most some seconds."""
        self._is_draining = True
        if self._busy:
            self._quiet.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._quiet.wait(), timeout)

    def _start_due(self, group: asyncio.TaskGroup) -> None:
        while self._decided:
            self._end(self._decided.popleft())
        if (snapshot := self._current()) is not self._seen:
            self._seen = snapshot
            self._gates.refresh()
            self._agenda.offer_all()
        begun = self._begun_wanted()
        free = self._creator.create()
        self._queue(free)
        while (entry := self._taken()) is not None:
            begun.append((entry, self._begin(entry)))
        if waiting := [one for one in free if not one.is_busy]:
            self._creator.keep(waiting)
        self._ledger.pass_on()
        for entry, started in begun:
            group.create_task(self._carry(entry, started), name=entry.id)

    def _taken(self) -> Entry | None:
        """Return the delivery that is next, whose attempt has its place now; None when none is due or there is none."""
        agenda, now = self._agenda, self._clock.now()
        while not self._is_draining and (entry := agenda.take(now)) is not None:
            entry.is_waiting = False
            if not (entry.is_over or entry.is_busy):
                self._gates.passed(entry.turn.name, now)
                return entry
            # Somebody asked for an attempt meanwhile: it was the end, or it is under way and decides anew.
            agenda.done(entry.turn)
        return None

    def _begin(self, entry: Entry) -> AttemptStarted:
        entry.is_busy = True
        self._busy += 1
        return self._courier.begin(entry)

    async def _carry(self, entry: Entry, started: AttemptStarted) -> None:
        """Make attempts, one after the other, as long as something is due and has a place."""
        while True:
            attempted = await self._courier.attempt(entry, started)
            conclusion = self._courier.conclude(entry, started, attempted)
            self._ledger.hand_in(entry.unwritten, partial(self._concluded, entry, conclusion))
            self._agenda.done(entry.turn)
            self._wake.set()  # what is handed in is written when this turn of the loop is over
            # One that sent nothing may have waited for nothing: then it is somebody else's turn.
            following = self._taken() if attempted.is_sent else None
            if following is None:
                return
            entry, started = following, self._begin(following)

    def _concluded(self, entry: Entry, conclusion: Conclusion, error: JournalError | None) -> None:
        """Go on from what is in the log now; or try again to write it."""
        if error is not None:
            self._spawn(self._write_conclusion(entry, conclusion))
            return
        self._courier.concluded(entry, conclusion)
        self._busy -= entry.is_busy
        entry.is_busy = False
        if not self._busy:
            self._quiet.set()
        if conclusion.end is not None:
            self._tell(entry)
        elif not entry.is_waiting:
            self._schedule(entry, self._clock.now())
            self._wake.set()

    async def _write_conclusion(self, entry: Entry, conclusion: Conclusion) -> None:
        await self._ledger.write(entry.unwritten)
        self._concluded(entry, conclusion, None)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        """Let something go on that may have to wait, while this serves."""
        if self._group is None:
            work.close()
        else:
            self._group.create_task(work)

    def _queue_all(self, entries: Sequence[Entry]) -> None:
        self._queue(entries)
        self._wake.set()

    def _queue(self, entries: Sequence[Entry]) -> None:
        """Let deliveries wait for their time; where order matters, behind those before them."""
        if not entries:
            return
        endpoints, now = self._current().endpoints, self._clock.now()
        for entry in entries:
            entry.is_waiting = True
            entry.turn = self._agenda.turn(entry.turn_name)
            endpoint = endpoints.get(entry.endpoint)
            if endpoint is None or not endpoint.value.ordered or entry.created.is_call or self._is_first(entry):
                self._schedule(entry, now)

    def _is_first(self, entry: Entry) -> bool:
        """Let a delivery wait in its lane. Tells whether nobody is before it."""
        entry.lane = (entry.endpoint, entry.created.subject or "")
        return self._lanes.enter(entry.lane, entry.id)

    def _schedule(self, entry: Entry, now: float) -> None:
        entry.is_waiting = True
        self._agenda.add(entry, entry.turn, now if entry.is_fresh else due(entry.known, now), now)

    def _begun_wanted(self) -> list[tuple[Entry, AttemptStarted]]:
        """Begin the attempts that somebody asked for. What waits for them in the agenda stays there."""
        begun: list[tuple[Entry, AttemptStarted]] = []
        while self._wanted and not self._is_draining:
            entry = self._wanted.popleft()
            if not entry.is_busy and entry.id in self._open:
                entry.know(entry.known._replace(is_manual=True))
                entry.turn = self._agenda.turn(entry.turn_name)
                self._agenda.push_in(entry.turn)
                begun.append((entry, self._begin(entry)))
        return begun

    def _end(self, entry: Entry) -> None:
        if entry.known.over is not None:
            conclusion = self._courier.end(entry, entry.known.over)
            self._ledger.hand_in(entry.unwritten, partial(self._concluded, entry, conclusion))

    def _tell(self, entry: Entry) -> None:
        """Let those who wait know that a delivery has ended; remember it when nobody does."""
        del self._open[entry.id]
        entry.tell()
        following = None if entry.lane is None else self._lanes.leave(entry.lane, entry.id)
        if following is not None:
            self._schedule(self._open[following], self._clock.now())
            self._wake.set()
        if not entry.waiters and entry.key in self._by_key:
            self._untold.append(entry)
            if len(self._untold) > UNTOLD:
                self._forget(self._untold.popleft())
