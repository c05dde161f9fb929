"""All runs that have not ended, by concurrency group. Starts, ends and cancels them as `engine.admission` decides."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import assert_never

from hooksd.config.snapshot import CompiledWorkflow
from hooksd.engine.admission import Admission, Cancel, Group, Skip, Start, Supersede, admit
from hooksd.engine.execution import Execution
from hooksd.engine.run import Planned, Run
from hooksd.engine.turnstile import FEW, Turnstile
from hooksd.engine.world import World
from hooksd.errors import JournalError
from hooksd.journal.protocol import Durable
from hooksd.model.arrival import Arrival
from hooksd.model.event import Event
from hooksd.model.ids import EventId, RunId
from hooksd.model.record import RunPlan, RunStatus
from hooksd.telemetry import happenings

ROOM = 512 * 1024 * 1024
"""Bytes of memory that runs which have not ended may take, with their events. With more, new events are refused."""

RUN_WEIGHT = 8 * 1024
BODY_WEIGHT = 6
"""About what a run takes, and a byte of its event's body: as it came, and as the values that it was read into."""

SPARE = 64
"""Tasks that may wait for something to do: as many as programs may run."""

_Key = tuple[str, str]
"""The workflow's name and the run's key."""
_Work = Callable[[Execution], Coroutine[object, object, None]]


class Crowd:
    """Owns the executions and their tasks. A run that waits has neither."""

    def __init__(
        self,
        world: World,
        released: Callable[[EventId, RunStatus], None],
        waited_for: Callable[[], object | None] = lambda: None,
    ) -> None:
        """Begin with nobody.

        Args:
            world: What runs need.
            released: Told the event and the status of each run that ended.
            waited_for: Returns what callers wait for; see `Turnstile`.
        """
        self._world = world
        self._released = released
        self._tasks: asyncio.TaskGroup | None = None
        self._early: list[Execution | Planned] = []
        self._turnstile = Turnstile(self._carry_out, clock=world.clock, waited_for=waited_for)
        self._fresh = 0
        """How many of those that wait for their turn have no execution yet."""
        self._queued: dict[RunId, Planned | Run] = {}
        """Those that wait in their groups."""
        self._executions: dict[RunId, Execution] = {}
        self._groups: dict[_Key, Group] = {}
        self._due: deque[tuple[Execution, _Work]] = deque()
        self._spare: list[asyncio.Future[None]] = []
        """What tasks wait for that have nothing to do."""
        self._running: dict[Execution, asyncio.Task[None]] = {}
        self._weight = 0

    @property
    def size(self) -> int:
        """How many runs have not ended."""
        return len(self._executions) + len(self._queued) + self._fresh

    @property
    def running(self) -> int:
        """How many have a task."""
        return len(self._running)

    @property
    def is_full(self) -> bool:
        """Tell whether so many runs wait that new events must be refused until some have ended."""
        return self._weight > ROOM

    @property
    def is_long(self) -> bool:
        """Tell whether so many wait that a run which comes now waits longer than a moment."""
        return self._fresh + len(self._queued) > FEW

    def live_in(self, tasks: asyncio.TaskGroup) -> None:
        """Carry out runs in this group of tasks, first of all those that were added before."""
        self._tasks = tasks
        early, self._early = self._early, []
        for key in list(self._groups):
            self._settle(key)
        for run in early:
            self._begin(run)

    def leave(self) -> None:
        """Carry out nothing any more: the tasks are about to end."""
        self._tasks = None

    def expect(self, planned: Planned) -> None:
        """Take a run that is durable; it begins when there is time for it, and its group allows."""
        self._weight += _weight(planned.event)
        key = _key(planned.plan)
        if key is None:
            self._fresh += 1
            self._begin(planned)
        else:
            self._queue(planned, self._group(key, planned.workflow), key)

    def add(self, run: Run) -> None:
        """Take a run that an earlier process left; it goes on, or waits for what it waited for."""
        self._weight += _weight(run.event)
        key = _key(run.plan)
        if key is None or run.announced is not None:
            self._begin(self._execution(run))
            return
        group = self._group(key, run.workflow)
        if run.started_at is not None:
            group.running[run.id] = False
            self._begin(self._execution(run))
        else:
            self._queue(run, group, key)

    def stop(self) -> tuple[asyncio.Task[None], ...]:
        """Cut off the runs that only wait, and return the tasks of all that are still at work."""
        for execution, task in self._running.items():
            if execution.is_idle:
                task.cancel()
        return tuple(self._running.values())

    def _group(self, key: _Key, workflow: CompiledWorkflow) -> Group:
        group = self._groups.setdefault(key, Group(workflow.value))
        group.policy = workflow.value
        return group

    def _queue(self, run: Planned | Run, group: Group, key: _Key) -> None:
        self._queued[run.id] = run
        group.waiting.append(run.id)
        self._settle(key)

    def _execution(self, run: Planned | Run) -> Execution:
        """Return what carries out a run that leaves the queue, or its end."""
        begun = run.begun() if isinstance(run, Planned) else run
        execution = self._executions[begun.id] = Execution(begun, self._world)
        return execution

    def _settle(self, key: _Key) -> None:
        """Do what a group needs until all is as it should be."""
        if self._tasks is None or self._world.is_draining():
            return
        group = self._groups[key]
        while (admission := admit(group)) is not None:
            self._do(group, admission)
        if not group.running and not group.waiting:
            del self._groups[key]

    def _do(self, group: Group, admission: Admission) -> None:
        match admission:
            case Start(run=run):
                group.waiting.remove(run)
                group.running[run] = False
                self._begin(self._execution(self._queued.pop(run)))
            case Skip(run=run, reason=reason):
                _leave_queue(group, run)
                execution = self._execution(self._queued.pop(run))
                self._have_done(execution, lambda it: it.end("skipped", error=reason))
            case Supersede(run=run, by=by):
                _leave_queue(group, run)
                execution = self._execution(self._queued.pop(run))
                self._have_done(execution, lambda it: it.end("superseded", error=f"run {by} is newer"))
            case Cancel(run=run, by=by):
                group.running[run] = True
                self._executions[run].cancel(by)
            case _:
                assert_never(admission)

    def _begin(self, run: Execution | Planned) -> None:
        if self._tasks is None:
            self._early.append(run)
        else:
            self._turnstile.add(run)

    def _carry_out(self, run: Execution | Planned) -> None:
        if self._tasks is None or self._world.is_draining():
            return
        if isinstance(run, Planned):
            self._fresh -= 1
            run = self._execution(run)
        self._have_done(run, Execution.carry_out)

    def _have_done(self, execution: Execution, work: _Work) -> None:
        """Let a task do something that is due; to wake one costs a fraction of what it costs to make one."""
        if self._tasks is None:
            raise RuntimeError("the engine is not running")
        self._due.append((execution, work))
        while self._spare:
            waiter = self._spare.pop()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._tasks.create_task(self._live(), name="runs")

    async def _live(self) -> None:
        """Do what is due, one after the other."""
        task: asyncio.Task[None] | None = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be cancelled")
        loop = asyncio.get_running_loop()
        while not self._world.is_draining():
            if self._due:
                await self._see(task, *self._due.popleft())
            elif len(self._spare) < SPARE:
                waiter: asyncio.Future[None] = loop.create_future()
                self._spare.append(waiter)
                await waiter
            else:
                return

    async def _see(self, task: asyncio.Task[None], execution: Execution, work: _Work) -> None:
        """See a run to its end. Nobody waits here until that is durable: who waits for its place is told then."""
        self._running[execution] = task
        try:
            await work(execution)
            durable = execution.write()
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - one run with an odd value must not end all the others
            durable = await self._failed(execution, error)
        finally:
            del self._running[execution]
        if durable is not None:
            durable.then(partial(self._written, execution))

    async def _failed(self, execution: Execution, error: Exception) -> Durable | None:
        if self._world.observer is not None:
            self._world.observer.emit(happenings.TaskFailed(task="run", exc_info=error))
        execution.give_up()
        await execution.end("failed", error=f"internal error: {type(error).__name__}: {error}")
        return execution.write()

    def _written(self, execution: Execution, error: JournalError | None) -> None:
        """Hear that the end of a run is in the log, or that it was refused."""
        if error is None:
            self._forget(execution.run)
        elif self._tasks is not None:
            self._have_done(execution, Execution.insist)

    def _forget(self, run: Run) -> None:
        del self._executions[run.id]
        self._weight -= _weight(run.event)
        if run.ended is not None:
            self._released(run.event.id, run.ended)
        key = _key(run.plan)
        if key is not None and key in self._groups:
            self._groups[key].running.pop(run.id, None)
            self._settle(key)


def _key(plan: RunPlan) -> _Key | None:
    return None if plan.concurrency is None else (plan.workflow, plan.concurrency)


def _weight(event: Arrival | Event) -> int:
    return RUN_WEIGHT + BODY_WEIGHT * len(event.raw)


def _leave_queue(group: Group, run: RunId) -> None:
    if group.waiting[-1] == run:
        group.waiting.pop()
    else:
        group.waiting.remove(run)
