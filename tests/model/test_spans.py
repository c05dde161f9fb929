from __future__ import annotations

import pytest

from hooksd.model.spans import format_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.35, "350ms"), (2.5, "2.5s"), (30, "30s"), (90, "1m 30s"), (600, "10m"), (3900, "1h 5m"), (3600, "1h"),
        (180000, "2d 2h"), (86400, "1d"),
    ],
)  # fmt: skip
def test_durations_are_written_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
