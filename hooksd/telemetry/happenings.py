"""Every observable happening: one class each, with the line it writes and the metrics it moves.

`event` is what the log line is called: a stable name that people alert on. Records (`hooksd.model.record`) are facts
that change state and are never lost; happenings are observations. Any part hands them to `Observer.emit`.
"""

from __future__ import annotations

from hooksd.telemetry.happening import Happening
from hooksd.telemetry.living import (
    ConfigApplied,
    ConfigHeld,
    ConfigProblem,
    ConfigRejected,
    ConfigRestored,
    DaemonStarted,
    DaemonStopped,
    DaemonStopping,
    JournalAccepting,
    JournalBroken,
    JournalRefused,
    JournalWritten,
    KeysMissing,
    LogDamaged,
    LogTrimmed,
    TaskFailed,
    WebhookWritten,
)
from hooksd.telemetry.working import (
    AttemptEnded,
    DeliveryEnded,
    EventAccepted,
    RequestFailed,
    RequestsRefused,
    RunEnded,
    RunStarted,
    StepEnded,
)

HAPPENINGS: tuple[type[Happening], ...] = (
    RequestsRefused, RequestFailed, EventAccepted, RunStarted, RunEnded, StepEnded, AttemptEnded,
    DeliveryEnded, JournalWritten, JournalRefused, JournalAccepting, JournalBroken, LogDamaged, LogTrimmed,
    ConfigApplied, ConfigRestored, ConfigRejected, ConfigHeld, ConfigProblem, DaemonStarted, DaemonStopping,
    DaemonStopped, TaskFailed, WebhookWritten, KeysMissing,
)  # fmt: skip
"""Every happening there is; `docs/observing.md` describes each."""

__all__ = [
    "HAPPENINGS", "AttemptEnded", "ConfigApplied", "ConfigHeld", "ConfigProblem", "ConfigRejected",
    "ConfigRestored", "DaemonStarted", "DaemonStopped", "DaemonStopping", "DeliveryEnded", "EventAccepted",
    "Happening", "JournalAccepting", "JournalBroken", "JournalRefused", "JournalWritten", "KeysMissing",
    "LogDamaged", "LogTrimmed",
    "RequestFailed", "RequestsRefused", "RunEnded", "RunStarted", "StepEnded",
    "TaskFailed", "WebhookWritten",
]  # fmt: skip
