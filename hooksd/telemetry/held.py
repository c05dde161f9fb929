"""Which endpoints are held, as a metric that is there only while they are: a name of long ago is no series.

Made by `telemetry.metrics`, and read on the event loop alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector


class HeldEndpoints(Collector):
    """1 for each endpoint and reason."""

    def __init__(self) -> None:
        """Begin with nobody to ask."""
        self.holding: Callable[[], Iterable[tuple[str, str]]] = tuple
        """Returns the names of endpoints, each with a reason."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return the numbers as the metrics library shows them."""
        held = GaugeMetricFamily(
            "hooksd_endpoint_held", "1 while deliveries to an endpoint wait.", labels=("endpoint", "reason")
        )
        for endpoint, reason in self.holding():
            held.add_metric((endpoint, reason), 1)
        yield held
