"""The definitions in force: immutable, compiled and indexed. A reload replaces the whole by one assignment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from hooksd.auth.handshake import Greeter
from hooksd.auth.verdict import Verifier
from hooksd.config.body_schema import BodySchema
from hooksd.expr.condition import Condition
from hooksd.expr.template import Template, Value
from hooksd.model.arrival import Frame, frame_of
from hooksd.model.base import Json
from hooksd.model.definitions import Definitions
from hooksd.model.endpoint import Endpoint
from hooksd.model.identity import Grant, Identity
from hooksd.model.members import Members
from hooksd.model.network import Network
from hooksd.model.own import reaches
from hooksd.model.patterns import matches
from hooksd.model.rate import Rate
from hooksd.model.record import Origin
from hooksd.model.role import Role
from hooksd.model.secret import Secret
from hooksd.model.step import Step
from hooksd.model.trust import Trust
from hooksd.model.webhook import Webhook
from hooksd.model.workflow import Phase, Workflow

BY_WEBHOOK = "webhook:"
"""How an `on` entry names the webhook that received an event instead of the event's type."""
BY_WEBHOOK_ID = "webhookId:"
"""Another spelling of the same."""
MANUAL = "manual"
"""The `on` entry that no event fits: such a workflow is started by name only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """Which content of the directory this is."""

    tree: str
    """`sha256:<hex>` over the names and bytes of all definition files."""
    commit: str | None = None
    """The Git commit that is checked out around the directory, if any."""
    dirty: bool = False
    """Files differ from that commit."""

    id: str = field(init=False, repr=False, compare=False)
    """What records carry: the tree's digest shortened to 12 hexadecimal digits."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.tree.removeprefix("sha256:")[:12])


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a webhook asks of requests beyond what every webhook asks."""

    allowed: tuple[Network, ...] | None = None
    """Who may call; None: everybody."""
    rates: tuple[Rate, ...] = ()
    unpacks: bool = False
    """Compressed bodies are taken."""
    schema: BodySchema | None = None
    dedupe: Template | None = None
    """What tells one delivery from another, in place of the provider's id."""
    takes_all: bool = False
    """No delivery is a duplicate."""


_NONE: Final[frozenset[str]] = frozenset()


@lru_cache(maxsize=64)
def _media(accept: tuple[str, ...]) -> frozenset[str]:
    """Return media types as a set, the same one for all webhooks that accept the same."""
    return frozenset(accept) - {""}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledWebhook:
    """A webhook ready to receive."""

    name: str
    value: Webhook
    origin: Origin
    path: str
    verifier: Verifier
    event: Template | None
    subject: Template | None
    greeter: Greeter | None = None
    """Answers the provider's handshakes; None: it has none."""
    entry: Entry | None = None
    """None: it asks for nothing unusual, like most."""
    reads_body: bool = True
    """Whether callers are who they say shows in the body too, so that it must be there first."""
    media: str | None = None
    """What bodies are whatever their callers call them; None: what they are called."""
    frame: Frame = field(init=False, repr=False, compare=False)
    """What the records of its events have in common."""
    # Of `value`, whose members take ten times as long to read:
    wait: float | None = field(init=False, repr=False, compare=False)
    limit: int = field(init=False, repr=False, compare=False)
    """The most bytes of a body."""
    answers: bool = field(init=False, repr=False, compare=False)
    """Whether callers are told of the event."""
    plain: frozenset[str] = field(init=False, repr=False, compare=False)
    """The media types of POSTs whose heads need no closer look but at the length of the body and its coding."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", frame_of(self.name, self.verifier.trust, self.origin))
        object.__setattr__(self, "wait", self.value.wait)
        object.__setattr__(self, "limit", self.value.limits.body)
        object.__setattr__(self, "answers", self.value.answer != "none")
        is_plain = self.entry is None and "POST" in self.value.methods
        object.__setattr__(self, "plain", _media(self.value.accept) if is_plain else _NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledStep:
    """A step with its expressions compiled."""

    key: str
    """How records name it: `hooksd.model.workflow.step_key`."""
    phase: Phase
    index: int
    verb: str
    value: Step
    condition: Condition | None
    """Of `if`."""
    values: Mapping[str, Value]
    """Every templated key that the step has, by the file's spelling: `run`, `env`, `json`, `http`, `headers`, ..."""
    reads: frozenset[str]
    """The names in scope that its expressions read: `body`, `steps`, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledWorkflow:
    """A workflow ready to run."""

    name: str
    value: Workflow
    origin: Origin
    digest: str
    document: Mapping[str, Json]
    when: Condition | None
    concurrency: Template | None
    steps: tuple[CompiledStep, ...]
    on_failure: tuple[CompiledStep, ...]
    finally_: tuple[CompiledStep, ...]
    trust: Trust
    """The trust below which it refuses events."""
    reads: frozenset[str]
    """The names in scope that `when` and `concurrency` read: most often nothing, or `body`."""
    members: Members | None
    """The members of `body` that these read; None: all of it, or nothing."""
    secrets: frozenset[str]
    """The names that its expressions read of `secrets`."""
    identity: tuple[str, str, str, int] = field(init=False, repr=False, compare=False)
    """What it is and where it stands, to find again what is known of it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "identity", (self.name, self.digest, self.origin.file, self.origin.line))

    def phase(self, name: Phase) -> tuple[CompiledStep, ...]:
        """Return the steps of one of the three lists."""
        if name == "steps":
            return self.steps
        return self.on_failure if name == "on_failure" else self.finally_


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledEndpoint:
    """An endpoint with its templates rendered that read secrets."""

    name: str
    value: Endpoint
    origin: Origin
    url: str
    headers: Mapping[str, str]
    secrets: tuple[Secret, ...]
    """The signing secrets; none: requests are not signed."""
    hidden: tuple[str, ...]
    """Texts of secrets that requests hold, to be replaced before anything is logged."""
    is_literal: bool = True
    """The host of the URL is written in the definition: it may be private then."""
    authorization: str | None = None
    """The value of the header, of `basic_auth` or `bearer`."""
    grant: Grant | None = None
    """How a token is had."""
    identity: Identity | None = None
    """What TLS needs of its own."""
    digest: str = ""
    """Of the definition as it is written."""
    schema: BodySchema | None = None
    """What it is given must fit."""
    templates: Mapping[str, Template] = field(default_factory=dict)
    """Headers that read the event, rendered once for each delivery. They are not among `headers`."""
    plans: dict[str, object] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What `delivery.request` has worked out of all this: it holds secrets, and so goes when the endpoint goes."""
    takes_all: bool = field(init=False, repr=False, compare=False)
    """Whatever it is given is sent as it is."""
    is_pinned: bool = field(init=False, repr=False, compare=False)
    """Deliveries go where it said when they were created."""

    def __post_init__(self) -> None:
        value = self.value
        wishes = (value.content_type, value.payload_encoding, value.query_params, value.max_payload, self.schema)
        object.__setattr__(self, "takes_all", not self.templates and wishes == (None,) * len(wishes))
        object.__setattr__(self, "is_pinned", value.retry_target == "pinned")

    @property
    def fingerprint(self) -> str:
        """What tells two definitions apart: the digest without its prefix, because nothing is kept under it."""
        return self.digest.rpartition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All definitions in force, with what the hot path looks up."""

    revision: Revision
    definitions: Definitions
    webhooks: Mapping[str, CompiledWebhook]
    by_path: Mapping[str, CompiledWebhook]
    """Enabled webhooks by path: the one lookup of the hot path. Those with `uuid` are not among them."""
    workflows: Mapping[str, CompiledWorkflow]
    endpoints: Mapping[str, CompiledEndpoint]
    roles: Mapping[str, Role]
    secrets: Mapping[str, Secret]
    """What `{{ secrets.NAME }}` may read, by name: every name that some definition mentions."""
    subscriptions: Mapping[str, tuple[CompiledWorkflow, ...]] = field(default_factory=dict)
    """Workflows by each `on` entry without `*`, each once, in the order of their names; entries that name a webhook are
    spelled `webhook:NAME`."""
    patterns: tuple[tuple[str, CompiledWorkflow], ...] = ()
    """`on` entries with `*`."""
    receivers: Mapping[str, tuple[CompiledEndpoint, ...]] = field(default_factory=dict)
    """Endpoints by each `subscribe` entry without `*`."""
    receiver_patterns: tuple[tuple[str, CompiledEndpoint], ...] = ()
    """`subscribe` entries with `*`."""
    by_uuid: Mapping[tuple[str, str], CompiledWebhook] = field(default_factory=dict)
    """Enabled webhooks that only their `uuid` leads to, by path and hash."""


def subscribers(snapshot: Snapshot, event_type: str, webhook: str | None) -> tuple[CompiledWorkflow, ...]:
    """Return the workflows whose `on` fits an event: each once, in the order of their names.

    Args:
        snapshot: The definitions in force.
        event_type: The type of the event. One that is spelled like `webhook:NAME` fits no entry that names a webhook:
            an emitted event cannot pretend to have been received.
        webhook: The webhook that received the event, if one did.
    """
    received = None if webhook is None else BY_WEBHOOK + webhook
    by_type = () if event_type.startswith(BY_WEBHOOK) else snapshot.subscriptions.get(event_type, ())
    by_webhook = () if received is None else snapshot.subscriptions.get(received, ())
    if not snapshot.patterns and not (by_type and by_webhook):
        return by_type or by_webhook
    by_pattern = [
        workflow
        for pattern, workflow in snapshot.patterns
        if (text := received if pattern.startswith(BY_WEBHOOK) else event_type) is not None and matches(pattern, text)
    ]
    found = {workflow.name: workflow for workflow in (*by_type, *by_webhook, *by_pattern)}
    return tuple(found[name] for name in sorted(found))


def receivers(snapshot: Snapshot, event_type: str) -> tuple[CompiledEndpoint, ...]:
    """Return the endpoints that subscribe to a type of event: each once, in the order of their names.

    Args:
        snapshot: The definitions in force.
        event_type: The type of the event. An event of hooksd itself goes to those alone who name its family.
    """
    by_type = snapshot.receivers.get(event_type, ())
    if not snapshot.receiver_patterns:
        return by_type
    by_pattern = [
        endpoint
        for pattern, endpoint in snapshot.receiver_patterns
        if matches(pattern, event_type) and reaches(pattern, event_type)
    ]
    if not by_pattern:
        return by_type
    found = {endpoint.name: endpoint for endpoint in (*by_type, *by_pattern)}
    return tuple(found[name] for name in sorted(found))


def is_heard(snapshot: Snapshot, event_type: str) -> bool:
    """Tell whether some workflow or endpoint wants events of a type that no webhook received."""
    if not (snapshot.patterns or snapshot.receiver_patterns or event_type.startswith(BY_WEBHOOK)):
        return event_type in snapshot.subscriptions or event_type in snapshot.receivers
    return bool(subscribers(snapshot, event_type, None) or receivers(snapshot, event_type))
