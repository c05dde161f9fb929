from __future__ import annotations

import dataclasses
import re
from typing import get_type_hints

import pytest

from hooksd.telemetry import happenings
from hooksd.telemetry.happenings import HAPPENINGS, Happening
from hooksd.telemetry.metrics import Metrics
from tests.telemetry.samples import sample


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
