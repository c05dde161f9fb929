"""All runs that have not ended, by concurrency group. Starts, ends and cancels them as `engine.admission` decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import assert_never

from hooksd.engine.admission import Admission, Cancel, Group, Skip, Start, Supersede, admit
from hooksd.engine.execution import Execution
from hooksd.engine.run import Run
from hooksd.engine.turnstile import Turnstile
from hooksd.engine.world import World
from hooksd.errors import JournalError
from hooksd.model.ids import EventId, RunId
from hooksd.model.record import RunStatus
from hooksd.telemetry import happenings

ROOM = 512 * 1024 * 1024
"""Bytes of memory that runs which have not ended may take, with their events. With more, new events are refused."""

RUN_WEIGHT = 8 * 1024
BODY_WEIGHT = 6
"""About what a run takes, and a byte of its event's body: as it came, and as the values that it was read into."""

_Key = tuple[str, str]
"""The workflow's name and the run's key."""
_Work = Callable[[Execution], Coroutine[object, object, None]]


class Crowd:
    """Owns the executions and their tasks. A run that waits has no task."""

    def __init__(self, world: World, released: Callable[[EventId, RunStatus], None]) -> None:
        """Begin with nobody.

        Args:
            world: What runs need.
            released: Told the event and the status of each run that ended.
        """
        self._world = world
        self._released = released
        self._tasks: asyncio.TaskGroup | None = None
        self._early: list[Execution] = []
        self._turnstile = Turnstile(self._carry_out, clock=world.clock)
        self._executions: dict[RunId, Execution] = {}
        self._groups: dict[_Key, Group] = {}
        self._running: dict[RunId, asyncio.Task[None]] = {}
        self._weight = 0

    @property
    def size(self) -> int:
        """How many runs have not ended."""
        return len(self._executions)

    @property
    def running(self) -> int:
        """How many have a task."""
        return len(self._running)

    @property
    def is_full(self) -> bool:
        """Tell whether so many runs wait that new events must be refused until some have ended."""
        return self._weight > ROOM

    def live_in(self, tasks: asyncio.TaskGroup) -> None:
        """Carry out runs in this group of tasks, first of all those that were added before."""
        self._tasks = tasks
        early, self._early = self._early, []
        for key in list(self._groups):
            self._settle(key)
        for execution in early:
            self._begin(execution)

    def add(self, run: Run) -> None:
        """Take a run that is durable; it begins when its group allows."""
        execution = Execution(run, self._world)
        self._executions[run.id] = execution
        self._weight += _weight(run)
        key = _key(run)
        if key is None or run.announced is not None:
            self._begin(execution)
            return
        group = self._groups.setdefault(key, Group(run.workflow.value))
        group.policy = run.workflow.value
        if run.started_at is not None:
            group.running[run.id] = False
            self._begin(execution)
        else:
            group.waiting.append(run.id)
            self._settle(key)

    def stop(self) -> tuple[asyncio.Task[None], ...]:
        """Cut off the runs that only wait, and return the tasks of all that are still at work."""
        for run, task in self._running.items():
            if self._executions[run].is_idle:
                task.cancel()
        return tuple(self._running.values())

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
                self._begin(self._executions[run])
            case Skip(run=run, reason=reason):
                _leave_queue(group, run)
                self._task(self._executions[run], lambda it: it.end("skipped", error=reason))
            case Supersede(run=run, by=by):
                _leave_queue(group, run)
                self._task(self._executions[run], lambda it: it.end("superseded", error=f"run {by} is newer"))
            case Cancel(run=run, by=by):
                group.running[run] = True
                self._executions[run].cancel(by)
            case _:
                assert_never(admission)

    def _begin(self, execution: Execution) -> None:
        if self._tasks is None:
            self._early.append(execution)
        else:
            self._turnstile.add(execution)

    def _carry_out(self, execution: Execution) -> None:
        if not self._world.is_draining():
            self._task(execution, Execution.carry_out)

    def _task(self, execution: Execution, work: _Work) -> None:
        if self._tasks is None:
            raise RuntimeError("the engine is not running yet")
        run = execution.run.id
        task = self._tasks.create_task(self._live(execution, work), name=f"run {run}")
        self._running[run] = task
        task.add_done_callback(lambda _: self._running.pop(run, None))

    async def _live(self, execution: Execution, work: _Work) -> None:
        """See a run to its end, and let those who wait for its place know."""
        try:
            await work(execution)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - one run with an odd value must not end all the others
            if self._world.observer is not None:
                self._world.observer.emit(happenings.TaskFailed(task="run", exc_info=error))
            execution.give_up()
            await execution.end("failed", error=f"internal error: {type(error).__name__}: {error}")
        if execution.run.ended is not None:
            self._forget(execution.run)

    def _forget(self, run: Run) -> None:
        del self._executions[run.id]
        self._weight -= _weight(run)
        if run.ended is not None:
            self._released(run.event.id, run.ended)
        key = _key(run)
        if key is not None and key in self._groups:
            self._groups[key].running.pop(run.id, None)
            self._settle(key)


def _key(run: Run) -> _Key | None:
    key = run.plan.concurrency
    return (run.plan.workflow, key) if key is not None else None


def _weight(run: Run) -> int:
    return RUN_WEIGHT + BODY_WEIGHT * len(run.event.raw)


def _leave_queue(group: Group, run: RunId) -> None:
    if group.waiting[-1] == run:
        group.waiting.pop()
    else:
        group.waiting.remove(run)
