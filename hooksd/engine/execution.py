"""One run, carried out: asks `engine.machine` what to do, has it done, writes down what came of it.

Records are collected and made durable together before the world is touched, before waiting, and at the end. So a run
costs one sync for each step, and whatever the world has seen is in the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any, assert_never

import orjson

from hooksd.clock import rfc3339
from hooksd.config.snapshot import CompiledStep
from hooksd.engine import closing
from hooksd.engine.commands import Attempt, Conclude, Finish, Rest
from hooksd.engine.machine import apply, decide
from hooksd.engine.patience import OutOfTime, Until
from hooksd.engine.ports import Response
from hooksd.engine.preparing import Skip, prepare
from hooksd.engine.rights import Rights
from hooksd.engine.run import Run
from hooksd.engine.steps.intent import Act, Answer, Intent, Publish, Refuse, Settle, Sleep
from hooksd.engine.steps.registry import VERBS
from hooksd.engine.world import World
from hooksd.journal.protocol import Durable
from hooksd.model.base import Json
from hooksd.model.effect import Deliver, Effect, Performed, StartProcess
from hooksd.model.making import step_ended, step_started
from hooksd.model.record import Record, RunStatus, StepRetried, StepStarted, StepStatus
from hooksd.model.retry import longest_wait, wait_after
from hooksd.model.stored import BLOB_THRESHOLD
from hooksd.model.units import format_duration

LONGEST_ERROR = 2000
"""Characters of an error that are kept."""


class Execution:
    """A run and its surroundings. `carry_out` is one task; everything before it costs no task."""

    __slots__ = ("_limit", "_pending", "_replaced_by", "_world", "is_idle", "run")

    def __init__(self, run: Run, world: World) -> None:
        self.run = run
        self.is_idle = False
        """It only waits, so cancelling its task interrupts nothing."""
        self._world = world
        self._pending: list[Record] = []
        self._replaced_by: str | None = None
        self._limit: Until | None = None

    async def carry_out(self) -> None:
        """Go on until the run has ended, or until no step may begin any more.

        Raises:
            JournalBroken: The log is at its end.
        """
        if self.run.started_at is None and self.run.announced is None:
            started = closing.started(self.run, self._world)
            self._note(started)
            closing.tell_started(self._world.observer, started)
        while not self._world.is_draining() and (command := decide(self.run)) is not None:
            match command:
                case Attempt():
                    await self._attempt(command)
                case Finish(status=status, step=step, error=error):
                    await self.end(status, step=step, error=error)
                case Rest():
                    await self._rest(command)
                case Conclude(status=status, attempts=attempts, output=output, error=error):
                    await self._close(self._step, status, attempts, output=output, error=error)
                case _:
                    assert_never(command)
        if self.run.ended is None:
            await self._flush()

    def cancel(self, by: str) -> None:
        """End `steps` as cancelled, because run `by` takes its place. What cleans up is still done."""
        self._replaced_by = by
        if self._limit is not None and self.run.phase == "steps":
            self._limit.cut()

    async def end(self, status: RunStatus, *, step: str | None = None, error: str | None = None) -> None:
        """Publish and note the end of the run; `write` it.

        Raises:
            JournalBroken: The log is at its end.
        """
        event = (
            None if self.run.announced is not None else closing.announcement(self.run, self._world, status, step, error)
        )
        if event is not None:
            await self._flush()
            self.run = apply(self.run, await self._world.publish(event))
        ended = closing.ended(self.run, self._world, status, step, error)
        self._note(ended)
        closing.tell_ended(self._world.observer, ended)

    def write(self) -> Durable | None:
        """Queue what is left to be written of a run that has ended. If it is refused, `insist`. None: it has not."""
        return None if self.run.ended is None else self._world.logbook.append(self._pending)

    async def insist(self) -> None:
        """Write down what was refused, as soon as there is room.

        Raises:
            JournalBroken: The log is at its end.
        """
        await self._flush()

    def give_up(self) -> None:
        """Forget what was not written down yet: one of those records is why the run cannot go on."""
        self._pending.clear()

    async def _attempt(self, command: Attempt) -> None:
        due, deadline = command.not_before, command.deadline
        if not (self._has_time(deadline) if due is None else await self._wait_until(due, deadline)):
            await self._cancelled(command.number - 1)
            return
        step = self._step
        rights, intent = self._prepare(step, command.number)
        if not (isinstance(intent, Act) and isinstance(intent.effect, StartProcess)):
            await self._pursue(command, step, intent, rights)
            return
        places = self._world.programs
        if not places.take():
            if not await self._wait_for_place(deadline):
                await self._cancelled(command.number - 1)
                return
            # Roles and secrets may be others by now.
            rights, intent = self._prepare(step, command.number)
        try:
            await self._pursue(command, step, intent, rights)
        finally:
            places.leave()

    async def _wait_for_place(self, deadline: float) -> bool:
        """Take a place for a program as soon as there is one; false when the deadline or a newer run came first."""
        await self._flush()
        self.is_idle = True
        try:
            with self._world.patience.until(deadline) as self._limit:
                await self._world.programs.wait()
        except OutOfTime:
            return False
        else:
            return True
        finally:
            self._limit = None
            self.is_idle = False

    def _pursue(
        self, command: Attempt, step: CompiledStep, intent: Intent | Skip, rights: Rights
    ) -> Coroutine[Any, Any, None]:
        """Return what does what a step wants."""
        match intent:
            case Act(effect=effect):
                return self._act(command, step, effect, rights)
            case Skip(detail=detail):
                return self._close(step, "skipped", 0, detail=detail)
            case Refuse(error=error, detail=detail):
                # `fail` did what it was told; the others did not get as far as an attempt.
                attempts = command.number if step.verb == "fail" else command.number - 1
                return self._close(step, "failed", attempts, error=rights.hide(error), detail=detail)
            case _:
                return self._inner(command, step, intent)

    async def _inner(self, command: Attempt, step: CompiledStep, intent: Settle | Answer | Publish | Sleep) -> None:
        """Do what needs nobody outside."""
        match intent:
            case Settle(output=output):
                await self._close(step, "ok", command.number, output=output)
            case Answer(status=status, headers=headers, body=body):
                answer = {"status": status, "headers": dict(headers), "body": body}
                await self._close(step, "ok", command.number, output=answer)
                await self._flush()
                self._world.answer(self.run.event.id, Response(status=status, headers=headers, body=body))
            case Publish():
                await self._flush()
                event = closing.emitted(self.run, self._world, command.step, intent)
                self.run = apply(self.run, await self._world.publish(event))
            case Sleep(seconds=seconds):
                wake_at = rfc3339(self._world.clock.now() + seconds)
                self._note(self._started(command, wake_at))
            case _:
                assert_never(intent)

    def _prepare(self, step: CompiledStep, number: int) -> tuple[Rights, Intent | Skip]:
        rights = self._world.office.rights(self.run.workflow, self.run.event.trust)
        try:
            return rights, prepare(self.run, step, number, rights, self._world.base_url)
        except Exception as error:  # noqa: BLE001 - whatever data made of it, it is this step that fails
            return rights, Refuse(error=f"the step cannot be prepared: {type(error).__name__}: {error}")

    async def _act(self, command: Attempt, step: CompiledStep, effect: Effect, rights: Rights) -> None:
        self._note(self._started(command, None))
        await self._write()
        clock = self._world.clock
        began = clock.monotonic()
        performed = await self._perform(step, effect, command.deadline)
        ms = round((clock.monotonic() - began) * 1000, 3)
        if performed is None:
            await self._cancelled(command.number, ms)
            return
        performed = VERBS[step.verb].judge(step.value, performed)
        if rights.secrets:
            performed = replace(performed, error=rights.hide(performed.error), detail=rights.hide(performed.detail))
        if not performed.ok and (wait := self._wait_for_retry(step, command.number, performed)) is not None:
            self._note(self._retried(command, performed, wait))
            return
        await self._close(
            step,
            "ok" if performed.ok else "failed",
            command.number,
            ms=ms,
            code=performed.code,
            output=performed.output,
            error=performed.error,
            detail=performed.detail,
        )

    def _wait_for_retry(self, step: CompiledStep, number: int, performed: Performed) -> float | None:
        """Return for how many seconds to wait after a failed attempt; None: there is no further one."""
        rule = step.value.retry if VERBS[step.verb].retries and performed.kind != "unknown" else None
        wait = None if rule is None else wait_after(rule, number, self._world.jitter())
        if rule is None or wait is None:
            return None
        return max(wait, min(performed.patience, longest_wait(rule)))

    async def _perform(self, step: CompiledStep, effect: Effect, deadline: float) -> Performed | None:
        """Return what came of an effect; None when the deadline or a newer run cut it off."""
        # Programs and requests keep their own time, from when they begin: one that waits for its turn loses none.
        timeout = step.value.timeout if isinstance(effect, Deliver) else None
        limit = deadline if timeout is None else min(deadline, self._world.clock.now() + timeout)
        if self._is_cut_off():
            return None
        performed: Performed | None = None
        try:
            with self._world.patience.until(limit) as self._limit:
                performed = await self._world.performer.perform(effect)
        except OutOfTime:
            if not self._is_cut_off() and timeout is not None and limit < deadline:
                error = f"no end within {format_duration(timeout)}"
                performed = Performed(ok=False, kind="timeout", error=error)
        except Exception as error:  # noqa: BLE001 - an adapter that raises has failed, and so has the step
            performed = Performed(ok=False, error=f"internal error: {type(error).__name__}: {error}")
        finally:
            self._limit = None
        return performed

    async def _rest(self, command: Rest) -> None:
        if await self._wait_until(command.until, command.deadline):
            await self._close(self._step, "ok", command.attempt)
        else:
            await self._cancelled(command.attempt)

    async def _wait_until(self, when: float, deadline: float) -> bool:
        """Wait; false when the deadline or a newer run came first."""
        if not self._has_time(deadline):
            return False
        if when <= self._world.clock.now():
            return True
        await self._flush()
        self.is_idle = True
        try:
            with self._world.patience.until(min(when, deadline)) as self._limit:
                await asyncio.Event().wait()
        except OutOfTime:
            pass  # one of the two times has come, or a newer run
        finally:
            self._limit = None
            self.is_idle = False
        return not self._is_cut_off() and when <= deadline

    def _has_time(self, deadline: float) -> bool:
        """Tell whether neither the deadline nor a newer run has come."""
        return not self._is_cut_off() and self._world.clock.now() < deadline

    def _is_cut_off(self) -> bool:
        """Tell whether a newer run ends this one's `steps`."""
        return self._replaced_by is not None and self.run.phase == "steps"

    async def _cancelled(self, attempts: int, ms: float = 0.0) -> None:
        if self._is_cut_off():
            reason, error = "restart", f"cancelled: run {self._replaced_by} takes its place"
        else:
            reason, error = "deadline", f"the deadline of {format_duration(self.run.workflow.value.deadline)} passed"
        await self._close(self._step, "cancelled", attempts, ms=ms, error=error, detail={"reason": reason})

    async def _close(  # noqa: PLR0913 - a result has many parts
        self,
        step: CompiledStep,
        status: StepStatus,
        attempts: int,
        *,
        ms: float = 0.0,
        code: int | None = None,
        output: Json = None,
        error: str | None = None,
        detail: Mapping[str, Json] | None = None,
    ) -> None:
        """Write down the result of the step that the run stands at."""
        record = step_ended(
            at=self._world.at(),
            run=self.run.plan.id,
            workflow=self.run.workflow.name,
            step=step.key,
            verb=step.verb,
            status=status,
            attempts=attempts,
            ms=ms,
            code=code,
            output=output,
            error=error[:LONGEST_ERROR] if error is not None else None,
            detail=detail or {},
        )
        try:
            encoded = b"" if output is None else orjson.dumps(output)
        except TypeError as problem:
            record = replace(record, status="failed", output=None, error=f"its output is not JSON: {problem}")
            encoded = b""
        if len(encoded) > BLOB_THRESHOLD:
            digest = await self._world.logbook.keep(encoded)
            # The log names the blob; the run goes on with the whole.
            self._note(replace(record, output=None, output_blob=digest), whole=record)
        else:
            self._note(record)
        closing.tell_step(self._world.observer, record, self.run.workflow.name)

    def _started(self, command: Attempt, wake_at: str | None) -> StepStarted:
        return step_started(
            at=self._world.at(),
            run=self.run.plan.id,
            workflow=self.run.workflow.name,
            step=command.step,
            attempt=command.number,
            wake_at=wake_at,
        )

    def _retried(self, command: Attempt, performed: Performed, wait: float) -> StepRetried:
        now = self._world.clock.now()
        return StepRetried(
            at=rfc3339(now),
            run=self.run.plan.id,
            workflow=self.run.workflow.name,
            step=command.step,
            attempt=command.number,
            error=(performed.error or "failed")[:LONGEST_ERROR],
            retry_at=rfc3339(now + wait),
        )

    @property
    def _step(self) -> CompiledStep:
        step = self.run.step
        if step is None:
            raise RuntimeError(f"run {self.run.id} has no step left")
        return step

    def _note(self, record: Record, whole: Record | None = None) -> None:
        self._pending.append(record)
        self.run = apply(self.run, whole or record)

    async def _flush(self) -> None:
        if self._pending:
            await self._write()

    def _write(self) -> Coroutine[Any, Any, None]:
        """Return what writes down all that was noted."""
        records, self._pending = self._pending, []
        return self._world.logbook.write(records)
