"""Happenings of the work: requests, events, runs, steps and deliveries. Use them through `telemetry.happenings`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hooksd.telemetry.log import Level
from hooksd.telemetry.metrics import Metrics

# --- the trigger listener


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsRefused:
    """Requests were refused, `count` alike within about a second."""

    event: ClassVar[str] = "request.refused"
    level: ClassVar[Level | None] = "info"
    webhook: str | None
    reason: str
    status: int
    peer: str
    """The address of the last of them; at the admin listener who asked last, where that is known."""
    count: int
    endpoint: str | None = None
    """Which endpoint was not triggered."""
    listener: str | None = None
    """`admin`: where operators ask; None: where webhooks are."""

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
        metrics.events((self.source,))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run left the queue."""

    event: ClassVar[str] = "run.started"
    level: ClassVar[Level | None] = "debug"
    run: str
    workflow: str

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.run_started(self.workflow)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """A run has its one end: a warning when something went wrong, else nothing that the delivery log does not say."""

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
        return "warning" if self.status in {"failed", "timed_out"} else "debug"

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.run_ended(self.workflow, self.status, self.seconds)


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
        metrics.step_ended(self.verb, self.status, self.seconds)


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
        metrics.attempt(self.endpoint, self.outcome, self.seconds)


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
        return "debug" if self.status == "delivered" else "error"

    def measure(self, metrics: Metrics) -> None:  # noqa: D102 - see Happening
        metrics.delivery(self.endpoint, self.status)
