"""The tests behind `is`, as one closed table: pure functions over JSON values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hooksd.expr.problem import RenderProblem
from hooksd.expr.values import is_number, kind
from hooksd.model.base import Json
from hooksd.model.patterns import matches


def _like(value: Json, pattern: Json) -> bool:
    if not isinstance(value, str) or not isinstance(pattern, str):
        raise RenderProblem(f"`is like` compares text with a pattern, not {kind(value)} with {kind(pattern)}")
    return matches(pattern, value)


PREDICATES: Mapping[str, tuple[Callable[..., bool], int]] = {
    "boolean": (lambda value: isinstance(value, bool), 0),
    "defined": (lambda _: True, 0),
    "false": (lambda value: value is False, 0),
    "integer": (lambda value: is_number(value) and isinstance(value, int), 0),
    "like": (_like, 1),
    "mapping": (lambda value: isinstance(value, Mapping), 0),
    "none": (lambda value: value is None, 0),
    "null": (lambda value: value is None, 0),
    "number": (is_number, 0),
    "sequence": (lambda value: isinstance(value, list | tuple), 0),
    "string": (lambda value: isinstance(value, str), 0),
    "true": (lambda value: value is True, 0),
    "undefined": (lambda _: False, 0),
}
"""Each test by name: the function and the number of its arguments. `defined` and `undefined` are about missing values,
which no function sees: see `evaluate`."""
