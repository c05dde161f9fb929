"""What is counted for every request, run and delivery: plain numbers, made into metrics only when somebody looks.

A counter of the metrics library takes a lock and a histogram walks its buckets; together that took as long as verifying
a signature. `telemetry.metrics` owns the tallies of a daemon; they are moved and read on the event loop alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector


class _Counts:
    """How often, by labels."""

    __slots__ = ("by_labels",)

    def __init__(self) -> None:
        self.by_labels: dict[tuple[str, ...], int] = {}

    def join(self, count: int, *labels: str) -> None:
        self.by_labels[labels] = self.by_labels.get(labels, 0) + count

    def shown(self, name: str, text: str, *labels: str) -> CounterMetricFamily:
        family = CounterMetricFamily(name, text, labels=labels)
        for values, count in self.by_labels.items():
            family.add_metric(values, count)
        return family


class _Times:
    """How long, by one label."""

    __slots__ = ("bounds", "by_label")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.by_label: dict[str, _Spread] = {}

    def of(self, label: str) -> _Spread:
        spread = self.by_label.get(label)
        if spread is None:
            spread = self.by_label[label] = _Spread(len(self.bounds) + 1)
        return spread

    def shown(self, name: str, text: str, label: str) -> HistogramMetricFamily:
        family = HistogramMetricFamily(name, text, labels=(label,))
        for value, spread in self.by_label.items():
            family.add_metric((value,), self._buckets(spread), spread.seconds)
        return family

    def _buckets(self, spread: _Spread) -> list[tuple[str, float]]:
        """Return how many took at most each bound."""
        total = 0
        found: list[tuple[str, float]] = []
        for bound, count in zip((*map(str, self.bounds), "+Inf"), spread.within, strict=True):
            total += count
            found.append((bound, total))
        return found


class _Spread:
    """Of many times their sum, and where they lie."""

    __slots__ = ("seconds", "within")

    def __init__(self, buckets: int) -> None:
        self.seconds = 0.0
        self.within = [0] * buckets
        """How many fell into each bucket and into no smaller one; the last has no bound."""

    def join(self, other: _Spread) -> None:
        self.seconds += other.seconds
        self.within = [ours + theirs for ours, theirs in zip(self.within, other.within, strict=True)]


class _Ends:
    """Who ended how, and after how long: counted in one place, and shown by both and by the first alone."""

    __slots__ = ("_bounds", "spreads")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self.spreads: dict[tuple[str, str], _Spread] = {}

    def add(self, who: str, how: str, seconds: float) -> None:
        spread = self.spreads.get((who, how))
        if spread is None:
            spread = self.spreads[who, how] = _Spread(len(self._bounds) + 1)
        spread.seconds += seconds
        spread.within[bisect_left(self._bounds, seconds)] += 1

    def found(self) -> tuple[_Counts, _Times]:
        counts, times = _Counts(), _Times(self._bounds)
        for (who, how), spread in self.spreads.items():
            counts.by_labels[who, how] = sum(spread.within)
            times.of(who).join(spread)
        return counts, times


class RequestTally(Collector):
    """Requests by webhook and status, their times by webhook, and accepted events by source."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """Begin at nothing.

        Args:
            bounds: The upper bounds of the times that are told apart, in seconds, rising.
        """
        self._bounds = tuple(bounds)
        self._answers: dict[tuple[str, int], _Spread] = {}
        """By webhook and status."""
        self._events: Counter[str] = Counter()

    def request(self, webhook: str, status: int, seconds: float) -> None:
        """Count one answered request, on the event loop."""
        spread = self._answers.get((webhook, status))
        if spread is None:
            spread = self._answers[webhook, status] = _Spread(len(self._bounds) + 1)
        spread.seconds += seconds
        spread.within[bisect_left(self._bounds, seconds)] += 1

    def events(self, sources: Iterable[str]) -> None:
        """Count events that are durable, each by its source."""
        self._events.update(sources)

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """Return the numbers as the metrics library shows them."""
        requests, times, events = _Counts(), _Times(self._bounds), _Counts()
        for (webhook, status), spread in self._answers.items():
            requests.by_labels[webhook, str(status)] = sum(spread.within)
            times.of(webhook).join(spread)
        for source, count in self._events.items():
            events.by_labels[source,] = count
        yield requests.shown("hooksd_requests", "Requests answered by the trigger listener.", "webhook", "status")
        yield times.shown("hooksd_request_seconds", "From the head of a request to the end of its answer.", "webhook")
        yield events.shown("hooksd_events_accepted", "Events that are durable, by source.", "source")


class RunTally(Collector):
    """Runs by workflow, from their beginning to their end, and steps by verb."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """Begin at nothing; the argument is that of `RequestTally`."""
        self._started: Counter[str] = Counter()
        self._runs = _Ends(bounds)
        self._steps = _Ends(bounds)
        self.ended = self._runs.add
        """Count one run that has its end, on the event loop: its workflow, its status, and seconds."""
        self.step = self._steps.add
        """Count one step that has its result, on the event loop: its verb, its status, and seconds."""

    def started(self, workflow: str) -> None:
        """Count one run that left the queue, on the event loop."""
        self._started[workflow] += 1

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """Return the numbers as the metrics library shows them."""
        started = _Counts()
        for workflow, count in self._started.items():
            started.by_labels[workflow,] = count
        (runs, run_times), (steps, step_times) = self._runs.found(), self._steps.found()
        yield started.shown("hooksd_runs_started", "Runs that left the queue.", "workflow")
        yield runs.shown("hooksd_runs", "Runs that ended, by workflow and status.", "workflow", "status")
        yield run_times.shown("hooksd_run_seconds", "From acceptance to the end of a run.", "workflow")
        yield steps.shown("hooksd_steps", "Steps that ended, by verb and status.", "verb", "status")
        yield step_times.shown("hooksd_step_seconds", "The last attempt of a step.", "verb")


class DeliveryTally(Collector):
    """Attempts by endpoint and outcome, their times by endpoint, and ended deliveries by endpoint and status."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """Begin at nothing; the argument is that of `RequestTally`."""
        self._attempts = _Ends(bounds)
        self._deliveries: dict[tuple[str, str], int] = {}
        """By endpoint and status."""
        self._bounds = tuple(bounds)
        self._delivered: dict[str, _Spread] = {}
        """By endpoint: attempts that were received and ended their delivery with that, in neither of the others."""

    def attempt(self, endpoint: str, outcome: str, seconds: float) -> None:
        """Count one attempt that has its outcome, on the event loop."""
        self._attempts.add(endpoint, outcome, seconds)

    def delivery(self, endpoint: str, status: str) -> None:
        """Count one delivery that has its end, on the event loop."""
        key = (endpoint, status)
        self._deliveries[key] = self._deliveries.get(key, 0) + 1

    def delivered(self, endpoint: str, seconds: float) -> None:
        """Count one attempt that was received, and with it the end of its delivery, on the event loop."""
        spread = self._delivered.get(endpoint)
        if spread is None:
            spread = self._delivered[endpoint] = _Spread(len(self._bounds) + 1)
        spread.seconds += seconds
        spread.within[bisect_left(self._bounds, seconds)] += 1

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """Return the numbers as the metrics library shows them."""
        attempts, times = self._attempts.found()
        deliveries = _Counts()
        deliveries.by_labels.update(self._deliveries.items())
        for endpoint, spread in self._delivered.items():
            count = sum(spread.within)
            attempts.join(count, endpoint, "ok")
            deliveries.join(count, endpoint, "delivered")
            times.of(endpoint).join(spread)
        yield attempts.shown("hooksd_attempts", "Attempts to deliver, by outcome.", "endpoint", "outcome")
        yield times.shown("hooksd_attempt_seconds", "One attempt to deliver.", "endpoint")
        yield deliveries.shown("hooksd_deliveries", "Deliveries that ended, by status.", "endpoint", "status")
