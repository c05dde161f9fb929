"""Records: the facts in the log, one JSON line each. This is the on-disk format: change it like a database schema.

Every record has `type` and `at` (RFC 3339, UTC, milliseconds). Fields may be added; none changes its meaning.
`journal.codec` writes and reads them; `engine.machine` and `delivery` fold them back into state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, get_args

from hooksd.model.base import Json
from hooksd.model.holding import EndpointHeld, EndpointReleased, LogCarried
from hooksd.model.outgoing import DeliveryPlan, NotSent
from hooksd.model.stored import StoredBody, StoredEvent
from hooksd.model.value import fact

RunStatus = Literal["succeeded", "failed", "cancelled", "timed_out", "skipped", "superseded"]
StepStatus = Literal["ok", "failed", "skipped", "interrupted", "cancelled"]
AttemptReason = Literal["first", "retry", "recovery", "manual"]
DeliveryStatus = Literal["delivered", "exhausted", "gone", "indeterminate"]
Outcome = Literal[
    "ok", "http_4xx", "http_5xx", "redirect", "timeout_connect", "timeout_total", "dns", "refused", "reset", "tls",
    "protocol", "interrupted", "config", "blocked", "gone",
]  # fmt: skip
"""How one attempt ended."""


@fact
class Origin:
    """Where a definition stands."""

    file: str
    """Relative to the directory of definitions."""
    line: int


@fact
class RunPlan:
    """A run that an event starts."""

    id: str
    workflow: str
    definition: str
    """The digest of the workflow's definition, kept as a blob: the run keeps it whatever is committed later."""
    origin: Origin
    concurrency: str | None
    """The rendered key, or null for no limit."""


@fact
class NotStarted:
    """A workflow that subscribes to the event's type and was not started."""

    workflow: str
    reason: Literal["condition_false", "condition_missing", "condition_error", "trust", "key_error"]
    detail: str
    """For people: which trust, which error, which missing name."""
    condition: str | None = None
    values: Mapping[str, Json] = field(default_factory=dict)
    """What the names in the condition were."""


@fact
class EventAccepted:
    """An event with the runs and deliveries that it starts: one fact, so that no crash can part them."""

    at: str
    revision: str
    event: StoredEvent
    origin: Origin | None
    """Of the webhook."""
    runs: tuple[RunPlan, ...] = ()
    not_started: tuple[NotStarted, ...] = ()
    deliveries: tuple[DeliveryPlan, ...] = ()
    """To endpoints that subscribe. Older records lack it."""
    not_sent: tuple[NotSent, ...] = ()
    type: Literal["event.accepted"] = "event.accepted"


@fact
class RequestRefused:
    """A request that was not accepted, by a webhook or where operators ask (`listener`). Its body is not kept."""

    at: str
    webhook: str | None
    reason: str
    """From a closed set of words."""
    status: int
    peer: str
    """The address it came from; at the admin listener who asked, where that is known."""
    count: int = 1
    """How many alike this record stands for."""
    endpoint: str | None = None
    listener: Literal["admin"] | None = None
    type: Literal["request.refused"] = "request.refused"


@fact
class RunStarted:
    """A run left the queue."""

    at: str
    run: str
    workflow: str
    revision: str
    type: Literal["run.started"] = "run.started"


@fact
class StepStarted:
    """An attempt of a step is about to touch the world."""

    at: str
    run: str
    workflow: str | None = None
    """The run's. Older records lack it."""
    step: str
    attempt: int
    """From 1."""
    wake_at: str | None = None
    """For `sleep`: when it ends."""
    type: Literal["step.started"] = "step.started"


@fact
class StepRetried:
    """An attempt failed and there will be another."""

    at: str
    run: str
    workflow: str | None = None
    """The run's. Older records lack it."""
    step: str
    attempt: int
    """The attempt that failed."""
    error: str
    retry_at: str
    type: Literal["step.retried"] = "step.retried"


@fact
class StepEnded:
    """A step has its result."""

    at: str
    run: str
    workflow: str | None = None
    """The run's. Older records lack it."""
    step: str
    verb: str
    status: StepStatus
    attempts: int
    ms: float
    """Of the last attempt."""
    code: int | None = None
    """The exit status or the HTTP status."""
    output: Json = None
    output_blob: str | None = None
    """The digest of the blob with the output as JSON, when it is too large for the record."""
    error: str | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)
    """What else is known: stderr, signal, headers, the values of a false condition."""
    type: Literal["step.ended"] = "step.ended"


@fact
class RunEnded:
    """The one end of a run."""

    at: str
    run: str
    workflow: str
    event: str
    status: RunStatus
    ms: float
    """From acceptance to here."""
    revision: str
    origin: Origin
    step: str | None = None
    """The step that decided the status."""
    error: str | None = None
    type: Literal["run.ended"] = "run.ended"


@fact
class DeliveryCreated:
    """Something is on its way to one endpoint."""

    at: str
    delivery: str
    endpoint: str
    event: str
    run: str
    """Empty for a delivery by subscription, as is the step."""
    step: str
    revision: str
    headers: Mapping[str, str]
    """From the step, credentials excluded; or of the endpoint's shape."""
    query: Mapping[str, str]
    body: StoredBody
    retry: Json = None
    """The step's own retry rule, or null for the endpoint's."""
    subject: str | None = None
    """What the event is about: an `ordered` endpoint gets the deliveries of one subject one after the other."""
    pinned: str | None = None
    """The digest of the blob with where it goes, for an endpoint with `retry_target = "pinned"`."""
    attempts: int = 0
    """Attempts of an earlier life: somebody asked for the delivery again after its end."""
    is_call: bool = False
    """Of a `call` step or a trigger: whatever is answered is its output."""
    by: str | None = None
    """Who triggered it over the API: then there is no event, no run and no step."""
    again: str | None = None
    """Its own id once more, where it begins anew after its end: readers look for it."""
    type: Literal["delivery.created"] = "delivery.created"


@fact
class Exchange:
    """One HTTP exchange as it was on the wire, credentials replaced."""

    method: str
    url: str
    request_headers: Mapping[str, str]
    request_size: int
    request_sha256: str
    peer: str | None = None
    """The address that was dialled."""
    status: int | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: str = ""
    """The first part, as text."""
    response_truncated: bool = False
    response_size: int | None = None
    """How many bytes of it were read."""
    response_sha256: str | None = None
    """Of all bytes that were read; null when there were none."""
    connect_ms: float | None = None
    total_ms: float = 0.0
    phases: Mapping[str, float] = field(default_factory=dict)
    """How long each took that was reached, in milliseconds: `dns connect tls request first_byte body`."""


@fact
class AttemptStarted:
    """An attempt is about to be sent."""

    at: str
    delivery: str
    number: int
    reason: AttemptReason
    is_once: bool = False
    """It must not be made again unless something says that nobody acted on it."""
    type: Literal["attempt.started"] = "attempt.started"


@fact
class AttemptEnded:
    """An attempt has its outcome."""

    at: str
    delivery: str
    endpoint: str
    number: int
    reason: AttemptReason
    outcome: Outcome
    exchange: Exchange
    revision: str
    origin: Origin | None
    """Of the endpoint."""
    error: str | None = None
    retry_at: str | None = None
    """When the next one is due; null when there is none."""
    retry_why: Literal["schedule", "receiver"] | None = None
    """What decided when: the schedule, or the receiver who asked for patience."""
    type: Literal["attempt.ended"] = "attempt.ended"


@fact
class DeliveryEnded:
    """The one end of a delivery."""

    at: str
    delivery: str
    endpoint: str
    status: DeliveryStatus
    attempts: int
    error: str | None = None
    type: Literal["delivery.ended"] = "delivery.ended"


@fact
class ConfigApplied:
    """A set of definitions is in force."""

    at: str
    revision: str
    commit: str | None
    """The Git commit that is checked out, when there is one."""
    dirty: bool
    """Files differ from that commit."""
    counts: Mapping[str, int]
    """Definitions by kind."""
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    type: Literal["config.applied"] = "config.applied"


@fact
class ConfigRejected:
    """A set of definitions has errors; the one before stays in force."""

    at: str
    revision: str
    """Of the rejected set."""
    running: str | None
    """The revision that stays in force."""
    diagnostics: tuple[Json, ...]
    type: Literal["config.rejected"] = "config.rejected"


@fact
class ConfigHeld:
    """A set of definitions would remove too much; the one before stays in force until someone agrees."""

    at: str
    revision: str
    running: str | None
    reason: str
    removed: tuple[str, ...]
    type: Literal["config.held"] = "config.held"


@fact
class DaemonStarted:
    """The daemon recovered its log and accepts requests."""

    at: str
    version: str
    pid: int
    unfinished_runs: int
    unfinished_deliveries: int
    type: Literal["daemon.started"] = "daemon.started"


@fact
class DaemonStopped:
    """The daemon ends in order."""

    at: str
    reason: str
    type: Literal["daemon.stopped"] = "daemon.stopped"


@fact
class LogDamaged:
    """Recovery found bytes in the log that are not records. They were set aside, not thrown away."""

    at: str
    segment: str
    offset: int
    size: int
    kind: Literal["torn", "damaged"]
    """`torn`: the unfinished end of the last write; `damaged`: anything else."""
    type: Literal["log.damaged"] = "log.damaged"


@fact
class SegmentStarted:
    """A file of the log begins, its `number` from 1: the first record of each."""

    at: str
    number: int
    previous_sha256: str | None
    """Of the whole file before this one; null for the first."""
    format: int = 1
    """The version of the format of the log."""
    type: Literal["segment"] = "segment"


Record = (
    EventAccepted | RequestRefused | RunStarted | StepStarted | StepRetried | StepEnded | RunEnded | DeliveryCreated
    | AttemptStarted | AttemptEnded | DeliveryEnded | EndpointHeld | EndpointReleased | ConfigApplied | ConfigRejected
    | ConfigHeld | DaemonStarted | DaemonStopped | LogDamaged | LogCarried | SegmentStarted
)  # fmt: skip

RECORD_TYPES: dict[str, type[Record]] = {str(one.__dataclass_fields__["type"].default): one for one in get_args(Record)}
"""Every `type` and its class."""
