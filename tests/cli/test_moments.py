"""Moments as people write them."""

from __future__ import annotations

import pytest

from hooksd.cli.moments import happened, moment
from hooksd.errors import UsageError

NOW = 1_795_348_800.0  # 2026-11-22T12:00:00Z


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2h", NOW - 7200),
        ("3d", NOW - 259200),
        ("0s", NOW),
        ("2026-11-22T12:00:00Z", NOW),
        ("2026-11-22T13:00:00+01:00", NOW),
        ("2026-11-22T12:00", NOW),
        ("2026-11-22 12:00:00.5", NOW + 0.5),
        ("2026-11-22", NOW - 43200),
    ],
)
def test_a_moment_is_how_long_ago_a_date_or_a_time_in_utc(text: str, seconds: float) -> None:
    assert moment("--since", text, NOW) == seconds


@pytest.mark.parametrize("text", ["", "2", "yesterday", "2h ago", "2026-13-01", "\x1b[31m"])
def test_what_is_no_moment_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(UsageError, match=r"--since: .* is no moment: write how long ago") as caught:
        moment("--since", text, NOW)
    assert "\x1b" not in str(caught.value)


def test_records_happened_when_they_say() -> None:
    assert happened({"at": "2026-11-22T12:00:00Z"}) == NOW
    assert happened({"at": "x"}) == happened({"at": None}) == happened({}) == float("inf")
