"""What the tests of the web share: a fake engine, a verifier that knows one token, and webhooks made of a few words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx
from msgspec.structs import replace
from starlette.types import ASGIApp

from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Authentic, Reason, Refused, Verdict, Verifier
from hooksd.config.entry import entry_of, reads_body
from hooksd.config.snapshot import CompiledWebhook, Revision, Snapshot
from hooksd.engine.ports import Accepted, Intake, Response, Taken
from hooksd.errors import JournalError
from hooksd.expr.template import Template, compile_template
from hooksd.journal.memory import MemoryJournal
from hooksd.journal.receipt import Receipt
from hooksd.model.arrival import Arrival
from hooksd.model.base import Json
from hooksd.model.definitions import Defined, Definitions
from hooksd.model.event import Event
from hooksd.model.ids import EventId
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import NotStarted, Origin, RunPlan
from hooksd.model.trust import Trust
from hooksd.model.webhook import Webhook
from hooksd.telemetry.observer import Observer
from hooksd.testing import FakeClock, FakeIds
from hooksd.web.answer import Answer
from hooksd.web.control import Control
from hooksd.web.duplicates import Duplicates
from hooksd.web.origin import Proxies
from hooksd.web.receive import Head, Receiver
from hooksd.web.recent import recent
from hooksd.web.refusals import Refusals
from hooksd.web.trigger import TriggerApp

ORIGIN = Origin(file="hooks.toml", line=3)
PEER = "192.0.2.7"
OPEN = {"auth": {"type": "none"}}


def plan(number: int = 1, workflow: str = "deploy") -> RunPlan:
    """Return a run that an event starts."""
    identifier = f"run_00000000-0000-7000-8000-{number:012d}"
    return RunPlan(id=identifier, workflow=workflow, definition="sha256:0", origin=ORIGIN, concurrency=None)


class FakeIntake:
    """An engine that only remembers what it accepted, and answers as it was told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.origins: list[Origin | None] = []
        self.started: list[str] = []
        self.sent: list[tuple[str, str | None]] = []
        self.runs: tuple[RunPlan, ...] = (plan(),)
        self.not_started: tuple[NotStarted, ...] = ()
        self.deliveries: tuple[DeliveryPlan, ...] = ()
        self.error: Exception | None = None
        self.answer: Response | None = None
        self.waited: list[tuple[EventId, float]] = []
        self.gate = asyncio.Event()
        """Closed: something must be stored first, and that takes until it is open."""
        self.gate.set()

    async def accept(self, event: Event, *, origin: Origin | None) -> Accepted:
        """Remember the event, or raise `error`."""
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.events.append(event)
        self.origins.append(origin)
        return Accepted(event=event.id, runs=self.runs, not_started=self.not_started, deliveries=self.deliveries)

    def take(self, arrival: Arrival, *, origin: Origin) -> Taken | None:
        """Remember the event; it is durable in a moment, or there is `error`."""
        if not self.gate.is_set():
            return None
        event = arrival.event()
        receipt = Receipt()
        if isinstance(self.error, JournalError):
            receipt.settle(self.error)
        elif self.error is not None:
            raise self.error
        else:
            self.events.append(event)
            self.origins.append(origin)
            asyncio.get_running_loop().call_soon(receipt.settle, None)
        return Taken(Accepted(event=event.id, runs=self.runs, not_started=self.not_started), receipt)

    async def start(self, event: Event, workflow: str) -> Accepted:
        """Remember the event and the workflow."""
        self.started.append(workflow)
        return await self.accept(event, origin=None)

    async def send(self, event: Event, endpoint: str, *, fingerprint: str | None = None) -> Accepted:
        """Remember the event, the endpoint and the fingerprint of its definition."""
        accepted = await self.accept(event, origin=None)
        self.sent.append((endpoint, fingerprint))
        return replace(accepted, runs=(), deliveries=(DeliveryPlan(id=f"dlv_{endpoint}", endpoint=endpoint),))

    async def response(self, event: EventId, timeout: float) -> Response | None:
        """Return `answer`."""
        self.waited.append((event, timeout))
        return self.answer


_: type[Intake] = FakeIntake


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenVerifier:
    """Knows its callers by `x-token`, unless no token is asked for; reads the event type from `x-event`."""

    token: str | None = None
    reason: Reason = "bad_token"
    trust: Trust = Trust.TOKEN
    credential_headers: frozenset[str] = frozenset({"x-token"})
    credential_fields: frozenset[str] = frozenset({"token"})
    credential_paths: frozenset[str] = frozenset()

    def verify(self, request: Inbound, now: float) -> Verdict:  # noqa: ARG002 - see Verifier
        """Judge by the header."""
        if self.token is None or request.header_values("x-token") == [self.token]:
            return Authentic(key=0)
        return Refused(reason=self.reason)

    def event(self, request: Inbound, data: Json, /) -> str | None:  # noqa: ARG002 - see Verifier
        """Read the event type from a header."""
        return next(iter(request.header_values("x-event")), None)

    def id(self, request: Inbound, data: Json, /) -> str | None:  # noqa: ARG002 - see Verifier
        """Read the delivery id from a header."""
        return next(iter(request.header_values("x-delivery")), None)


_verifier: Callable[[], Verifier] = TokenVerifier


def webhook(
    name: str = "github",
    verifier: Verifier | None = None,
    *,
    path: str | None = None,
    schema: Json = None,
    **keys: Json,
) -> CompiledWebhook:
    """Compile a webhook as the definitions would."""
    value = Webhook.model_validate({**OPEN, **keys})
    return CompiledWebhook(
        name=name,
        value=value,
        origin=ORIGIN,
        path=path or f"/hooks/{name}",
        verifier=verifier or TokenVerifier(),
        event=template(value.event),
        subject=template(value.subject),
        entry=entry_of(value, schema, None),
        reads_body=reads_body(value.auth),
    )


def template(source: str | None) -> Template | None:
    """Compile a template that may be missing."""
    return None if source is None else compile_template(source)


def snapshot(*webhooks: CompiledWebhook, definitions: Definitions | None = None) -> Snapshot:
    """Return definitions in force that hold webhooks."""
    defined = {
        item.name: Defined(name=item.name, value=item.value, origin=item.origin, document=OPEN, digest="sha256:1")
        for item in webhooks
    }
    return Snapshot(
        revision=Revision(tree="sha256:" + "ab" * 32, commit="c" * 40),
        definitions=definitions or Definitions(webhooks=defined),
        webhooks={item.name: item for item in webhooks},
        by_path={item.path: item for item in webhooks if item.value.enabled and not item.value.uuid},
        by_uuid={(item.path, item.value.uuid): item for item in webhooks if item.value.uuid},
        workflows={},
        endpoints={},
        roles={},
        secrets={},
    )


def inbound(
    body: bytes = b"{}",
    *,
    method: str = "POST",
    media: str = "application/json",
    headers: Mapping[str, str] | tuple[tuple[str, str], ...] = (),
    query: str = "",
) -> Inbound:
    """Return a request as verifiers see it."""
    pairs = tuple(headers.items()) if isinstance(headers, Mapping) else headers
    return Inbound(method=method, path="/hooks/github", query_string=query, headers=pairs, body=body, media=media)


@dataclass(kw_only=True)
class Listener:
    """A trigger listener of fakes, and everything that it would write."""

    intake: FakeIntake = field(default_factory=FakeIntake)
    clock: FakeClock = field(default_factory=FakeClock)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    observer: Observer = field(default_factory=Observer)
    unready: list[str] = field(default_factory=list)
    public_url: str | None = "https://hooks.example.com"
    webhooks: tuple[CompiledWebhook, ...] = ()
    proxies: Proxies | None = None

    def __post_init__(self) -> None:
        self.refusals = Refusals(journal=self.journal, clock=self.clock, observer=self.observer)
        self.duplicates = Duplicates(self.clock.now)
        self.receiver = Receiver(
            intake=self.intake,
            clock=self.clock,
            ids=FakeIds(),
            public_url=self.public_url,
            refusals=self.refusals,
            shelf=self.journal,
            duplicates=self.duplicates,
        )
        self.app: ASGIApp = TriggerApp(
            receiver=self.receiver,
            refusals=self.refusals,
            current=lambda: snapshot(*self.webhooks),
            unready=lambda: self.unready,
            public_url=self.public_url,
            clock=self.clock,
            observer=self.observer,
            proxies=self.proxies,
        )

    def client(self) -> httpx.AsyncClient:
        """Return a client of the application, without a network between them."""
        return client(self.app)

    async def receive(self, hook: CompiledWebhook, request: Inbound, peer: str) -> Answer:
        """Receive one request with its whole body, as the trigger listener does."""
        codings = request.header_values("content-encoding")
        coding = codings[0].lower() if codings else ""
        head = Head(method=request.method, media=request.media, coding=coding, length=len(request.body))
        refused = self.receiver.screen(hook, head, peer)
        return refused or await self.receiver.finish(hook, self.receiver.take(hook, request, peer))

    async def reasons(self) -> dict[str, int]:
        """Return how many requests were refused, by the reason in the log."""
        await self.refusals.flush()
        records = [record for record in self.journal.records if record.type == "request.refused"]
        return {record.reason: record.count for record in records}


class FakeControl:
    """A daemon with two webhooks that says what it was told to say."""

    def __init__(self) -> None:
        self.snapshot = snapshot(webhook("github"), webhook("shop"))
        self.verdict: dict[str, Json] = {"state": "IN_SYNC", "revision": "abc", "running": "abc", "diagnostics": []}
        self.accepted: list[str | None] = []
        self.records: Sequence[Mapping[str, Json]] = ()
        self.error: Exception | None = None

    def status(self) -> dict[str, Json]:
        """Return `verdict`, or raise `error`."""
        if self.error is not None:
            raise self.error
        return self.verdict

    async def reload(self, accept: str | None) -> dict[str, Json]:
        """Remember the revision and return `verdict`."""
        self.accepted.append(accept)
        return self.verdict

    def current(self) -> Snapshot:
        """Return `snapshot`."""
        return self.snapshot

    async def history(self, identifier: str) -> Sequence[Mapping[str, Json]]:  # noqa: ARG002 - see Control
        """Return `records`."""
        return self.records

    async def recent(self, endpoint: str, count: int) -> Sequence[Mapping[str, Json]]:
        """Show the deliveries in `records`."""
        return recent(lambda: reversed(self.records), endpoint, count)


_control: type[Control] = FakeControl


def client(app: ASGIApp) -> httpx.AsyncClient:
    """Return a client of an ASGI application."""
    transport = httpx.ASGITransport(app=app, client=(PEER, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://test")
