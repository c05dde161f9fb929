from __future__ import annotations

import pytest

from hooksd.model.spans import format_duration, seconds_of


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.35, "350ms"), (2.5, "2.5s"), (30, "30s"), (90, "1m 30s"), (600, "10m"), (3900, "1h 5m"), (3600, "1h"),
        (180000, "2d 2h"), (86400, "1d"),
    ],
)  # fmt: skip
def test_durations_are_written_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("30s", 30),
        ("1.5h", 5400),
        ("2d", 172800),
        ("30", None),
        ("", None),
        ("1w", None),
        ("-1s", None),
    ],
)
def test_durations_are_read_with_a_unit_alone(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds
