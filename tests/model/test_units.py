from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from hooksd.model.units import format_duration, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("10m", 600), ("1.5h", 5400), ("2d", 172800), ("0s", 0)],
)
def test_durations_have_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "value", [31, 2.5, "30", "", "s", "-1s", "1 s", "1S", "1w", "٣s", "1e3s", None, "9" * 400 + "d", "1s\n"]
)
def test_anything_else_is_no_duration(value: object) -> None:
    with pytest.raises(PydanticCustomError, match="duration with a unit"):
        parse_duration(value)


@pytest.mark.parametrize(("text", "size"), [("512B", 512), ("64KiB", 65536), ("10MiB", 10485760), ("1GB", 10**9)])
def test_sizes_have_a_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("value", [7, "10", "10M", "1.5MiB", "-1B", "", None, "9" * 5000 + "B"])
def test_anything_else_is_no_size(value: object) -> None:
    with pytest.raises(PydanticCustomError, match="size with a unit"):
        parse_size(value)


@given(st.integers(1, 59).flatmap(lambda count: st.sampled_from([f"{count}s", f"{count}m"])))
def test_a_round_duration_is_written_as_it_was_read(text: str) -> None:
    assert format_duration(parse_duration(text)) == text
