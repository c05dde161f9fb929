"""Every observable happening: one class each, with the line it writes and the metrics it moves.

`event` is what the log line is called: a stable name that people alert on. Records (`hooksd.model.record`) are facts
that change state and are never lost; happenings are observations. Any part hands them to `Observer.emit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from hooksd.telemetry.log import Level
from hooksd.telemetry.metrics import Metrics


class Happening(Protocol):
    """What `Observer.emit` takes: a frozen dataclass whose fields are the fields of the line."""

    @property
    def event(self) -> str:
        """The name of the line."""
        ...

    @property
    def level(self) -> Level | None:
        """How severe it is; None: it moves metrics and writes no line."""
        ...

    def measure(self, metrics: Metrics) -> None:
        """Move the metrics that this happening counts in."""
        ...


class _Said:
    """A happening that is said in a line and counted nowhere."""

    __slots__ = ()

    def measure(self, metrics: Metrics) -> None:
        """Move nothing."""


# --- the trigger listener


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAnswered:
    """A webhook answered. There is one per request, so no line is written."""

    event: ClassVar[str] = "request.answered"
    level: ClassVar[Level | None] = None
    webhook: str
    status: int
    seconds: float

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.request(self.webhook, self.status, self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsRefused:
    """Requests were refused, `count` alike within about a second."""

    event: ClassVar[str] = "request.refused"
    level: ClassVar[Level | None] = "info"
    webhook: str | None
    reason: str
    status: int
    peer: str
    """The address of the last of them."""
    count: int

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.requests_refused.labels(self.webhook or "", self.reason).inc(self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFailed:
    """hooksd made an error while it answered; the caller got a 500."""

    event: ClassVar[str] = "request.failed"
    level: ClassVar[Level | None] = "error"
    method: str
    path: str
    exc_info: BaseException

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.requests_failed.inc()


# --- events, runs and steps


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAccepted:
    """An event is durable, with the runs it starts."""

    event: ClassVar[str] = "event.accepted"
    level: ClassVar[Level | None] = "debug"
    event_id: str
    event_type: str
    source: str
    """Like `webhook/github`: from definitions, never from callers."""
    runs: int

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.events_accepted.labels(self.source).inc()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run left the queue."""

    event: ClassVar[str] = "run.started"
    level: ClassVar[Level | None] = "debug"
    run: str
    workflow: str

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.runs_started.labels(self.workflow).inc()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """A run has its one end; a warning when something went wrong."""

    event: ClassVar[str] = "run.ended"
    run: str
    workflow: str
    event_id: str
    status: str
    seconds: float
    """From acceptance to here."""
    step: str | None = None
    error: str | None = None

    @property
    def level(self) -> Level | None:  # noqa: D102 - see Happening
        return "warning" if self.status in {"failed", "timed_out"} else "info"

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.runs.labels(self.workflow, self.status).inc()
        metrics.run_seconds.labels(self.workflow).observe(self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """A step has its result."""

    event: ClassVar[str] = "step.ended"
    level: ClassVar[Level | None] = "debug"
    run: str
    workflow: str
    step: str
    verb: str
    status: str
    seconds: float
    """Of the last attempt."""
    error: str | None = None

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.steps.labels(self.verb, self.status).inc()
        metrics.step_seconds.labels(self.verb).observe(self.seconds)


# --- deliveries


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded:
    """An attempt to deliver has its outcome."""

    event: ClassVar[str] = "attempt.ended"
    delivery: str
    endpoint: str
    number: int
    outcome: str
    seconds: float
    status: int | None = None
    """The HTTP status, when an answer came."""
    error: str | None = None
    retry_at: str | None = None

    @property
    def level(self) -> Level | None:  # noqa: D102 - see Happening
        return "debug" if self.outcome == "ok" else "warning"

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.attempts.labels(self.endpoint, self.outcome).inc()
        metrics.attempt_seconds.labels(self.endpoint).observe(self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEnded:
    """A delivery has its one end; an error when nobody received it."""

    event: ClassVar[str] = "delivery.ended"
    delivery: str
    endpoint: str
    status: str
    attempts: int
    error: str | None = None

    @property
    def level(self) -> Level | None:  # noqa: D102 - see Happening
        return "info" if self.status == "delivered" else "error"

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.deliveries.labels(self.endpoint, self.status).inc()


# --- the log


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalWritten:
    """One batch of records is durable. There is one per batch, so no line is written."""

    event: ClassVar[str] = "journal.written"
    level: ClassVar[Level | None] = None
    records: int
    size: int
    """Bytes."""
    seconds: float
    """Writing and syncing."""

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.journal_records.inc(self.records)
        metrics.journal_bytes.inc(self.size)
        metrics.journal_sync_seconds.observe(self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRefused:
    """The log takes no records now; callers get 503."""

    event: ClassVar[str] = "journal.refused"
    level: ClassVar[Level | None] = "error"
    error: str

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.journal_accepting.set(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalAccepting:
    """The log takes records: after its start, and again after it refused some."""

    event: ClassVar[str] = "journal.accepting"
    level: ClassVar[Level | None] = "info"

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.journal_accepting.set(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalBroken:
    """A write or a sync failed for good; the daemon ends and recovers from disk at its next start."""

    event: ClassVar[str] = "journal.broken"
    level: ClassVar[Level | None] = "error"
    error: str

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.journal_accepting.set(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDamaged:
    """Recovery found bytes that are not records and set them aside."""

    event: ClassVar[str] = "log.damaged"
    level: ClassVar[Level | None] = "error"
    segment: str
    offset: int
    size: int
    kind: str
    """`torn`: the unfinished end of the last write; `damaged`: anything else."""

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.journal_damaged.labels(self.kind).inc()


# --- definitions


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigApplied:
    """A set of definitions is in force."""

    event: ClassVar[str] = "config.applied"
    level: ClassVar[Level | None] = "info"
    revision: str
    at: float
    """Unix seconds."""
    counts: Mapping[str, int]
    commit: str | None = None
    dirty: bool = False
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.config_reloads.labels("applied").inc()
        metrics.config_last_success.set(self.at)
        metrics.set_config_state("IN_SYNC")
        for kind, count in self.counts.items():
            metrics.config_definitions.labels(kind).set(count)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigRestored:
    """The files are again what is in force, after they were rejected or held."""

    event: ClassVar[str] = "config.restored"
    level: ClassVar[Level | None] = "info"
    revision: str

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.config_reloads.labels("restored").inc()
        metrics.set_config_state("IN_SYNC")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigRejected:
    """A set of definitions has errors; the one before stays in force."""

    event: ClassVar[str] = "config.rejected"
    level: ClassVar[Level | None] = "error"
    revision: str
    running: str | None
    diagnostics: str
    """As people read them, without colour."""

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.config_reloads.labels("rejected").inc()
        metrics.set_config_state("REJECTED")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigHeld:
    """A set of definitions would remove too much; the one before stays in force until someone agrees."""

    event: ClassVar[str] = "config.held"
    level: ClassVar[Level | None] = "warning"
    revision: str
    running: str | None
    reason: str
    removed: tuple[str, ...] = ()

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.config_reloads.labels("held").inc()
        metrics.set_config_state("HELD")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigProblem(_Said):
    """Something in the directory of definitions cannot be read; or a definition deserves a warning."""

    event: ClassVar[str] = "config.problem"
    level: ClassVar[Level | None] = "warning"
    problem: str


# --- the daemon


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStarted:
    """The daemon recovered its log and accepts requests."""

    event: ClassVar[str] = "daemon.started"
    level: ClassVar[Level | None] = "info"
    version: str
    pid: int
    listen: str
    admin: str
    unfinished_runs: int
    unfinished_deliveries: int

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.build.labels(self.version).set(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStopping(_Said):
    """The daemon was told to end and lets running work finish."""

    event: ClassVar[str] = "daemon.stopping"
    level: ClassVar[Level | None] = "info"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStopped(_Said):
    """The daemon ended in order."""

    event: ClassVar[str] = "daemon.stopped"
    level: ClassVar[Level | None] = "info"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed:
    """A part of the daemon ended by an error."""

    event: ClassVar[str] = "task.failed"
    level: ClassVar[Level | None] = "error"
    task: str
    exc_info: BaseException = field(repr=False)

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.tasks_failed.labels(self.task).inc()


HAPPENINGS: tuple[type[Happening], ...] = (
    RequestAnswered, RequestsRefused, RequestFailed, EventAccepted, RunStarted, RunEnded, StepEnded, AttemptEnded,
    DeliveryEnded, JournalWritten, JournalRefused, JournalAccepting, JournalBroken, LogDamaged, ConfigApplied,
    ConfigRestored, ConfigRejected, ConfigHeld, ConfigProblem, DaemonStarted, DaemonStopping, DaemonStopped, TaskFailed,
)  # fmt: skip
"""Every happening there is; `docs/observing.md` describes each."""
