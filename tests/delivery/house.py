"""What tests of deliveries are made of: definitions in force, a sender that answers as told, a dispatcher at work."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hooksd.config.snapshot import CompiledEndpoint, Revision, Snapshot
from hooksd.delivery.attempt import Attempted, exchange_of
from hooksd.delivery.dispatcher import Dispatcher
from hooksd.delivery.policy import outcome_of
from hooksd.delivery.request import Prepared
from hooksd.journal.memory import MemoryJournal
from hooksd.journal.replay import unfinished
from hooksd.model.definitions import Definitions
from hooksd.model.effect import Deliver
from hooksd.model.endpoint import Endpoint
from hooksd.model.ids import EventId, RunId
from hooksd.model.record import Origin
from hooksd.model.retry import RetryRule
from hooksd.model.secret import Secret
from hooksd.testing import FakeClock, FakeIds

KEY = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def endpoint(
    name: str = "shop",
    *,
    url: str = "https://shop.example/hooks",
    headers: Mapping[str, str] | None = None,
    secrets: Sequence[bytes] = (),
    hidden: Sequence[str] = (),
    **keys: object,
) -> CompiledEndpoint:
    return CompiledEndpoint(
        name=name,
        value=Endpoint.model_validate({"url": url, **keys}),
        origin=Origin(file="shop.toml", line=3),
        url=url,
        headers=dict(headers or {}),
        secrets=tuple(Secret(secret) for secret in secrets),
        hidden=tuple(hidden),
    )


def snapshot(*endpoints: CompiledEndpoint, secrets: Mapping[str, Secret] | None = None) -> Snapshot:
    return Snapshot(
        revision=Revision(tree="sha256:" + "ab" * 32),
        definitions=Definitions(),
        webhooks={},
        by_path={},
        workflows={},
        endpoints={item.name: item for item in endpoints},
        roles={},
        secrets=dict(secrets or {}),
    )


def effect(
    *endpoints: str,
    run: str = "run_1",
    step: str = "send",
    body: bytes = b'{"order":1}',
    media: str = "application/json",
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    retry: RetryRule | None = None,
) -> Deliver:
    return Deliver(
        endpoints=endpoints or ("shop",),
        event=EventId("evt_1"),
        run=RunId(run),
        step=step,
        headers=headers or {},
        query=query or {},
        media=media,
        body=body,
        retry=retry,
    )


Answer = int | Attempted | Callable[[Prepared], Attempted]


def answered(prepared: Prepared, status: int, headers: Mapping[str, str] | None = None, body: str = "") -> Attempted:
    outcome = outcome_of(status)
    return Attempted(
        outcome=outcome,
        exchange=replace(exchange_of(prepared), status=status, response_headers=headers or {}, response_body=body),
        error=None if outcome == "ok" else f"answered {status}",
    )


class FakeSender:
    """Answers with the statuses it was given, then with 200; holds answers back while it is told to."""

    def __init__(self, *answers: Answer) -> None:
        self.sent: list[Prepared] = []
        self.under_way = 0
        self.most_under_way = 0
        self.answers: list[Answer] = list(answers)
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def attempt(self, prepared: Prepared, timeout: float) -> Attempted:  # noqa: ARG002 - as Sender has it
        self.sent.append(prepared)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self._open.wait()
        finally:
            self.under_way -= 1
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, int):
            return answered(prepared, answer)
        return answer if isinstance(answer, Attempted) else answer(prepared)


@dataclass(kw_only=True)
class House:
    """A dispatcher with everything around it."""

    clock: FakeClock
    journal: MemoryJournal
    sender: FakeSender
    snapshot: Snapshot
    dispatcher: Dispatcher = field(init=False)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(
            journal=self.journal,
            clock=self.clock,
            ids=FakeIds(self.clock.now),
            current=lambda: self.snapshot,
            sender=self.sender,
            jitter=lambda: 0.0,
        )

    def kinds(self) -> list[str]:
        return [record.type for record in self.journal.records]

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[asyncio.TaskGroup]:
        """Let the dispatcher serve; tasks started in the group end with it."""
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(self.dispatcher.run())
            yield group
            serving.cancel()

    def reborn(self, *answers: Answer) -> House:
        """Return the next life: what the log knows and nothing else."""
        journal = MemoryJournal(self.journal.records, self.journal.blobs)
        house = House(clock=self.clock, journal=journal, sender=FakeSender(*answers), snapshot=self.snapshot)
        house.dispatcher.recover(unfinished(journal.read()))
        return house
