"""For tests, ours and yours: a clock to move by hand, identifiers that repeat, a performer that only writes down.

A `Playbook` is a transcript of one run: what the machine asks for, what it is told, how it ends. It needs no daemon,
no loop and no waiting.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Self

import orjson

from hooksd.clock import Alarm, Clock, rfc3339
from hooksd.config.build import build, compile_workflow
from hooksd.config.secrets import SecretStore
from hooksd.config.snapshot import CompiledWorkflow, Revision, Snapshot
from hooksd.engine.commands import Attempt, Command, Finish
from hooksd.engine.machine import apply, decide
from hooksd.engine.ports import Performer
from hooksd.engine.run import Run
from hooksd.journal import codec
from hooksd.model.base import Json
from hooksd.model.definitions import Defined, Definitions
from hooksd.model.effect import Effect, Performed
from hooksd.model.event import Event
from hooksd.model.file import DefinitionFile
from hooksd.model.ids import EventId, IdFactory
from hooksd.model.record import (
    Origin,
    Record,
    RunEnded,
    RunPlan,
    RunStarted,
    RunStatus,
    StepEnded,
    StepRetried,
    StepStarted,
    StepStatus,
)
from hooksd.model.trust import Trust
from hooksd.model.workflow import Workflow

NOON = 1_795_348_800.0
"""2026-11-22T12:00:00Z: when everything here begins."""

SETTLE_ROUNDS = 40
"""How often `FakeClock` lets the loop turn before it takes everything for done that can be done at this time."""


class FakeClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: float = NOON) -> None:
        self._now = now
        self._start = now
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        """Return Unix seconds."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds since the clock was made."""
        return self._now - self._start

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has been moved on by `seconds`."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), woken))
        await woken

    def call_later(self, seconds: float, function: Callable[[], None]) -> Alarm:
        """Have a function called when the clock has been moved on by `seconds`."""
        if seconds <= 0:
            return asyncio.get_running_loop().call_soon(function)
        due: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        alarm = _Alarm(due)
        due.add_done_callback(lambda _: None if alarm.is_cancelled else function())
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), due))
        return alarm

    @property
    def sleeping(self) -> int:
        """How many sleepers wait."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    @property
    def next_due(self) -> float | None:
        """The Unix time at which the next sleeper wakes; None when nobody sleeps."""
        return min((due for due, _, woken in self._sleepers if not woken.done()), default=None)

    async def settle(self) -> None:
        """Let everything happen that can happen without time passing."""
        for _ in range(SETTLE_ROUNDS):
            await asyncio.sleep(0)

    async def advance(self, seconds: float) -> None:
        """Move on by `seconds`, waking sleepers one after another, each at its own time."""
        end = self._now + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self._now = max(self._now, due)
                woken.set_result(None)
                await self.settle()
        self._now = end
        await self.settle()


class _Alarm:
    """A call that is due on a `FakeClock`."""

    def __init__(self, due: asyncio.Future[None]) -> None:
        self.is_cancelled = False
        self._due = due

    def cancel(self) -> None:
        self.is_cancelled = True
        self._due.cancel()


class FakeIds(IdFactory):
    """Makes the same identifiers in every run of a test, in rising order."""

    def __init__(self, now: Callable[[], float] = lambda: NOON) -> None:
        super().__init__(now, itertools.count(1).__next__)


class RecordingPerformer:
    """Carries out nothing: it writes down what it was asked for and answers as it was told.

    Args:
        answers: What comes of the first, second, ... effect; afterwards each one succeeds. An answer may be a
            function of the effect.
    """

    def __init__(self, *answers: Performed | Callable[[Effect], Performed]) -> None:
        self.effects: list[Effect] = []
        """What was asked for, in order."""
        self.cancelled: list[Effect] = []
        """What was cancelled while it was under way."""
        self._answers = list(answers)
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        """Let effects take for ever, until `release`."""
        self._open.clear()

    def release(self) -> None:
        """Let effects end, those under way included."""
        self._open.set()

    async def perform(self, effect: Effect) -> Performed:
        """Write the effect down and answer."""
        self.effects.append(effect)
        try:
            await self._open.wait()
        except asyncio.CancelledError:
            self.cancelled.append(effect)
            raise
        answer = self._answers.pop(0) if self._answers else Performed(ok=True, code=0)
        return answer(effect) if callable(answer) else answer


def event_of(
    data: Json = None, *, kind: str = "test.happened", trust: Trust = Trust.SIGNED, webhook: str | None = None
) -> Event:
    """Return an event with a JSON body.

    Args:
        data: The body.
        kind: The event's type.
        trust: How much is known about its sender.
        webhook: The webhook that received it.
    """
    return Event(
        id=EventId("evt_019ab000-0000-7000-8000-000000000001"),
        type=kind,
        source=f"webhook/{webhook}" if webhook else "cli",
        subject=None,
        time=rfc3339(NOON),
        trust=trust,
        webhook=webhook,
        raw=orjson.dumps(data),
        data=data,
    )


def snapshot_of(document: Mapping[str, Json], *, credentials: Path | None = None) -> Snapshot:
    """Return definitions in force, made from one file's content.

    Args:
        document: What a file says: `workflows`, `endpoints`, `roles` and `webhooks` by name. `version` may be left out.
        credentials: The directory of `credential:` references and of `secrets.NAME`.

    Raises:
        ValidationError: The document is not a file of definitions.
    """
    file = DefinitionFile.model_validate({"version": 1, **document})
    tree = f"sha256:{hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()}"

    def defined(kind: str) -> dict[str, Defined[Json]]:
        return {
            name: _defined(name, value, document[kind][name], line)
            for line, (name, value) in enumerate(getattr(file, kind).items(), start=1)
        }

    definitions = Definitions(
        webhooks=defined("webhooks"),
        endpoints=defined("endpoints"),
        workflows=defined("workflows"),
        roles=defined("roles"),
    )
    store = SecretStore(credentials_dir=credentials, environment={}, allow_inline=True, base_dir=Path("/"))
    return build(definitions, Revision(tree=tree), store)


def workflow_of(document: Mapping[str, Json], name: str = "deploy") -> CompiledWorkflow:
    """Return one workflow, compiled.

    Args:
        document: What its table says. `on` may be left out.
        name: Its name.
    """
    written = {"on": "test.*", **document}
    return compile_workflow(_defined(name, Workflow.model_validate(written), written, 1))


def _defined(name: str, value: Json, document: Mapping[str, Json], line: int) -> Defined[Json]:
    digest = f"sha256:{hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()}"
    origin = Origin(file="test.toml", line=line)
    return Defined(name=name, value=value, origin=origin, document=document, digest=digest)


class Playbook:
    """The transcript of one run: `asks` what the machine wants, `told` what happened, `ends` how it is over.

    Before each comparison the run is folded again from its records as the log would give them back, as after a crash
    at this point: a run that would then go on otherwise fails the test.

        Playbook({"steps": [{"id": "build", "run": ["make"]}, {"id": "ship", "send": "shop"}]})
            .does("build")
            .asks(Attempt(step="ship", number=1))
            .began("ship")
            .ended("ship", "failed", error="gave up")
            .ends("failed")
    """

    def __init__(self, document: Mapping[str, Json], *, event: Event | None = None) -> None:
        """Begin with a run that has a place.

        Args:
            document: The workflow, as a file says it; `on` may be left out.
            event: What started it. Default: an event without a body.
        """
        workflow = workflow_of(document)
        plan = RunPlan(
            id="run_019ab000-0000-7000-8000-000000000002",
            workflow=workflow.name,
            definition=workflow.digest,
            origin=workflow.origin,
            concurrency=None,
        )
        self.now = NOON
        """Unix seconds; `passes` moves it."""
        self.records: list[Record] = []
        """Everything the run was told."""
        self._queued = Run(
            plan=plan, workflow=workflow, event=event or event_of(), revision="a1b2c3d4e5f6", accepted_at=NOON
        )
        self.run = self._queued
        """The state that the records amount to."""
        self.told(RunStarted(at=self._at, run=plan.id, workflow=workflow.name, revision="a1b2c3d4e5f6"))

    def passes(self, seconds: float) -> Self:
        """Let time go by."""
        self.now += seconds
        return self

    def asks(self, command: Command) -> Self:
        """Expect this to be what the run wants next. Deadlines are not compared."""
        self._compare(decide(self.run), command)
        self._compare(decide(self.refolded()), command)
        return self

    def due(self, seconds: float) -> Self:
        """Expect the deadline of what the run wants to be so many seconds after the transcript's beginning."""
        command = decide(self.run)
        self._compare(getattr(command, "deadline", None), NOON + seconds)
        return self

    def told(self, *records: Record) -> Self:
        """Let these be facts."""
        for record in records:
            self.records.append(record)
            self.run = apply(self.run, record)
        return self

    def began(self, step: str, attempt: int = 1, *, wake_in: float | None = None) -> Self:
        """Let an attempt of a step begin; for `sleep`, with the seconds that it waits."""
        wake_at = None if wake_in is None else rfc3339(self.now + wake_in)
        return self.told(StepStarted(at=self._at, run=self.run.id, step=step, attempt=attempt, wake_at=wake_at))

    def retried(self, step: str, attempt: int = 1, *, wait: float = 2.0, error: str = "it failed") -> Self:
        """Let an attempt fail, with another one due in `wait` seconds."""
        retry_at = rfc3339(self.now + wait)
        return self.told(
            StepRetried(at=self._at, run=self.run.id, step=step, attempt=attempt, error=error, retry_at=retry_at)
        )

    def ended(
        self,
        step: str,
        status: StepStatus = "ok",
        *,
        output: Json = None,
        error: str | None = None,
        detail: Mapping[str, Json] | None = None,
    ) -> Self:
        """Let a step have its result."""
        at = self.run.step
        verb = at.verb if at is not None else "run"
        attempts = self.run.progress.attempt if self.run.progress else 0
        return self.told(
            StepEnded(
                at=self._at,
                run=self.run.id,
                step=step,
                verb=verb,
                status=status,
                attempts=attempts,
                ms=0.0,
                output=output,
                error=error,
                detail=detail or {},
            )
        )

    def does(self, step: str, *, output: Json = None) -> Self:
        """Expect the first attempt of a step, and let it succeed."""
        return self.asks(Attempt(step=step, number=1)).began(step).ended(step, output=output)

    def ends(self, status: RunStatus, *, step: str | None = None, error: str | None = None) -> Self:
        """Expect the run to want nothing but its end, with this status; and nothing at all after it."""
        command = decide(self.run)
        wanted = Finish(status=status, step=step, error=error)
        if isinstance(command, Finish) and step is None and error is None:
            wanted = replace(command, status=status)
        self.asks(wanted)
        run = self.run
        self.told(
            RunEnded(
                at=self._at,
                run=run.id,
                workflow=run.workflow.name,
                event=run.event.id,
                status=status,
                ms=0.0,
                revision=run.revision,
                origin=run.plan.origin,
            )
        )
        self._compare(decide(self.run), None)
        return self

    def refolded(self) -> Run:
        """Return the state that a restart would make of the records."""
        read_back = (codec.record_of(orjson.loads(codec.dump(record))) for record in self.records)
        return reduce(apply, read_back, self._queued)

    @property
    def _at(self) -> str:
        return rfc3339(self.now)

    def _compare(self, found: object, wanted: object) -> None:
        if found != wanted:
            raise AssertionError(self._transcript(f"wanted {wanted}\nfound  {found}"))

    def _transcript(self, problem: str) -> str:
        return "\n".join(["after", *(f"  {record}" for record in self.records), problem])


_: type[Clock] = FakeClock
_performer: type[Performer] = RecordingPerformer
