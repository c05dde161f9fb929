"""Happenings of the daemon itself: its log, its definitions, its life. Use them through `telemetry.happenings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from hooksd.telemetry.happening import Said
from hooksd.telemetry.log import Level
from hooksd.telemetry.metrics import Metrics

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


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTrimmed:
    """The oldest part of the log was removed, as the settings say; or it could not be, and is tried again."""

    event: ClassVar[str] = "log.trimmed"
    segments: tuple[str, ...]
    blobs: int
    """How many bodies that no record names any more."""
    size: int
    """Bytes."""
    error: str | None = None

    @property
    def level(self) -> Level | None:
        """An error when nothing could be removed: the disk fills up."""
        return "info" if self.error is None else "error"

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.journal_trimmed_bytes.inc(self.size)


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
class ConfigProblem(Said):
    """Something in the directory of definitions cannot be read; or a definition deserves a warning."""

    event: ClassVar[str] = "config.problem"
    level: ClassVar[Level | None] = "warning"
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookWritten(Said):
    """Somebody changed a webhook through the admin API; what came of it follows as `config.applied`."""

    event: ClassVar[str] = "webhook.written"
    level: ClassVar[Level | None] = "info"
    webhook: str
    by: str
    file: str
    is_gone: bool
    """It was removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysMissing(Said):
    """Keys or a certificate that a webhook needs could not be fetched; older ones are used as long as they may be."""

    event: ClassVar[str] = "keys.missing"
    level: ClassVar[Level | None] = "warning"
    url: str
    """Without its query."""
    error: str


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
class DaemonStopping(Said):
    """The daemon was told to end and lets running work finish."""

    event: ClassVar[str] = "daemon.stopping"
    level: ClassVar[Level | None] = "info"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStopped(Said):
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
