from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from hooksd.telemetry import happenings
from hooksd.telemetry.log import configure
from hooksd.telemetry.observer import Observer


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure(stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_happening_becomes_a_line_and_moves_its_metrics(out: io.StringIO) -> None:
    observer = Observer()

    observer.emit(
        happenings.RunEnded(
            run="run_1", workflow="deploy", event_id="evt_1", status="failed", seconds=2.0, step="build", error="exit 1"
        )
    )

    line = json.loads(out.getvalue())
    assert line["event"] == "run.ended"
    assert line["level"] == "warning"
    assert line["step"] == "build"
    labels = {"workflow": "deploy", "status": "failed"}
    assert observer.metrics.registry.get_sample_value("hooksd_runs_total", labels) == 1


def test_what_a_happening_does_not_know_is_left_out_of_its_line(out: io.StringIO) -> None:
    Observer().emit(happenings.ConfigHeld(revision="abc", running=None, reason="the directory is gone"))

    line = json.loads(out.getvalue())
    assert set(line) == {"at", "level", "event", "revision", "reason"}


def test_an_error_of_hooksd_shows_its_traceback(out: io.StringIO) -> None:
    try:
        raise ValueError("broken")  # noqa: TRY301
    except ValueError as error:
        Observer().emit(happenings.RequestFailed(method="POST", path="/hooks/github", exc_info=error))

    line = json.loads(out.getvalue())
    assert "ValueError: broken" in line["exception"]
    assert line["path"] == "/hooks/github"


def test_an_observer_without_a_configured_log_still_counts() -> None:
    observer = Observer()

    observer.emit(happenings.EventAccepted(event_id="evt_1", event_type="github.push", source="webhook/github", runs=1))

    labels = {"source": "webhook/github"}
    assert observer.metrics.registry.get_sample_value("hooksd_events_accepted_total", labels) == 1


def test_a_line_has_one_time_and_readable_seconds(out: io.StringIO) -> None:
    observer = Observer()

    observer.emit(happenings.ConfigApplied(revision="abc", at=1_795_305_600.0, counts={"webhooks": 1}))
    observer.emit(
        happenings.RunEnded(run="r", workflow="w", event_id="e", status="failed", seconds=0.0021379999999999997)
    )

    applied, ended = (json.loads(line) for line in out.getvalue().splitlines())
    assert applied["at"].endswith("Z")
    assert ended["seconds"] == 0.002138
