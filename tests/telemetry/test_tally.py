from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from hooksd.telemetry.tally import DeliveryTally, RequestTally, RunTally

BOUNDS = (0.001, 0.01, 0.1)
SECONDS = (0.0, 0.001, 0.0011, 0.05, 0.1, 7.0)


def test_times_fall_into_the_buckets_that_the_library_would_put_them_into() -> None:
    theirs = CollectorRegistry()
    histogram = Histogram(
        "hooksd_request_seconds",
        "From the head of a request to the end of its answer.",
        ("webhook",),
        buckets=BOUNDS,
        registry=theirs,
    )
    ours = CollectorRegistry()
    tally = RequestTally(BOUNDS)
    ours.register(tally)

    for seconds in SECONDS:
        histogram.labels("github").observe(seconds)
        tally.request("github", 202, seconds)

    wanted = [line for line in generate_latest(theirs).splitlines() if b"_created" not in line]
    assert set(wanted) <= set(generate_latest(ours).splitlines())


def test_requests_are_told_apart_by_webhook_and_status() -> None:
    registry = CollectorRegistry()
    tally = RequestTally(BOUNDS)
    registry.register(tally)

    for webhook, status in (("a", 202), ("a", 202), ("a", 401), ("b", 202)):
        tally.request(webhook, status, 0.001)

    read = registry.get_sample_value
    assert read("hooksd_requests_total", {"webhook": "a", "status": "202"}) == 2
    assert read("hooksd_requests_total", {"webhook": "a", "status": "401"}) == 1
    assert read("hooksd_requests_total", {"webhook": "b", "status": "202"}) == 1
    assert read("hooksd_request_seconds_count", {"webhook": "a"}) == 3
    assert read("hooksd_request_seconds_bucket", {"webhook": "a", "le": "0.001"}) == 3
    assert read("hooksd_request_seconds_sum", {"webhook": "a"}) == pytest.approx(0.003)


def test_events_are_counted_by_where_they_came_from() -> None:
    registry = CollectorRegistry()
    tally = RequestTally(BOUNDS)
    registry.register(tally)

    tally.events(["webhook/a", "webhook/b", "webhook/a"])
    tally.events(("webhook/a",))

    read = registry.get_sample_value
    assert read("hooksd_events_accepted_total", {"source": "webhook/a"}) == 3
    assert read("hooksd_events_accepted_total", {"source": "webhook/b"}) == 1


def test_attempts_are_told_apart_by_endpoint_and_outcome_and_deliveries_by_their_end() -> None:
    registry = CollectorRegistry()
    tally = DeliveryTally(BOUNDS)
    registry.register(tally)

    for endpoint, outcome in (("a", "ok"), ("a", "http_5xx"), ("b", "ok"), ("a", "ok")):
        tally.attempt(endpoint, outcome, 0.05)
    tally.delivery("a", "delivered")

    read = registry.get_sample_value
    assert read("hooksd_attempts_total", {"endpoint": "a", "outcome": "ok"}) == 2
    assert read("hooksd_attempts_total", {"endpoint": "a", "outcome": "http_5xx"}) == 1
    assert read("hooksd_attempts_total", {"endpoint": "b", "outcome": "ok"}) == 1
    assert read("hooksd_attempt_seconds_bucket", {"endpoint": "a", "le": "0.1"}) == 3
    assert read("hooksd_attempt_seconds_bucket", {"endpoint": "a", "le": "0.01"}) == 0
    assert read("hooksd_deliveries_total", {"endpoint": "a", "status": "delivered"}) == 1


def test_what_is_counted_as_delivered_is_an_attempt_that_was_received_and_a_delivery_that_has_its_end() -> None:
    together, apart = CollectorRegistry(), CollectorRegistry()
    ours, theirs = DeliveryTally(BOUNDS), DeliveryTally(BOUNDS)
    together.register(ours)
    apart.register(theirs)

    for tally in (ours, theirs):
        tally.attempt("a", "ok", 0.0625)
        tally.attempt("a", "http_5xx", 0.0625)
        tally.delivery("a", "delivered")
        tally.delivery("a", "gone")
    for endpoint, seconds in (("a", 0.00048828125), ("a", 7.0), ("b", 0.0625)):
        ours.delivered(endpoint, seconds)
        theirs.attempt(endpoint, "ok", seconds)
        theirs.delivery(endpoint, "delivered")

    assert sorted(generate_latest(together).splitlines()) == sorted(generate_latest(apart).splitlines())


def test_runs_are_told_apart_by_workflow_and_end_and_steps_by_verb_and_status() -> None:
    registry = CollectorRegistry()
    tally = RunTally(BOUNDS)
    registry.register(tally)

    for workflow, status in (("a", "succeeded"), ("a", "failed"), ("b", "succeeded")):
        tally.started(workflow)
        tally.step("run", "ok" if status == "succeeded" else "failed", 0.05)
        tally.ended(workflow, status, 0.005)
    tally.started("b")

    read = registry.get_sample_value
    assert read("hooksd_runs_started_total", {"workflow": "b"}) == 2
    assert read("hooksd_runs_total", {"workflow": "a", "status": "failed"}) == 1
    assert read("hooksd_run_seconds_sum", {"workflow": "a"}) == 0.01
    assert read("hooksd_run_seconds_bucket", {"workflow": "a", "le": "0.01"}) == 2
    assert read("hooksd_steps_total", {"verb": "run", "status": "ok"}) == 2
    assert read("hooksd_step_seconds_count", {"verb": "run"}) == 3
    assert read("hooksd_step_seconds_bucket", {"verb": "run", "le": "0.01"}) == 0
