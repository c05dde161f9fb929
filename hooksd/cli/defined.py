"""Names that the files define, read without judging what they define: for commands that say what was misspelt."""

from __future__ import annotations

import time
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson
import tomli

from hooksd.config import tree

Kind = Literal["webhook", "endpoint"]

PATIENCE = 1.0
"""Seconds for reading files: enough for some 20,000. A hint is not worth more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined:
    """What could be learned in that time."""

    names: AbstractSet[str]
    is_whole: bool
    """All files were read: no other name is defined."""


def names_in(root: Path, kind: Kind, *, patience: float = PATIENCE) -> Defined:
    """Return the names of all webhooks or endpoints in a directory of definitions.

    Args:
        root: The directory.
        kind: Of what.
        patience: Seconds after which no further file is read.
    """
    deadline = time.monotonic() + patience
    try:
        seen = tree.look(root)
    except OSError:  # there is no descriptor to look at it with
        return Defined(names=frozenset(), is_whole=False)
    names: set[str] = set()
    is_whole = seen.exists and not seen.unreadable
    for path, mark in seen.files.items():
        if time.monotonic() >= deadline:
            return Defined(names=names, is_whole=False)
        try:
            names.update(_names(path, tree.read(f"{root}/{path}", mark), f"{kind}s"))
        except (OSError, ValueError, RecursionError):  # `hooksd validate` says what is wrong with it
            is_whole = False
    return Defined(names=names, is_whole=is_whole)


def _names(path: str, data: bytes | None, table: str) -> AbstractSet[str]:
    if data is None:
        raise ValueError(path)
    content = orjson.loads(data) if path.endswith(".json") else tomli.loads(data.decode())
    items = content.get(table) if isinstance(content, dict) else None
    return items.keys() if isinstance(items, dict) else frozenset()
