"""Puts definitions in force: all of a set or nothing of it.

Everything that can fail happens in a thread and touches nothing that runs; then the record is durable; then one
assignment makes the new snapshot the current one. `daemon.wiring` starts it, `daemon.lifecycle` runs it, and the admin
API asks it to look at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol, assert_never

from hooksd.clock import Clock, rfc3339
from hooksd.config import gaps
from hooksd.config.diagnostics import Diagnostic, as_json, render_text
from hooksd.config.diff import Difference
from hooksd.config.secrets import SecretStore
from hooksd.config.snapshot import Snapshot
from hooksd.config.tree import Tree
from hooksd.config.watch import Watcher
from hooksd.daemon import memory
from hooksd.daemon.judge import Checker, Held, Judge, Ready, Rejected, Unchanged, Verdict, at_once
from hooksd.daemon.memory import Turns
from hooksd.errors import DefinitionsRejected, JournalFull
from hooksd.journal.protocol import Journal
from hooksd.model.base import Json
from hooksd.model.record import ConfigApplied, ConfigHeld, ConfigRejected
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer

State = Literal["IN_SYNC", "APPLYING", "REJECTED", "HELD"]

RETRY = 2.0
"""Seconds to wait when the log has no room for the record of a new set; until then the old one stays in force."""

THOROUGH = 50
"""Each time so many sets have been put in force, the garbage collector looks at what was taken out of its sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the files and what is in force stand to each other."""

    state: State
    since: str
    """Since when, RFC 3339 in UTC."""
    revision: str | None
    """Of the files, as last seen."""
    running: str | None
    """Of what is in force. It is another one than `revision` while a set is rejected or held."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """Why a set was rejected, or warnings about one in force."""
    reason: str | None = None
    """Why a set is held."""
    removed: tuple[str, ...] = ()
    """What a held set would remove."""

    def as_json(self) -> dict[str, Json]:
        """Return it as the API answers it."""
        tree = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**tree, "removed": list(self.removed), "diagnostics": [as_json(item) for item in self.diagnostics]}


class Source(Protocol):
    """Where trees come from: `hooksd.config.watch.Watcher`; tests hand in their own."""

    async def tree(self) -> Tree:
        """Return the content as soon as it is at rest."""
        ...

    def changes(self) -> AsyncGenerator[Tree, None]:
        """Yield the content, now and whenever it has changed."""
        ...


class Reloader:
    """Keeps what is in force equal to the files, unless they are broken or remove too much."""

    def __init__(  # noqa: PLR0913 - what one daemon is wired with
        self,
        *,
        root: Path,
        loader: Checker,
        secrets: SecretStore,
        journal: Journal,
        clock: Clock,
        publish: Callable[[Snapshot], None],
        announce: Callable[[str, dict[str, Json]], Awaitable[None]],
        observer: Observer,
        source: Source | None = None,
    ) -> None:
        """Take what it needs.

        Args:
            root: The directory of definitions.
            loader: Checks sets of files.
            secrets: Where references to secrets are read, anew for each set.
            journal: Where records go. It has been read before `start`.
            clock: The time.
            publish: Makes a snapshot the current one.
            announce: Sends an event of the daemon itself: its type and its body.
            observer: What tells operators.
            source: Where trees come from. Default: a watcher of `root`.
        """
        self._root = root
        self._judge = Judge(root=root, loader=loader, secrets=secrets)
        self._journal = journal
        self._clock = clock
        self._publish = publish
        self._announce = announce
        self._observer = observer
        self._source = source or Watcher(root, clock=clock, report=self._report)
        self._lock = asyncio.Lock()
        self._running: Snapshot | None = None
        self._problems: tuple[str, ...] = ()
        self._warnings: tuple[Diagnostic, ...] = ()
        """About the files of the set in force."""
        self._applied = 0
        self._status = Status(state="APPLYING", since=rfc3339(clock.now()), revision=None, running=None)

    @property
    def status(self) -> Status:
        """How things stand now."""
        return self._status

    async def start(self) -> None:
        """Put the first set in force. Nothing is announced: a daemon that starts changes nothing.

        Raises:
            DefinitionsRejected: There is no directory, or what is in it has errors.
            JournalFull: There is no room for the record.
        """
        memory.collect_seldom()
        async with self._lock:
            tree = await self._source.tree()
            if not tree.exists and not tree.unreadable:
                raise DefinitionsRejected(
                    f"there is no directory {self._root}: make it, or name another as `hooks_dir`"
                )
            self._tell(tree.problems)
            verdict = await self._verdict(tree, accept=None, again=True)
            match verdict:
                case Ready():
                    await self._apply(verdict)
                case Rejected():
                    shown = render_text(verdict.diagnostics, color=False)
                    raise DefinitionsRejected(f"the definitions in {self._root} are refused:\n\n{shown}")
                case Held() | Unchanged():
                    raise AssertionError("nothing runs yet that could be kept")
                case _:
                    assert_never(verdict)
            if not tree.files:
                self._report(f"there is no definition in {self._root}: every request is answered 404")

    async def run(self) -> None:
        """Follow the files until cancelled.

        Raises:
            JournalBroken: The log is at its end.
        """
        async with aclosing(self._source.changes()) as changes:
            async for tree in changes:
                await self._follow(tree)

    async def reload(self, accept: str | None = None) -> Status:
        """Look at the files now, read all secrets anew, and return the verdict on exactly this content.

        Args:
            accept: The revision that may remove as much as it does, as `Status.revision` of a held set names it.

        Raises:
            JournalFull: There is no room for the record; the old set stays in force.
            JournalBroken: The log is at its end.
        """
        async with self._lock:
            return await self._consider(await self._source.tree(), accept=accept, again=True)

    async def rehearse(self, tree: Tree) -> Verdict:
        """Return the verdict on some content, exactly as for a reload, without putting it in force or telling anybody.

        Args:
            tree: What the directory might hold.
        """
        async with self._lock:
            return await self._verdict(tree, accept=None, again=True)

    async def _follow(self, tree: Tree) -> None:
        """Judge a changed tree, as often as the log refuses the record for want of room."""
        is_stale = self._lock.locked()
        while True:
            async with self._lock:
                if is_stale:  # while this one waited its turn, a request may have put newer files in force
                    tree = await self._source.tree()
                try:
                    await self._consider(tree, accept=None, again=False)
                except JournalFull as error:
                    self._report(f"the definitions cannot be changed while the log has no room: {error}")
                else:
                    return
            is_stale = True
            await self._clock.sleep(RETRY)

    async def _consider(self, tree: Tree, *, accept: str | None, again: bool) -> Status:
        before = self._status
        self._status = replace(before, state="APPLYING", since=self._now())
        self._tell(tree.problems)
        try:
            verdict = await self._verdict(tree, accept=accept, again=again)
            match verdict:
                case Unchanged():
                    self._restore(before)
                case Ready():
                    await self._apply(verdict)
                case Rejected() | Held():
                    await self._keep(before, verdict)
                case _:
                    assert_never(verdict)
        except BaseException:
            self._status = before
            raise
        return self._status

    async def _verdict(self, tree: Tree, *, accept: str | None, again: bool) -> Verdict:
        try:
            with memory.in_the_background():
                pause = at_once if self._running is None else Turns(self._clock.monotonic)
                return await asyncio.to_thread(
                    self._judge.judge, tree, self._running, accept=accept, again=again, pause=pause
                )
        except Exception as error:  # noqa: BLE001 - no content may end the daemon, whatever it makes us do wrong
            self._observer.emit(happenings.TaskFailed(task="reload", exc_info=error))
            return self._judge.failed(tree, error)

    def _restore(self, before: Status) -> None:
        """The files are what is in force."""
        was_in_sync = before.state == "IN_SYNC"
        self._status = self._in_sync(before.since if was_in_sync else self._now())
        if not was_in_sync:
            self._observer.emit(happenings.ConfigRestored(revision=self._status.revision or ""))

    def _in_sync(self, since: str) -> Status:
        revision = None if self._running is None else self._running.revision.id
        warnings = (*self._warnings, *gaps.left_out(self._problems))
        return Status(state="IN_SYNC", since=since, revision=revision, running=revision, diagnostics=warnings)

    async def _apply(self, ready: Ready) -> None:
        """Put a set in force. The record comes first: what is not in the log has not happened."""
        old, snapshot, revision, at = self._running, ready.snapshot, ready.snapshot.revision, self._clock.now()
        # At the start everything is new: lists of all names would say nothing.
        difference = ready.difference if old else Difference()
        record = ConfigApplied(
            at=rfc3339(at),
            revision=revision.id,
            commit=revision.commit,
            dirty=revision.dirty,
            counts=snapshot.definitions.counts(),
            added=difference.added,
            changed=difference.changed,
            removed=difference.removed,
        )
        is_new = old is None or old.revision != revision
        if is_new:
            await self._journal.append([record])
        self._running = snapshot
        self._publish(snapshot)
        self._warnings = ready.warnings
        self._status = self._in_sync(record.at)
        self._applied += 1
        if self._applied % THOROUGH == 0:
            memory.tidy()
        self._observer.emit(happenings.ConfigApplied(**_body(record) | {"at": at}))
        if old is not None and is_new:
            await self._send(record)
        if old is not None:
            pieces = memory.pieces_of(old)
            del old
            with memory.in_the_background():
                await asyncio.to_thread(memory.let_go, pieces, Turns(self._clock.monotonic))

    async def _keep(self, before: Status, verdict: Rejected | Held) -> None:
        """Leave the old set in force and say why, once."""
        running = None if self._running is None else self._running.revision.id
        status = Status(
            state="REJECTED" if isinstance(verdict, Rejected) else "HELD",
            since=self._now(),
            revision=verdict.revision.id,
            running=running,
            diagnostics=verdict.diagnostics if isinstance(verdict, Rejected) else (),
            reason=verdict.reason if isinstance(verdict, Held) else None,
            removed=verdict.removed if isinstance(verdict, Held) else (),
        )
        if replace(status, since=before.since) == before:
            self._status = before
            return
        record = _record_of(status)
        await self._journal.append([record])
        self._status = status
        self._observer.emit(_happening_of(status))
        await self._send(record)

    async def _send(self, record: ConfigApplied | ConfigRejected | ConfigHeld) -> None:
        """Let workflows know."""
        # The record is durable and the verdict stands: that the notice found no room must not undo them.
        with contextlib.suppress(JournalFull):
            await self._announce(record.type, _body(record))

    def _tell(self, problems: tuple[str, ...]) -> None:
        """Say what was left out of a tree, once."""
        for problem in problems:
            if problem not in self._problems:
                self._report(problem)
        self._problems = problems

    def _report(self, problem: str) -> None:
        self._observer.emit(happenings.ConfigProblem(problem=problem))

    def _now(self) -> str:
        return rfc3339(self._clock.now())


def _record_of(status: Status) -> ConfigRejected | ConfigHeld:
    revision = status.revision or ""
    if status.state == "REJECTED":
        shown = tuple(as_json(item) for item in status.diagnostics)
        return ConfigRejected(at=status.since, revision=revision, running=status.running, diagnostics=shown)
    return ConfigHeld(
        at=status.since,
        revision=revision,
        running=status.running,
        reason=status.reason or "",
        removed=status.removed,
    )


def _happening_of(status: Status) -> happenings.ConfigRejected | happenings.ConfigHeld:
    revision = status.revision or ""
    if status.state == "REJECTED":
        text = render_text(status.diagnostics, color=False)
        return happenings.ConfigRejected(revision=revision, running=status.running, diagnostics=text)
    return happenings.ConfigHeld(
        revision=revision, running=status.running, reason=status.reason or "", removed=status.removed
    )


def _body(record: ConfigApplied | ConfigRejected | ConfigHeld) -> dict[str, Json]:
    """Return what a record says besides its type and time."""
    fields = (field.name for field in dataclasses.fields(record) if field.name not in ("type", "at"))
    return {name: getattr(record, name) for name in fields}
