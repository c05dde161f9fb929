"""Kinds of values in plain words: what was expected, what was found. For messages about definitions and settings.

It knows no model, so that commands that only need the settings start fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EXPECTED: Mapping[str, str] = MappingProxyType({
    "string_type": "a text",
    "string_sub_type": "a text",
    "text_or_texts": "a text or a list of texts",
    "tuple_type": "a list",
    "list_type": "a list",
    "mapping_type": "a table",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
})  # fmt: skip
"""What a value has to be, by the type of the error."""


def found(value: object) -> str:
    """Say what kind of value something is."""
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    kinds: tuple[tuple[type, str], ...] = (
        (str, "a text"),
        (int, "a number"),
        (float, "a number"),
        (list, "a list"),
        (dict, "a table"),
    )
    return next((words for kind, words in kinds if isinstance(value, kind)), "null")
