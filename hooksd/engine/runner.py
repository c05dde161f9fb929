"""The engine: takes events, starts their runs as concurrency allows, and carries them out. It alone spawns tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from msgspec import Struct

from hooksd.clock import Clock, rfc3339, unix
from hooksd.config.snapshot import CompiledEndpoint, CompiledWorkflow, Snapshot, receivers, subscribers
from hooksd.engine.announcing import Announcer, Told
from hooksd.engine.answers import Answers
from hooksd.engine.crowd import Crowd
from hooksd.engine.definitions import DefinitionStore
from hooksd.engine.distribution import NOWHERE, Distribution, distribute
from hooksd.engine.logbook import Logbook
from hooksd.engine.patience import Patience
from hooksd.engine.ports import Accepted, Intake, Outlet, Performer, Publisher, Response, Taken
from hooksd.engine.recovery import recovered
from hooksd.engine.rights import Office
from hooksd.engine.router import Routing, route
from hooksd.engine.run import Planned
from hooksd.engine.together import Together
from hooksd.engine.turnstile import MANY
from hooksd.engine.world import World
from hooksd.errors import JournalFull
from hooksd.journal.protocol import Durable, Journal
from hooksd.journal.receipt import settled
from hooksd.journal.replay import Unfinished
from hooksd.model.arrival import Arrival, line_of
from hooksd.model.event import Event
from hooksd.model.ids import EventId, IdFactory
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import EventAccepted, Origin, RunEnded, RunPlan, RunStatus
from hooksd.model.stored import BLOB_THRESHOLD, store
from hooksd.telemetry.observer import Observer

CROWDED = "too many runs or deliveries wait for their turn in memory; what is asked for now must come again later"
SLICE = 16
"""Events of one request that are looked at before callers of webhooks have their turn."""


class _Made(Struct, frozen=True):
    """An event with everything that it starts, before it is durable."""

    event: Event
    routing: Routing
    going: Distribution
    record: EventAccepted

    @property
    def accepted(self) -> Accepted:
        """What is true when it is durable."""
        record = self.record
        return Accepted(self.event.id, record.runs, record.not_started, record.deliveries)


class _Begun(Struct, frozen=True):
    """What an event starts, which begins when it is durable."""

    event: Event | Arrival
    workflows: tuple[CompiledWorkflow, ...]
    plans: tuple[RunPlan, ...]
    """Their runs."""
    deliveries: tuple[DeliveryPlan, ...]
    revision: str
    at: str
    """When it was accepted, RFC 3339."""


class Engine:
    """Events in, effects out, everything in between in the log.

    Accepting costs one record and one wait for it to be durable. A run that waits for its turn has no task; what has
    ended is forgotten.
    """

    def __init__(  # noqa: PLR0913 - the composition root hands in the whole world, by keyword
        self,
        *,
        journal: Journal,
        performer: Performer,
        clock: Clock,
        ids: IdFactory,
        current: Callable[[], Snapshot],
        jitter: Callable[[], float],
        public_url: str,
        observer: Observer | None = None,
        folder: str = "",
        ended: Callable[[str, str], None] = lambda _event, _status: None,
        outlet: Outlet | None = None,
    ) -> None:
        """Take the collaborators.

        Args:
            journal: Where facts go.
            performer: Who touches the world.
            clock: The time.
            ids: Makes identifiers.
            current: Returns the definitions in force.
            jitter: Returns a random fraction from 0 to 1, for retries.
            public_url: Where the HTTP API is; `run.url` begins with it.
            observer: Who is told of what happens.
            folder: The directory of the log, where workflows find the files of events.
            ended: Told the event and the status of each run that has ended.
            outlet: Where events go out that endpoints subscribe to. None: they go nowhere.
        """
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._current = current
        self._told = Together(Announcer(observer).tell)
        self._begun = Together(self._begin)
        self._logbook = Logbook(journal, clock)
        self._patience = Patience(clock)
        self._answers = Answers(self._patience)
        self._definitions = DefinitionStore(journal)
        self._route = partial(route, definition=self._definitions.digest, new_run=ids.run)
        self._draining = False
        world = World(
            logbook=self._logbook,
            performer=performer,
            clock=clock,
            patience=self._patience,
            ids=ids,
            current=current,
            jitter=jitter,
            base_url=public_url.rstrip("/"),
            publish=self._publish,
            answer=self._answers.give,
            office=Office(current),
            is_draining=lambda: self._draining,
            observer=observer,
        )
        self._folder, self._ended, self._outlet = folder, ended, outlet
        self._crowd = Crowd(world, self._released, self._waited_for)
        self._unreadable: tuple[RunEnded, ...] = ()

    @property
    def unfinished(self) -> int:
        """How many runs have not ended, those that wait for their turn included."""
        return self._crowd.size

    @property
    def running(self) -> int:
        """How many runs are being carried out."""
        return self._crowd.running

    async def accept(self, event: Event, *, origin: Origin | None) -> Accepted:
        """Route an event, make it and its runs durable, and start them; see `Intake.accept`."""
        candidates = subscribers(self._current(), event.type, event.webhook)
        targets = receivers(self._current(), event.type)
        if self._is_crowded(candidates, targets):
            raise JournalFull(CROWDED)
        record = await self._take(event, candidates, targets, origin)
        return Accepted(event=event.id, runs=record.runs, not_started=record.not_started, deliveries=record.deliveries)

    async def accept_all(self, events: Sequence[Event]) -> Sequence[Accepted]:
        """Accept several events in one write; see `Publisher.accept_all`."""
        made: list[_Made] = []
        for event in events:
            if len(made) % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            candidates = subscribers(self._current(), event.type, event.webhook)
            targets = receivers(self._current(), event.type)
            if self._is_crowded(candidates, targets):
                raise JournalFull(CROWDED)
            made.append(await self._make(event, candidates, targets, None))
        durable = self._journal.append([one.record for one in made])
        for one in made:
            self._enrol(one, durable)
        await durable
        return [one.accepted for one in made]

    def take(self, arrival: Arrival, *, origin: Origin) -> Taken | None:
        """Take an event without waiting; see `Intake.take`."""
        snapshot = self._current()
        candidates = subscribers(snapshot, arrival.type, arrival.webhook)
        if len(arrival.document.raw) > BLOB_THRESHOLD or (candidates and self._definitions.missing(candidates)):
            return None
        targets = receivers(snapshot, arrival.type)
        if candidates or targets:
            return self._take_for(candidates, targets, arrival, origin, snapshot)
        durable = self._journal.append((line_of(arrival, revision=snapshot.revision.id, origin=origin),))
        # Only names wait for the disk. A parsed body is hundreds of objects: let go of at once, their memory serves the
        # next request while the processor still has it in its cache.
        self._told.add(durable, Told(arrival.id, arrival.type, arrival.source, 0))
        return Taken(Accepted(arrival.id, (), ()), durable)

    def _take_for(
        self,
        candidates: Sequence[CompiledWorkflow],
        targets: Sequence[CompiledEndpoint],
        arrival: Arrival,
        origin: Origin,
        snapshot: Snapshot,
    ) -> Taken:
        if self._is_crowded(candidates, targets):
            return Taken(Accepted(arrival.id, (), ()), settled(JournalFull(CROWDED)))
        revision = snapshot.revision.id
        routing = self._route(arrival, candidates, snapshot=snapshot)
        going = self._distribute(arrival, targets) if targets else NOWHERE
        line = line_of(
            arrival,
            revision=revision,
            origin=origin,
            runs=routing.plans,
            not_started=routing.not_started,
            deliveries=going.plans,
            not_sent=going.not_sent,
        )
        durable = self._journal.append((line,))
        plans = routing.plans
        if plans or going.plans:
            kept = arrival.light() if self._crowd.is_long else arrival
            self._begun.add(durable, _Begun(kept, routing.workflows, plans, going.plans, revision, arrival.time))
        self._told.add(durable, Told(arrival.id, arrival.type, arrival.source, len(plans)))
        return Taken(Accepted(arrival.id, plans, routing.not_started), durable)

    async def start(self, event: Event, workflow: str) -> Accepted:
        """Accept an event for one workflow by name; see `Intake.start`."""
        record = await self._take(event, (self._current().workflows[workflow],), (), None)
        return Accepted(event=event.id, runs=record.runs, not_started=record.not_started)

    async def send(self, event: Event, endpoint: str, *, fingerprint: str | None = None) -> Accepted:
        """Accept an event for one endpoint by name; see `Intake.send`."""
        targets = (self._current().endpoints[endpoint],)
        if self._is_crowded((), targets):
            raise JournalFull(CROWDED)
        made = await self._make(event, (), targets, None)
        plans = tuple(replace(plan, fingerprint=fingerprint) for plan in made.record.deliveries)
        record = await self._written(
            _Made(made.event, made.routing, made.going, replace(made.record, deliveries=plans))
        )
        return Accepted(event=event.id, runs=(), not_started=(), deliveries=record.deliveries)

    async def response(self, event: EventId, timeout: float) -> Response | None:  # noqa: ASYNC109 - see Intake
        """Return what a `respond` step says to the caller; see `Intake.response`."""
        return await self._answers.wait(event, timeout)

    def recover(self, unfinished: Unfinished) -> None:
        """Take up the runs that an earlier process left. Call it once, before `run`."""
        runs, lost = recovered(
            unfinished,
            definitions=self._definitions,
            snapshot=self._current(),
            blob=self._journal.blob,
            folder=self._folder,
        )
        now = self._clock.now()
        self._unreadable = tuple(
            RunEnded(
                at=rfc3339(now),
                run=item.plan.id,
                workflow=item.plan.workflow,
                event=item.accepted.event.id,
                status="failed",
                ms=round((now - unix(item.accepted.at)) * 1000, 3),
                revision=item.accepted.revision,
                origin=item.plan.origin,
                error=item.reason,
            )
            for item in lost
        )
        for run in runs:
            self._crowd.add(run)

    async def run(self) -> None:
        """Carry out runs until cancelled.

        Raises:
            BaseExceptionGroup: The log is at its end, or a bug came to light.
        """
        async with asyncio.TaskGroup() as tasks:
            if self._unreadable:
                await self._logbook.write(self._unreadable)
                for record in self._unreadable:
                    self._ended(record.event, record.status)
            self._crowd.live_in(tasks)
            try:
                await asyncio.Event().wait()
            finally:
                self._crowd.leave()

    async def drain(self, timeout: float) -> None:  # noqa: ASYNC109 - how long a stop may take, by our own clock
        """Begin no further step; give those under way `timeout` seconds, then cut them off.

        What is not finished goes on at the next start. `run` still has to be cancelled.
        """
        self._draining = True
        tasks = self._crowd.stop()
        if tasks:
            await self._patience.wait_for(asyncio.wait(tasks), timeout)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        self._answers.close()

    def _waited_for(self) -> Durable | None:
        """Return what callers wait for, if they are many."""
        return self._told.first if self._told.size >= MANY else None

    def _released(self, event: EventId, status: RunStatus) -> None:
        self._answers.release(event)
        self._ended(event, status)

    async def _publish(self, event: Event) -> EventAccepted:
        """Accept an event of our own; it waits while there is no room."""
        candidates = subscribers(self._current(), event.type, event.webhook)
        targets = receivers(self._current(), event.type)
        return await self._logbook.persist(lambda: self._take(event, candidates, targets, None))

    async def _take(
        self,
        event: Event,
        candidates: Sequence[CompiledWorkflow],
        targets: Sequence[CompiledEndpoint],
        origin: Origin | None,
    ) -> EventAccepted:
        """Make an event durable together with the runs it starts and the deliveries it goes out by."""
        return await self._written(await self._make(event, candidates, targets, origin))

    async def _written(self, made: _Made) -> EventAccepted:
        """Make an event durable, and let everything begin that it starts."""
        durable = self._journal.append((made.record,))
        self._enrol(made, durable)
        await durable
        return made.record

    async def _make(
        self,
        event: Event,
        candidates: Sequence[CompiledWorkflow],
        targets: Sequence[CompiledEndpoint],
        origin: Origin | None,
    ) -> _Made:
        """Decide what an event starts, and keep what its record will name."""
        for workflow in self._definitions.missing(candidates):
            await self._definitions.keep(workflow)
        blob = await self._journal.put_blob(event.raw) if len(event.raw) > BLOB_THRESHOLD else None
        snapshot = self._current()
        routing = self._route(event, candidates, snapshot=snapshot)
        going = self._distribute(event, targets)
        record = EventAccepted(
            at=rfc3339(self._clock.now()),
            revision=snapshot.revision.id,
            event=store(event, blob),
            origin=origin,
            runs=routing.plans,
            not_started=routing.not_started,
            deliveries=going.plans,
            not_sent=going.not_sent,
        )
        return _Made(event, routing, going, record)

    def _distribute(self, event: Event | Arrival, targets: Sequence[CompiledEndpoint]) -> Distribution:
        if not targets or self._outlet is None:
            return NOWHERE
        return distribute(targets, trust=event.trust, headers=event.headers, new_delivery=self._ids.delivery)

    def _is_crowded(self, candidates: Sequence[CompiledWorkflow], targets: Sequence[CompiledEndpoint]) -> bool:
        """Tell whether what an event would start has no room in memory."""
        if candidates and self._crowd.is_full:
            return True
        return bool(targets) and self._outlet is not None and self._outlet.is_full

    def _enrol(self, made: _Made, durable: Durable) -> None:
        """Let everything begin that an event starts, as soon as it is durable, whoever still waits for that."""
        event, routing, going, record = made.event, made.routing, made.going, made.record
        if routing.plans or going.plans:
            begun = _Begun(event, routing.workflows, routing.plans, going.plans, record.revision, record.at)
            self._begun.add(durable, begun)
        # What publishers say where events are from is theirs to choose: metrics count by who they are.
        source = event.source if event.publisher is None else f"api/{event.publisher}"
        self._told.add(durable, Told(event.id, event.type, source, len(routing.plans)))

    def _begin(self, begun: Sequence[_Begun]) -> None:
        """Let runs and deliveries begin of events that are durable."""
        for one in begun:
            try:
                self._begin_of(one)
            except Exception as bug:  # noqa: BLE001 - one that is wrong must not leave the others waiting
                about = {"message": "what an event starts cannot begin", "exception": bug}
                asyncio.get_running_loop().call_exception_handler(about)

    def _begin_of(self, begun: _Begun) -> None:
        event, plans = begun.event, begun.plans
        if begun.deliveries and self._outlet is not None:
            self._outlet.send(event.event() if isinstance(event, Arrival) else event, begun.deliveries)
        if plans:
            self._answers.expect(event.id, len(plans))
        for workflow, plan in zip(begun.workflows, plans, strict=True):
            self._crowd.expect(Planned(plan, workflow, event, begun.revision, begun.at))


_: type[Intake] = Engine
_publisher: type[Publisher] = Engine
