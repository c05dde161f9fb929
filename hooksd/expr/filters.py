"""The filters, as one closed table: pure functions over JSON values whose cost is bounded by the size of the data.

To add one: write the function in `text_filters` or `list_filters`, name it here and in docs/expressions.md; the tests
demand both.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hooksd.expr import list_filters, text_filters
from hooksd.model.base import Json

Function = Callable[..., Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSpec:
    """What the compiler must know of a filter."""

    function: Function
    parameters: tuple[str, ...]
    """Names of the arguments behind the value, in order."""
    required: int
    """How many of them must be given."""


def _spec(function: Function) -> FilterSpec:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return FilterSpec(
        function=function,
        parameters=tuple(item.name for item in parameters),
        required=sum(item.default is inspect.Parameter.empty for item in parameters),
    )


def default(value: Json, fallback: Json, boolean: Json = False) -> Json:  # noqa: FBT002 - a parameter of the language
    """Return the value, or the fallback for a missing value and null; with `boolean` also for what counts as false."""
    return fallback if value is None or (boolean and not value) else value


_FUNCTIONS: Mapping[str, Function] = {
    "abs": list_filters.absolute,
    "b64decode": text_filters.b64decode,
    "b64encode": text_filters.b64encode,
    "capitalize": text_filters.capitalize,
    "count": list_filters.length,
    "default": default,
    "endswith": text_filters.endswith,
    "first": list_filters.first,
    "float": text_filters.to_float,
    "fromjson": text_filters.fromjson,
    "indent": text_filters.indent,
    "int": text_filters.to_int,
    "items": list_filters.items,
    "join": list_filters.join,
    "keys": list_filters.keys,
    "last": list_filters.last,
    "length": list_filters.length,
    "lines": text_filters.lines,
    "lower": text_filters.lower,
    "map": list_filters.pluck,
    "max": list_filters.largest,
    "min": list_filters.smallest,
    "rejectattr": list_filters.rejectattr,
    "replace": text_filters.replace,
    "reverse": list_filters.reverse,
    "round": list_filters.rounded,
    "selectattr": list_filters.selectattr,
    "sha256": text_filters.sha256,
    "sort": list_filters.sort,
    "split": text_filters.split,
    "startswith": text_filters.startswith,
    "string": text_filters.string,
    "sum": list_filters.total,
    "title": text_filters.title,
    "tojson": text_filters.tojson,
    "trim": text_filters.trim,
    "truncate": text_filters.truncate,
    "unique": list_filters.unique,
    "upper": text_filters.upper,
    "urlencode": text_filters.urlencode,
    "values": list_filters.values,
}

FILTERS: Mapping[str, FilterSpec] = {name: _spec(function) for name, function in _FUNCTIONS.items()}
"""Every filter by its name in the language."""
