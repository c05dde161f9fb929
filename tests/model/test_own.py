from __future__ import annotations

import pytest

from hooksd.model.own import reaches


@pytest.mark.parametrize(
    ("pattern", "event_type"),
    [
        ("*", "order.paid"),
        ("*", "configuration.changed"),
        ("config.*", "config.rejected"),
        ("config.rejected", "config.rejected"),
        ("workflow.*.failed", "workflow.deploy.failed"),
    ],
)
def test_who_names_an_event_gets_it(pattern: str, event_type: str) -> None:
    assert reaches(pattern, event_type)


@pytest.mark.parametrize(
    ("pattern", "event_type"),
    [
        ("*", "config.applied"),
        ("*", "workflow.deploy.failed"),
        ("*.failed", "workflow.deploy.failed"),
        ("c*", "config.held"),
        ("config*", "config.held"),
        ("workflow.*", "config.held"),
    ],
)
def test_who_asks_for_everything_gets_nothing_of_hooksd_itself(pattern: str, event_type: str) -> None:
    assert not reaches(pattern, event_type)
