"""Where the keys and values of a text stand: what the position indexes of TOML and JSON have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Path = tuple[str | int, ...]
"""The way to a value: keys of tables and indexes of lists."""


class Span(NamedTuple):
    """Where one value stands, in characters from the start of the text; each end is just behind the last character."""

    key_start: int
    key_end: int
    """The key, or the last part of the table's header; an item of a list has no key: its value stands here too."""
    start: int
    end: int
    """The value; of a table with a header the whole header."""


Positions = Mapping[Path, Span]
