from __future__ import annotations

import re

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from hooksd.model.rate import RATE_PATTERN, Rate, Rates, parse_rate

RATES: TypeAdapter[tuple[Rate, ...]] = TypeAdapter(Rates)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("5/10m", Rate(count=5, seconds=600)),
        ("100/1s", Rate(count=100, seconds=1)),
        ("1/0.5s", Rate(count=1, seconds=0.5)),
        ("20/1m per address", Rate(count=20, seconds=60, per_address=True)),
    ],
)
def test_a_rate_says_how_many_in_which_time_and_whose(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate
    assert re.fullmatch(RATE_PATTERN, text)


@pytest.mark.parametrize(
    "text", ["5", "5/m", "0/1s", "5/0s", "-1/1s", "5 / 1s", "5/1y", "5/1s per person", "", 7, None]
)
def test_anything_else_is_refused_with_examples(text: object) -> None:
    with pytest.raises(PydanticCustomError, match="per address"):
        parse_rate(text)


def test_one_rate_stands_for_a_list_of_one() -> None:
    assert RATES.validate_python("5/1s") == (Rate(count=5, seconds=1),)
    assert RATES.validate_python(["5/1s", "1/1s per address"])[1].per_address
    with pytest.raises(ValidationError):
        RATES.validate_python(7)


@pytest.mark.parametrize("text", ["5/10m", "20/1m per address"])
def test_a_rate_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_rate(text)) == text
