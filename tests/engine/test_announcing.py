from __future__ import annotations

import pytest
import structlog

from hooksd.engine.announcing import Announcer
from hooksd.errors import JournalFull
from hooksd.journal.receipt import Receipt, settled
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
def test_events_of_a_batch_are_told_of_when_it_is_durable_and_not_before(verbose: bool) -> None:  # noqa: FBT001 - a case
    heard, first, second = Heard(verbose=verbose), Receipt(), Receipt()
    announcer = Announcer(heard.observer())
    announcer.when(first, "evt_1", "a.push", "webhook/a")
    announcer.when(first, "evt_2", "b.push", "webhook/b")
    announcer.when(second, "evt_3", "a.push", "webhook/a")
    assert heard.counted("webhook/a") is None

    first.settle(None)
    assert (heard.counted("webhook/a"), heard.counted("webhook/b")) == (1, 1)
    second.settle(None)

    assert (heard.counted("webhook/a"), heard.counted("webhook/b")) == (2, 1)
    told = [("event.accepted", name) for name in ("evt_1", "evt_2", "evt_3")]
    assert heard.lines == (told if verbose else [])


def test_events_that_cannot_be_durable_are_not_told_of() -> None:
    heard, receipt = Heard(verbose=True), Receipt()
    announcer = Announcer(heard.observer())

    announcer.when(receipt, "evt_1", "a.push", "webhook/a")
    announcer.when(settled(JournalFull("no room")), "evt_2", "a.push", "webhook/a")
    receipt.settle(JournalFull("no room"))

    assert (heard.counted("webhook/a"), heard.lines) == (None, [])


def test_an_event_of_a_batch_that_is_durable_already_is_told_of_at_once() -> None:
    heard, receipt = Heard(verbose=False), settled(None)
    announcer = Announcer(heard.observer())

    for number in (1, 2):
        announcer.when(receipt, f"evt_{number}", "a.push", "webhook/a")

        assert heard.counted("webhook/a") == number


def test_one_that_starts_runs_is_told_of_alone() -> None:
    heard = Heard(verbose=True)

    Announcer(heard.observer()).tell("evt_1", "a.push", "webhook/a", 2)

    assert (heard.counted("webhook/a"), heard.lines) == (1, [("event.accepted", "evt_1")])


def test_where_nobody_observes_nobody_is_told() -> None:
    announcer, receipt = Announcer(None), Receipt()

    announcer.when(receipt, "evt_1", "a.push", "webhook/a")
    announcer.tell("evt_2", "a.push", "webhook/a", 1)

    receipt.settle(None)
