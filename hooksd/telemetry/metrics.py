"""The metrics of one daemon, in a registry of its own. `GET /metrics` renders them; happenings move them.

Labels come from definitions and closed sets of words only, never from callers, so that their number is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from hooksd.telemetry.held import HeldEndpoints
from hooksd.telemetry.tally import DeliveryTally, RequestTally, RunTally

CONFIG_STATES: Final = ("IN_SYNC", "APPLYING", "REJECTED", "HELD")
"""What `hooksd_config_state` is labelled with; one of them is 1."""

_CREATED = re.compile(rb"^(# \w+ )?hooksd_\w+_created\b.*\n", re.MULTILINE)
"""A second series beside every counter, with the time of its birth: nobody asks for it."""

_QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_SLOW = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)


class Metrics:
    """Every metric that the daemon has, by attribute."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._names: list[str] = []
        self._add_web()
        self._add_engine()
        self._add_delivery()
        self._add_journal()
        self._add_config()
        self.queue_size = self._gauge("queue_size", "What has no end yet, by queue.", "queue")
        self.tasks_failed = self._counter("tasks_failed", "Parts of the daemon that ended by an error.", "task")
        self.build = self._gauge("build_info", "Always 1, labelled with the version.", "version")

    def _add_web(self) -> None:
        tally = RequestTally(_QUICK)
        self.request = tally.request
        self.events = tally.events
        self.registry.register(tally)
        self._names += ["hooksd_requests_total", "hooksd_request_seconds", "hooksd_events_accepted_total"]
        self.requests_refused = self._counter("requests_refused", "Refused requests by reason.", "webhook", "reason")
        self.requests_observed = self._counter(
            "requests_observed",
            "Requests to webhooks that only observe, by what would have been said.",
            "webhook",
            "verdict",
        )
        self.requests_failed = self._counter("requests_failed", "Requests that an error of hooksd ended with 500.")

    def _add_engine(self) -> None:
        tally = RunTally(_SLOW)
        self.run_started = tally.started
        self.run_ended = tally.ended
        self.step_ended = tally.step
        self.registry.register(tally)
        self._names += ["hooksd_runs_started_total", "hooksd_runs_total", "hooksd_run_seconds"]
        self._names += ["hooksd_steps_total", "hooksd_step_seconds"]

    def _add_delivery(self) -> None:
        tally = DeliveryTally(_QUICK)
        self.attempt = tally.attempt
        self.delivery = tally.delivery
        self.delivered = tally.delivered
        self.registry.register(tally)
        self._held = HeldEndpoints()
        self.registry.register(self._held)
        self._names += ["hooksd_attempts_total", "hooksd_attempt_seconds", "hooksd_deliveries_total"]
        self._names.append("hooksd_endpoint_held")

    def _add_journal(self) -> None:
        self.journal_records = self._counter("journal_records", "Records made durable.")
        self.journal_bytes = self._counter("journal_bytes", "Bytes of records made durable.")
        self.journal_sync_seconds = self._histogram("journal_sync_seconds", "One write and sync of the log.", _QUICK)
        self.journal_accepting = self._gauge("journal_accepting", "1 while the log takes records, else 0.")
        self.journal_damaged = self._counter("journal_damaged", "Places in the log that recovery set aside.", "kind")
        self.journal_trimmed_bytes = self._counter("journal_trimmed_bytes", "Bytes of the log that were not kept.")

    def _add_config(self) -> None:
        self.config_reloads = self._counter("config_reloads", "Sets of definitions judged, by verdict.", "verdict")
        self.config_state = self._gauge("config_state", "1 for the state that the definitions are in.", "state")
        self.config_last_success = self._gauge(
            "config_last_success_timestamp_seconds", "When the definitions in force were applied, in Unix seconds."
        )
        self.config_definitions = self._gauge("config_definitions", "Definitions in force.", "kind")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        self._names.append(f"hooksd_{name}_total")
        return Counter(f"hooksd_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        self._names.append(f"hooksd_{name}")
        return Gauge(f"hooksd_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        self._names.append(f"hooksd_{name}")
        return Histogram(f"hooksd_{name}", text, labels, buckets=buckets, registry=self.registry)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of every metric as a scrape shows it, histograms without their suffixes."""
        return tuple(self._names)

    def set_config_state(self, state: str) -> None:
        """Say which of `CONFIG_STATES` the definitions are in."""
        for known in CONFIG_STATES:
            self.config_state.labels(known).set(1 if known == state else 0)

    def watch_queue(self, queue: str, size: Callable[[], float]) -> None:
        """Measure a queue whenever somebody scrapes.

        Args:
            queue: Its label, like `runs_running`.
            size: Returns how much it holds; called from the event loop.
        """
        self.queue_size.labels(queue).set_function(size)

    def watch_held(self, holding: Callable[[], Iterable[tuple[str, str]]]) -> None:
        """Ask which endpoints are held whenever somebody scrapes.

        Args:
            holding: Returns their names, each with a reason; called from the event loop.
        """
        self._held.holding = holding

    def render(self) -> bytes:
        """Return every metric in the Prometheus text format."""
        return _CREATED.sub(b"", generate_latest(self.registry))
