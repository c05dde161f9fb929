"""Refused requests on their way to the log: counted at once, written together, never awaited by a request.

A scanner that sends a thousand bad requests a second makes one record a second for each webhook and reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from hooksd.auth.verdict import Reason
from hooksd.clock import Clock, rfc3339
from hooksd.errors import JournalFull
from hooksd.journal.protocol import Journal
from hooksd.model.record import RequestRefused
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer
from hooksd.web.guard_limits import GuardReason

FLUSH_SECONDS = 1.0

WebReason = Literal[
    "unknown_path",
    "method",
    "too_large",
    "content_coding",
    "media_type",
    "unreadable_body",
    "unnamed_event",
    "address",
    "rate",
    "schema",
    "duplicate",
    "key_reused",
]
"""Why a request was refused before or after it was authenticated; `auth.verdict.Reason` says why it was not, and
`web.guard_limits.GuardReason` why nobody asked."""

TriggerReason = Literal["unknown_endpoint", "callers", "unreadable_body", "too_large", "unfit", "busy"]
"""Why an endpoint was not triggered."""

AdminReason = Literal["limited_key", "read_only", "unknown_workflow", "unreadable_body", "too_large", "unfit"]
"""Why an operator's request was refused who may ask at all; `auth.verdict.Reason` says why one may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    webhook: str | None
    endpoint: str | None
    reason: Reason | WebReason | GuardReason | TriggerReason | AdminReason
    status: int
    listener: Literal["admin"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tally:
    peer: str
    count: int


class Refusals:
    """Collects refusals; `run` writes them. What it holds is bounded by definitions times reasons."""

    def __init__(self, *, journal: Journal, clock: Clock, observer: Observer) -> None:
        self._journal = journal
        self._clock = clock
        self._observer = observer
        self._waiting: dict[_Kind, _Tally] = {}

    def add(
        self,
        *,
        webhook: str | None,
        reason: Reason | WebReason | GuardReason | AdminReason,
        status: int,
        peer: str,
        listener: Literal["admin"] | None = None,
    ) -> None:
        """Count one refusal.

        Args:
            webhook: Which webhook refused; None where no webhook is.
            reason: Why; callers of webhooks are not told.
            status: What the caller was answered.
            peer: The address it came from; at the admin listener who asked, where that is known.
            listener: Where it came in; None: where webhooks are.
        """
        self._count(_Kind(webhook=webhook, endpoint=None, reason=reason, status=status, listener=listener), peer)

    def trigger(self, *, endpoint: str | None, reason: TriggerReason, status: int, by: str) -> None:
        """Count a refused trigger.

        Args:
            endpoint: Which endpoint was to be asked; None where none is.
            reason: Why.
            status: What the caller was answered.
            by: Who asked.
        """
        self._count(_Kind(webhook=None, endpoint=endpoint, reason=reason, status=status, listener="admin"), by)

    def _count(self, kind: _Kind, peer: str) -> None:
        before = self._waiting.get(kind)
        self._waiting[kind] = _Tally(peer=peer, count=before.count + 1 if before else 1)

    def observed(self, webhook: str, verdict: str) -> None:
        """Count a request to a webhook that only observes, by what it would have said: `accepted` or a reason."""
        self._observer.metrics.requests_observed.labels(webhook, verdict).inc()

    async def run(self) -> None:
        """Write what was collected, once a second, until cancelled."""
        while True:
            await self._clock.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write what was collected now; when the log is full, keep it for the next time.

        Raises:
            JournalBroken: The log is at its end.
        """
        if not self._waiting:
            return
        taken, self._waiting = self._waiting, {}
        at = rfc3339(self._clock.now())
        records = [
            RequestRefused(
                at=at,
                webhook=kind.webhook,
                reason=kind.reason,
                status=kind.status,
                peer=tally.peer,
                count=tally.count,
                endpoint=kind.endpoint,
                listener=kind.listener,
            )
            for kind, tally in taken.items()
        ]
        try:
            await self._journal.append(records)
        except JournalFull:
            self._put_back(taken)
            return
        for record in records:
            self._observer.emit(
                happenings.RequestsRefused(
                    webhook=record.webhook,
                    reason=record.reason,
                    status=record.status,
                    peer=record.peer,
                    count=record.count,
                    endpoint=record.endpoint,
                    listener=record.listener,
                )
            )

    def _put_back(self, taken: dict[_Kind, _Tally]) -> None:
        for kind, tally in taken.items():
            newer = self._waiting.get(kind)
            self._waiting[kind] = replace(newer, count=newer.count + tally.count) if newer else tally
