"""What a happening is. `telemetry.happenings` lists them all; `telemetry.observer` takes them."""

from __future__ import annotations

from typing import Protocol

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


class Said:
    """A happening that is said in a line and counted nowhere."""

    __slots__ = ()

    def measure(self, metrics: Metrics) -> None:
        """Move nothing."""
