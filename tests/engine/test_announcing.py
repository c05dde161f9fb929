from __future__ import annotations

import pytest
import structlog

from hooksd.engine.announcing import Announcer, Told
from hooksd.telemetry.metrics import Metrics
from hooksd.telemetry.observer import Observer


class Heard:
    """An observer that keeps what it would write."""

    def __init__(self, *, verbose: bool) -> None:
        self.metrics = Metrics()
        self.lines: list[tuple[str, str]] = []
        self._verbose = verbose

    def logger(self) -> structlog.typing.FilteringBoundLogger:
        made: structlog.typing.FilteringBoundLogger = self  # type: ignore[assignment] # all of it that an observer uses
        return made

    def is_enabled_for(self, level: int) -> bool:  # noqa: ARG002 - as loggers do
        return self._verbose

    def log(self, level: int, event: str, **fields: str) -> None:  # noqa: ARG002 - as loggers do
        self.lines.append((event, fields["event_id"]))

    def observer(self) -> Observer:
        return Observer(metrics=self.metrics, logger=self.logger())

    def counted(self, source: str) -> float | None:
        return self.metrics.registry.get_sample_value("hooksd_events_accepted_total", {"source": source})


@pytest.mark.parametrize("verbose", [False, True])
def test_each_event_is_counted_by_its_source_and_has_a_line_when_somebody_reads_them(verbose: bool) -> None:  # noqa: FBT001 - a case
    heard = Heard(verbose=verbose)
    announcer = Announcer(heard.observer())

    announcer.tell([Told("evt_1", "a.push", "webhook/a", 0), Told("evt_2", "b.push", "webhook/b", 2)])
    announcer.tell([Told("evt_3", "a.push", "webhook/a", 0)])

    assert (heard.counted("webhook/a"), heard.counted("webhook/b")) == (2, 1)
    told = [("event.accepted", name) for name in ("evt_1", "evt_2", "evt_3")]
    assert heard.lines == (told if verbose else [])


def test_where_nobody_observes_nobody_is_told() -> None:
    Announcer(None).tell([Told("evt_1", "a.push", "webhook/a", 0)])
