"""Values of which every delivery and every step makes several: frozen for the type checker, quick to make.

A frozen dataclass sets each field by a call: making one takes three times as long. So what is made most, the records of
the log and what they are made of, is held frozen by mypy alone, which sees every line of this program.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """Make a class a dataclass with slots, built by keyword, equal and hashed by its fields. Nobody assigns to them."""
    return dataclass(slots=True, kw_only=True, unsafe_hash=True)(cls)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def fact(cls: type[T]) -> type[T]:
    """Make a class what `value` makes of it, but for the slots: for what is written as JSON.

    The JSON library writes the dictionary of an object in a third of the time that it takes for as many slots.
    """
    return dataclass(kw_only=True, unsafe_hash=True)(cls)
