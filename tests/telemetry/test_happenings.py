from __future__ import annotations

import dataclasses
import re
from typing import Any, get_type_hints

import pytest

from hooksd.telemetry import happenings
from hooksd.telemetry.happenings import HAPPENINGS, Happening
from hooksd.telemetry.metrics import Metrics

SAMPLES: dict[str, Any] = {
    "str": "a", "int": 2, "float": 0.5, "str | None": None, "int | None": None, "bool": False,
    "tuple[str, ...]": (), "Mapping[str, int]": {"webhooks": 1},
}  # fmt: skip


def sample(happening: type[Happening], **given: Any) -> Happening:
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(happening):  # type: ignore[arg-type]
        if field.name == "exc_info":
            fields[field.name] = ValueError("x")
        elif field.default is dataclasses.MISSING:
            fields[field.name] = SAMPLES[str(field.type)]
    return happening(**{**fields, **given})


@pytest.mark.parametrize("happening", HAPPENINGS, ids=lambda item: item.__name__)
def test_a_happening_has_a_stable_name_and_moves_only_metrics_that_exist(happening: type[Happening]) -> None:
    made = sample(happening)

    assert re.fullmatch(r"[a-z]+\.[a-z]+", made.event)
    assert made.level in {"debug", "info", "warning", "error", None}
    made.measure(Metrics())


def test_no_two_happenings_share_a_name() -> None:
    names = [happening.event for happening in HAPPENINGS]

    assert len(set(names)) == len(names)


def test_every_happening_is_listed() -> None:
    defined: set[object] = {
        item
        for item in vars(happenings).values()
        if isinstance(item, type) and dataclasses.is_dataclass(item) and "event" in get_type_hints(item)
    }

    assert defined == set(HAPPENINGS)


@pytest.mark.parametrize("happening", HAPPENINGS, ids=lambda item: item.__name__)
def test_no_field_is_named_as_what_every_line_has(happening: type[Happening]) -> None:
    names = {field.name for field in dataclasses.fields(happening)}  # type: ignore[arg-type]

    assert not names & {"event", "level", "timestamp", "logger"}


@pytest.mark.parametrize(("status", "level"), [("succeeded", "info"), ("failed", "warning"), ("timed_out", "warning")])
def test_a_run_that_went_wrong_is_a_warning(status: str, level: str) -> None:
    assert sample(happenings.RunEnded, status=status).level == level


@pytest.mark.parametrize(("status", "level"), [("delivered", "info"), ("exhausted", "error"), ("gone", "error")])
def test_a_delivery_that_nobody_received_is_an_error(status: str, level: str) -> None:
    assert sample(happenings.DeliveryEnded, status=status).level == level


@pytest.mark.parametrize(("outcome", "level"), [("ok", "debug"), ("http_5xx", "warning")])
def test_a_failed_attempt_is_a_warning(outcome: str, level: str) -> None:
    assert sample(happenings.AttemptEnded, outcome=outcome).level == level


def test_refusals_count_as_many_as_they_stand_for() -> None:
    metrics = Metrics()

    sample(happenings.RequestsRefused, webhook="github", reason="bad_signature", count=41).measure(metrics)

    labels = {"webhook": "github", "reason": "bad_signature"}
    assert metrics.registry.get_sample_value("hooksd_requests_refused_total", labels) == 41


def test_applied_definitions_show_when_and_how_many() -> None:
    metrics = Metrics()

    sample(happenings.ConfigRejected).measure(metrics)
    sample(happenings.ConfigApplied, at=1_795_305_600.0, counts={"webhooks": 3}).measure(metrics)

    read = metrics.registry.get_sample_value
    assert read("hooksd_config_last_success_timestamp_seconds") == 1_795_305_600
    assert read("hooksd_config_definitions", {"kind": "webhooks"}) == 3
    assert read("hooksd_config_state", {"state": "IN_SYNC"}) == 1
    assert read("hooksd_config_state", {"state": "REJECTED"}) == 0
