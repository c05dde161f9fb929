from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.auth.refusal import Refusal
from hooksd.auth.times import parse
from hooksd.model.auth import TimestampFormat


@pytest.mark.parametrize(
    ("text", "form", "seconds"),
    [
        ("1700000000", "unix", 1_700_000_000),
        ("1700000000123", "unix_ms", 1_700_000_000.123),
        ("2023-11-14T22:13:20Z", "rfc3339", 1_700_000_000),
        ("2023-11-14t22:13:20.5z", "rfc3339", 1_700_000_000.5),
        ("2023-11-14T23:13:20.123456789+01:00", "rfc3339", 1_700_000_000.123456),
    ],
)
def test_times_are_read_in_the_form_of_the_provider(text: str, form: TimestampFormat, seconds: float) -> None:
    assert parse(text, form) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize("text", ["", " 1", "+1", "-1", "1.0", "1e3", "0x1", "1_0", "nan", "\u0661", "1\n", "9" * 16])
@pytest.mark.parametrize("form", ["unix", "unix_ms", "rfc3339"])
def test_other_numbers_are_malformed(text: str, form: TimestampFormat) -> None:
    with pytest.raises(Refusal, match="malformed_timestamp"):
        parse(text, form)


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-14", "2023-11-14T22:13:20", "2023-13-14T22:13:20Z", "2023-11-14T25:13:20Z", "2023-11-14 22:13:20Z",
        "2023-11-14T22:13Z", "2023-W46-2T22:13:20Z", "20231114T221320Z", "2023-11-14T22:13:20+01",
        "0000-01-01T00:00:00Z",
        "2023-11-14T22:13:20+99:00", "1700000000",
    ],
)  # fmt: skip
def test_other_dates_are_malformed(text: str) -> None:
    with pytest.raises(Refusal, match="malformed_timestamp"):
        parse(text, "rfc3339")


@given(st.text("0123456789-:TZ+.", max_size=30), st.sampled_from(["unix", "unix_ms", "rfc3339"]))
def test_any_text_is_a_time_or_refused(text: str, form: TimestampFormat) -> None:
    try:
        assert isinstance(parse(text, form), float)
    except Refusal as refusal:
        assert refusal.reason == "malformed_timestamp"  # noqa: PT017 - the other outcome is as good
