"""JSON values in expressions: what they are called, how they read as text, when they are equal."""

from __future__ import annotations

import math
from collections.abc import Mapping

import orjson

from hooksd.expr.problem import RenderProblem
from hooksd.model.base import Json

_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


def kind(value: Json) -> str:
    """Return what people call a value of this kind; messages hold this and never the value itself."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "a map"
    return "no JSON value"


def is_number(value: Json) -> bool:
    """Tell whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def text(value: Json) -> str:
    """Return a value as text: null is empty, maps and lists are compact JSON, the rest is as JSON writes it.

    Raises:
        RenderProblem: The value is nested too deeply or is no JSON value.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json_text(value)


def json_text(value: Json) -> str:
    """Return a value as compact JSON.

    Raises:
        RenderProblem: The value is nested too deeply or is no JSON value.
    """
    try:
        return orjson.dumps(value, default=_plain).decode()
    except TypeError as error:
        raise RenderProblem(f"{kind(value)} cannot be written as JSON") from error


def number(value: float) -> float:
    """Return the result of arithmetic.

    Raises:
        RenderProblem: JSON has no such number.
    """
    if isinstance(value, int):
        if not _SMALLEST <= value <= _LARGEST:
            raise RenderProblem("the number becomes too large")
    elif not math.isfinite(value):
        raise RenderProblem("the number becomes too large")
    return value


def same(one: Json, other: Json) -> bool:
    """Tell whether two values are equal. Unlike in Python, true is not 1."""
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    return bool(one == other)


def weight(value: Json) -> int:
    """Return the fuel that reading a whole value costs."""
    if isinstance(value, str):
        return 1 + (len(value) >> 8)
    if isinstance(value, list | dict | tuple):
        return 1 + (len(value) >> 3)
    return 1


def _plain(value: object) -> dict[str, Json]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError
