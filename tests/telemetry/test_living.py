from __future__ import annotations

from hooksd.telemetry import living
from hooksd.telemetry.metrics import Metrics
from tests.telemetry.samples import sample


def test_applied_definitions_show_when_and_how_many() -> None:
    metrics = Metrics()

    sample(living.ConfigRejected).measure(metrics)
    sample(living.ConfigApplied, at=1_795_305_600.0, counts={"webhooks": 3}).measure(metrics)

    read = metrics.registry.get_sample_value
    assert read("hooksd_config_last_success_timestamp_seconds") == 1_795_305_600
    assert read("hooksd_config_definitions", {"kind": "webhooks"}) == 3
    assert read("hooksd_config_state", {"state": "IN_SYNC"}) == 1
    assert read("hooksd_config_state", {"state": "REJECTED"}) == 0


def test_the_log_takes_records_until_it_refuses_them() -> None:
    metrics = Metrics()
    read = metrics.registry.get_sample_value

    sample(living.JournalAccepting).measure(metrics)
    accepting = read("hooksd_journal_accepting")
    sample(living.JournalRefused).measure(metrics)

    assert (accepting, read("hooksd_journal_accepting")) == (1, 0)


def test_a_batch_counts_its_records_and_bytes() -> None:
    metrics = Metrics()

    sample(living.JournalWritten, records=3, size=700, seconds=0.002).measure(metrics)

    read = metrics.registry.get_sample_value
    assert read("hooksd_journal_records_total") == 3
    assert read("hooksd_journal_bytes_total") == 700
    assert read("hooksd_journal_sync_seconds_count") == 1


def test_what_was_removed_from_the_log_is_counted_and_a_failure_is_an_error() -> None:
    metrics = Metrics()
    removed = sample(living.LogTrimmed, size=700)
    removed.measure(metrics)

    assert metrics.registry.get_sample_value("hooksd_journal_trimmed_bytes_total") == 700
    assert (removed.level, sample(living.LogTrimmed, error="read-only").level) == ("info", "error")
