"""Happenings filled with samples, for the tests of telemetry."""

from __future__ import annotations

import dataclasses
from typing import Any

from hooksd.telemetry.happening import Happening

SAMPLES: dict[str, Any] = {
    "str": "a", "int": 2, "float": 0.5, "str | None": None, "int | None": None, "bool": False,
    "tuple[str, ...]": (), "Mapping[str, int]": {"webhooks": 1},
}  # fmt: skip


def sample(happening: type[Happening], **given: Any) -> Happening:
    """Make a happening of this class; fields that are not given have sample values."""
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(happening):  # type: ignore[arg-type]
        if field.name == "exc_info":
            fields[field.name] = ValueError("x")
        elif field.default is dataclasses.MISSING:
            fields[field.name] = SAMPLES[str(field.type)]
    return happening(**{**fields, **given})
