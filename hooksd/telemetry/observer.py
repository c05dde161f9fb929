"""The one door for observations: what happened becomes a line and moves metrics.

Parts that must report take `observer: Observer`. Tests make one with `Observer()` and read its metrics.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import structlog

from hooksd.telemetry.happening import Happening
from hooksd.telemetry.log import LEVELS, get_logger
from hooksd.telemetry.metrics import Metrics


class Observer:
    """Writes the line of a happening and moves its metrics."""

    def __init__(
        self, *, metrics: Metrics | None = None, logger: structlog.typing.FilteringBoundLogger | None = None
    ) -> None:
        """Take what to write to.

        Args:
            metrics: What to move. Default: metrics of its own.
            logger: What to write lines with. Default: the daemon's.
        """
        self.metrics = metrics or Metrics()
        self._logger = logger or get_logger()
        self._is_enabled_for: Callable[[int], bool] = self._logger.is_enabled_for
        self.is_verbose = self._is_enabled_for(LEVELS["debug"])
        """Whether the lines of happenings are written of which every request makes one. It is asked several times for
        each of them, so it stays as it is when this is made: the log is configured first."""

    def emit(self, happening: Happening) -> None:
        """Observe a happening. Safe to call from any thread; it never waits and never raises for odd values."""
        happening.measure(self.metrics)
        level = happening.level
        if level is not None and self._is_enabled_for(LEVELS[level]):
            self._logger.log(LEVELS[level], happening.event, **_fields(happening))


def _fields(happening: Happening) -> dict[str, object]:
    """Return the fields that say something: what is None or empty is left out, and so is `at`, which every line has."""
    named = ((field.name, getattr(happening, field.name)) for field in dataclasses.fields(happening))  # type: ignore[arg-type] # happenings are dataclasses; a Protocol cannot say so
    return {name: _rounded(value) for name, value in named if name != "at" and value is not None and value != ()}


def _rounded(value: object) -> object:
    """Cut the noise off seconds: microseconds are enough."""
    return round(value, 6) if isinstance(value, float) else value
