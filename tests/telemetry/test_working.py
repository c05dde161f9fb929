from __future__ import annotations

import pytest

from hooksd.telemetry import working
from hooksd.telemetry.metrics import Metrics
from tests.telemetry.samples import sample


@pytest.mark.parametrize(("status", "level"), [("succeeded", "debug"), ("failed", "warning"), ("timed_out", "warning")])
def test_a_run_that_went_wrong_is_a_warning(status: str, level: str) -> None:
    assert sample(working.RunEnded, status=status).level == level


@pytest.mark.parametrize(("status", "level"), [("delivered", "debug"), ("exhausted", "error"), ("gone", "error")])
def test_a_delivery_that_nobody_received_is_an_error(status: str, level: str) -> None:
    assert sample(working.DeliveryEnded, status=status).level == level


@pytest.mark.parametrize(("outcome", "level"), [("ok", "debug"), ("http_5xx", "warning")])
def test_a_failed_attempt_is_a_warning(outcome: str, level: str) -> None:
    assert sample(working.AttemptEnded, outcome=outcome).level == level


def test_refusals_count_as_many_as_they_stand_for() -> None:
    metrics = Metrics()

    sample(working.RequestsRefused, webhook="github", reason="bad_signature", count=41).measure(metrics)

    labels = {"webhook": "github", "reason": "bad_signature"}
    assert metrics.registry.get_sample_value("hooksd_requests_refused_total", labels) == 41
