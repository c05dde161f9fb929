"""Durations and sizes: strings with a unit in files, plain numbers in seconds and bytes inside.

A bare number is refused, because nobody reading `timeout = 30` knows thirty of what.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from hooksd.model.spans import format_duration, seconds_of

__all__ = ["DURATION_PATTERN", "SIZE_PATTERN", "Duration", "Size", "format_duration", "parse_duration", "parse_size"]

DURATION_PATTERN = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"
SIZE_PATTERN = r"^[0-9]+(B|KB|MB|GB|KiB|MiB|GiB)$"

_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def parse_duration(text: object) -> float:
    """Read `"500ms"`, `"30s"`, `"10m"`, `"1.5h"` or `"2d"` as seconds.

    Raises:
        PydanticCustomError: Anything else, with the forms that are allowed.
    """
    if isinstance(text, str) and (seconds := seconds_of(text)) is not None:
        return seconds
    raise PydanticCustomError("duration", 'expected a duration with a unit, like "500ms", "30s", "10m", "2h" or "7d"')


def parse_size(text: object) -> int:
    """Read `"64KiB"`, `"10MiB"` or `"1GB"` as bytes.

    Raises:
        PydanticCustomError: Anything else, with the forms that are allowed.
    """
    if isinstance(text, str) and (match := re.fullmatch(r"([0-9]{1,12})(B|KB|MB|GB|KiB|MiB|GiB)", text)):
        return int(match[1]) * _BYTES[match[2]]
    raise PydanticCustomError("size", 'expected a size with a unit, like "512B", "64KiB" or "10MiB"')


Duration = Annotated[
    float,
    BeforeValidator(parse_duration, json_schema_input_type=str),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "description": 'A duration, like "30s" or "10m".'}),
]
"""Seconds, written as a string with a unit."""

Size = Annotated[
    int,
    BeforeValidator(parse_size, json_schema_input_type=str),
    WithJsonSchema({"type": "string", "pattern": SIZE_PATTERN, "description": 'A size, like "64KiB" or "10MiB".'}),
]
"""Bytes, written as a string with a unit."""
