"""An engine with everything around it faked: what tests of the engine drive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from hooksd.engine.ports import Accepted, Outlet
from hooksd.engine.runner import Engine
from hooksd.journal.memory import MemoryJournal
from hooksd.journal.replay import unfinished
from hooksd.model.event import Event
from hooksd.model.record import Record
from hooksd.telemetry.observer import Observer
from hooksd.testing import FakeClock, FakeIds, RecordingPerformer, event_of, snapshot_of

R = TypeVar("R", bound=Record)

ROLES: dict[str, Any] = {
    "deployer": {"allow": ["run:*", "shell", "http:https://*", "send:*"], "secrets": ["token"]},
}


class Bench:
    """One process: an engine, its world, and a log that can outlive it."""

    def __init__(
        self,
        workflows: Mapping[str, Any],
        *,
        performer: RecordingPerformer | None = None,
        journal: MemoryJournal | None = None,
        clock: FakeClock | None = None,
        ids: FakeIds | None = None,
        credentials: Path | None = None,
        outlet: Outlet | None = None,
        observer: Observer | None = None,
        **kinds: Any,
    ) -> None:
        self.clock = clock or FakeClock()
        self.journal = journal or MemoryJournal()
        self.performer = performer or RecordingPerformer()
        self.ids = ids or FakeIds(self.clock.now)
        self.credentials = credentials
        self.observer = observer or Observer()
        self.define(workflows, **kinds)
        self.engine = Engine(
            journal=self.journal,
            performer=self.performer,
            clock=self.clock,
            ids=self.ids,
            current=lambda: self.snapshot,
            jitter=lambda: 0.0,
            public_url="https://hooks.example",
            observer=self.observer,
            outlet=outlet,
        )

    def define(self, workflows: Mapping[str, Any], **kinds: Any) -> None:
        """Put definitions in force; `on` and `run_as` are `test.*` and `deployer` unless they are written."""
        documents = {name: {"on": "test.*", "run_as": "deployer", **document} for name, document in workflows.items()}
        for document in documents.values():
            if document["run_as"] is None:
                del document["run_as"]
        document = {"roles": ROLES, **kinds, "workflows": documents}
        self.snapshot = snapshot_of(document, credentials=self.credentials)

    @asynccontextmanager
    async def running(self, *, recover: bool = False) -> AsyncIterator[Bench]:
        """Let the engine run inside the block, and die without a word at its end."""
        if recover:
            self.engine.recover(unfinished(self.journal.read()))
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.engine.run())
            await self.clock.settle()
            try:
                yield self
            finally:
                task.cancel()

    async def happens(self, data: Any = None, **options: Any) -> Accepted:
        """Accept an event and let everything happen that it leads to without time passing."""
        accepted = await self.engine.accept(self.event(data, **options), origin=None)
        await self.clock.settle()
        return accepted

    def event(self, data: Any = None, **options: Any) -> Event:
        """Return a new event."""
        return replace(event_of(data, **options), id=self.ids.event())

    def reborn(self, workflows: Mapping[str, Any], **options: Any) -> Bench:
        """Return the next process on what the log holds now."""
        journal = MemoryJournal(self.journal.read(), self.journal.blobs)
        return Bench(
            workflows, journal=journal, clock=self.clock, ids=self.ids, credentials=self.credentials, **options
        )

    def records(self, kind: type[R]) -> list[R]:
        return [record for record in self.journal.records if isinstance(record, kind)]

    def types(self) -> list[str]:
        return types(self.journal.records)


def types(records: Iterable[Record]) -> list[str]:
    return [record.type for record in records]
