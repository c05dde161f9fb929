from __future__ import annotations

import dataclasses
import re

import orjson
import pytest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric

from hooksd.telemetry.happenings import HAPPENINGS, Happening
from hooksd.telemetry.held import HeldEndpoints
from hooksd.telemetry.metrics import Metrics
from hooksd.telemetry.tally import DeliveryTally, RequestTally, RunTally
from tests.docs.console import page

TEXT = page("observing.md")
ROWS = {row[1]: row[0] for row in re.finditer(r"^\| `([a-z_.]+)` \|.*$", TEXT, re.MULTILINE)}


def columns(name: str) -> list[str]:
    return [column.strip() for column in ROWS[name].strip("|").split("|")]


@pytest.mark.parametrize("happening", HAPPENINGS, ids=lambda item: item.__name__)
def test_every_line_is_described_with_its_level_and_fields(happening: type[Happening]) -> None:
    _, level, fields, _ = columns(str(happening.event))
    names = {field.name for field in dataclasses.fields(happening)} - {"at"}  # type: ignore[arg-type]

    if happening.level is None:
        assert (level, fields) == ("none", "")
    else:
        said = {"exception" if name == "exc_info" else name for name in names}
        assert set(re.findall(r"`(\w+)`", fields)) == said
    if isinstance(happening.level, str):
        assert level == happening.level


def test_every_metric_is_described_with_its_type_and_labels() -> None:
    metrics = Metrics()
    tallies = (RequestTally(()), RunTally(()), DeliveryTally(()), HeldEndpoints())
    library = [metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
    known: list[tuple[Metric, tuple[str, ...]]] = [
        *((next(iter(metric.describe())), tuple(metric._labelnames)) for metric in library),
        *((family, family._labelnames) for tally in tallies for family in tally.collect()),
    ]

    for family, labels in known:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        _, kind, said, _ = columns(name)
        assert kind == family.type
        assert re.findall(r"`(\w+)`", said) == list(labels)
    assert len(known) == len(metrics.names)


def test_nothing_is_described_that_is_not_there() -> None:
    assert set(ROWS) == {str(happening.event) for happening in HAPPENINGS} | set(Metrics().names)


def test_the_line_that_is_shown_is_json() -> None:
    shown = re.search(r"^```json\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)

    assert shown is not None
    assert orjson.loads(shown[1])["event"] == "run.ended"


def test_alerts_speak_of_metrics_that_are_there() -> None:
    spoken = set(re.findall(r"(hooksd_\w+?)(?:\{|\[| )", TEXT.split("### What to alert on")[1]))

    assert spoken <= set(Metrics().names)
