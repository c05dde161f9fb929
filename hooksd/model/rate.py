"""Rates: how often something may happen, `"5/10m"` in files. A rate counts all callers, or each address by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from hooksd.model.base import one_or_many
from hooksd.model.spans import format_duration

__all__ = ["RATE_PATTERN", "Rate", "Rates", "parse_rate"]

RATE_PATTERN = r"^[1-9][0-9]{0,8}/[0-9]{1,9}(\.[0-9]{1,9})?(ms|s|m|h|d)( per address)?$"

_PARTS = re.compile(r"([1-9][0-9]{0,8})/([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)( per address)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many in so many seconds."""

    count: int
    """At least 1. So many may come at once when nobody came for a while."""
    seconds: float
    """More than 0."""
    per_address: bool = False
    """Each address has this rate for itself."""

    def __str__(self) -> str:
        """Write it as files do."""
        return f"{self.count}/{format_duration(self.seconds)}{' per address' if self.per_address else ''}"


def parse_rate(text: object) -> Rate:
    """Read `"5/10m"` or `"5/10m per address"`.

    Raises:
        PydanticCustomError: Anything else, with the forms that are allowed.
    """
    if isinstance(text, Rate):
        return text
    match = _PARTS.fullmatch(text) if isinstance(text, str) else None
    seconds = float(match[2]) * _SECONDS[match[3]] if match else 0.0
    if match is None or seconds <= 0:
        raise PydanticCustomError("rate", 'expected a rate like "5/10m", "100/1s" or "20/1m per address"')
    return Rate(count=int(match[1]), seconds=seconds, per_address=match[4] is not None)


_RATE_SCHEMA = {"type": "string", "pattern": RATE_PATTERN, "description": 'A rate, like "5/10m".'}
_Text = Annotated[str, WithJsonSchema(_RATE_SCHEMA)]
_Rate = Annotated[Rate, BeforeValidator(parse_rate, json_schema_input_type=str), WithJsonSchema(_RATE_SCHEMA)]
Rates = Annotated[tuple[_Rate, ...], BeforeValidator(one_or_many, json_schema_input_type=_Text | list[_Text])]
"""One rate or several; all of them hold."""
