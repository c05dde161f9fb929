"""What is counted for every request: plain numbers, made into metrics only when somebody looks.

A counter of the metrics library takes a lock and a histogram walks its buckets; together that took as long as verifying
a signature. `telemetry.metrics` owns the one tally of a daemon; it is moved and read on the event loop alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector


class _Times:
    """How long the requests of one webhook took."""

    __slots__ = ("seconds", "within")

    def __init__(self, buckets: int) -> None:
        self.seconds = 0.0
        self.within = [0] * buckets
        """How many fell into each bucket and into no smaller one; the last has no bound."""


class RequestTally(Collector):
    """Requests by webhook and status, their times by webhook, and accepted events by source."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """Begin at nothing.

        Args:
            bounds: The upper bounds of the times that are told apart, in seconds, rising.
        """
        self._bounds = tuple(bounds)
        self._requests: dict[tuple[str, int], int] = {}
        self._times: dict[str, _Times] = {}
        self._events: dict[str, int] = {}

    def request(self, webhook: str, status: int, seconds: float) -> None:
        """Count one answered request, on the event loop."""
        key = (webhook, status)
        self._requests[key] = self._requests.get(key, 0) + 1
        times = self._times.get(webhook)
        if times is None:
            times = self._times[webhook] = _Times(len(self._bounds) + 1)
        times.seconds += seconds
        times.within[bisect_left(self._bounds, seconds)] += 1

    def event(self, source: str) -> None:
        """Count one event that is durable."""
        self._events[source] = self._events.get(source, 0) + 1

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """Return the numbers as the metrics library shows them."""
        requests = CounterMetricFamily(
            "hooksd_requests", "Requests answered by the trigger listener.", labels=("webhook", "status")
        )
        for (webhook, status), count in self._requests.items():
            requests.add_metric((webhook, str(status)), count)
        yield requests
        seconds = HistogramMetricFamily(
            "hooksd_request_seconds", "From the head of a request to the end of its answer.", labels=("webhook",)
        )
        for webhook, times in self._times.items():
            seconds.add_metric((webhook,), self._buckets(times), times.seconds)
        yield seconds
        events = CounterMetricFamily(
            "hooksd_events_accepted", "Events that are durable, by source.", labels=("source",)
        )
        for source, count in self._events.items():
            events.add_metric((source,), count)
        yield events

    def _buckets(self, times: _Times) -> list[tuple[str, float]]:
        """Return how many took at most each bound."""
        total = 0
        found: list[tuple[str, float]] = []
        for bound, count in zip((*map(str, self._bounds), "+Inf"), times.within, strict=True):
            total += count
            found.append((bound, total))
        return found
