from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.instant import rfc3339, unix


@given(st.integers(min_value=0, max_value=4_000_000_000_000))
def test_a_written_time_reads_as_the_same_millisecond(millis: int) -> None:
    assert round(unix(rfc3339(millis / 1000)) * 1000) == millis


def test_times_are_written_in_utc_with_milliseconds() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1795318080.1234) == "2026-11-22T03:28:00.123Z"


@given(st.floats(min_value=0, max_value=4e9), st.floats(min_value=0.001, max_value=1e6))
def test_later_times_never_sort_before_earlier_ones(begin: float, after: float) -> None:
    assert rfc3339(begin) <= rfc3339(begin + after)


def test_a_time_without_an_offset_is_no_time() -> None:
    with pytest.raises(ValueError, match="without an offset"):
        unix("2026-11-22T03:28:00")
