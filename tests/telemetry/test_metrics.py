from __future__ import annotations

import pytest

from hooksd.telemetry.metrics import CONFIG_STATES, Metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_two_daemons_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()

    one.requests_failed.inc()

    assert value(one, "hooksd_requests_failed_total") == 1
    assert value(other, "hooksd_requests_failed_total") == 0


def test_a_request_counts_by_webhook_and_status_and_is_timed() -> None:
    metrics = Metrics()

    metrics.request("github", 202, 0.003)
    metrics.request("github", 202, 0.004)
    metrics.request("github", 401, 0.001)

    assert value(metrics, "hooksd_requests_total", webhook="github", status="202") == 2
    assert value(metrics, "hooksd_requests_total", webhook="github", status="401") == 1
    assert value(metrics, "hooksd_request_seconds_sum", webhook="github") == pytest.approx(0.008)


def test_the_definitions_are_in_exactly_one_state() -> None:
    metrics = Metrics()

    metrics.set_config_state("REJECTED")
    metrics.set_config_state("HELD")

    states = {state: value(metrics, "hooksd_config_state", state=state) for state in CONFIG_STATES}
    assert states == {"IN_SYNC": 0, "APPLYING": 0, "REJECTED": 0, "HELD": 1}


def test_a_queue_is_measured_when_somebody_looks() -> None:
    metrics = Metrics()
    waiting: list[int] = []
    metrics.watch_queue("runs_queued", lambda: len(waiting))

    waiting.extend([1, 2, 3])

    assert b'hooksd_queue_size{queue="runs_queued"} 3.0' in metrics.render()


def test_every_name_is_in_the_text_that_is_scraped() -> None:
    metrics = Metrics()
    text = metrics.render().decode()

    assert len(set(metrics.names)) == len(metrics.names)
    for name in metrics.names:
        assert f"# TYPE {name}" in text


def test_the_process_shows_its_memory_and_file_descriptors() -> None:
    text = Metrics().render().decode()

    assert "process_resident_memory_bytes" in text
    assert "process_open_fds" in text


def test_a_counter_is_one_series() -> None:
    metrics = Metrics()
    metrics.request("github", 202, 0.001)

    assert "_created" not in metrics.render().decode()
