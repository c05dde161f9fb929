"""Records as lines and lines as records: `journal.lines` with the classes of `model.record`.

`journal.file` writes with this, `journal.recovery` reads; those who read for people need no classes. Pure: bytes in,
bytes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import orjson
from pydantic import Discriminator, TypeAdapter, ValidationError

from hooksd.journal.lines import Line, seal, tree_of, unseal
from hooksd.model.arrival import EventLine
from hooksd.model.base import Json
from hooksd.model.record import RECORD_TYPES, Record

__all__ = ["Line", "UnknownRecord", "decode", "dump", "encode", "record_of", "seal", "tree_of", "unseal"]

_LINE_FEED: Final = 10
"""As a number: a byte is found in a sixth of the time that a text of one byte takes."""
_RECORDS: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Discriminator("type")])


class UnknownRecord(ValueError):
    """A record of a type that this version does not know: a newer one wrote it."""


def dump(record: Record | EventLine) -> bytes:
    """Write a record as JSON, without a seal.

    Raises:
        ValueError: It has a value that JSON or one line cannot hold. Nothing that came through `hooksd.model` does.
    """
    if isinstance(record, EventLine):
        return record.text
    try:
        text = orjson.dumps(record, _plain)
    except TypeError as error:
        raise ValueError(f"a {record.type} record cannot be written: {error}") from error
    if _LINE_FEED in text:
        # Only an orjson.Fragment can carry one, and it would cut the line in two.
        raise ValueError(f"a {record.type} record cannot be written: its body has a raw line feed")
    return text


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def encode(record: Record, seq: int, batch: int, prev: int) -> tuple[bytes, int]:
    """Return the line of a record and its checksum: `seal` after `dump`.

    Raises:
        ValueError: See `dump`.
    """
    return seal(dump(record), seq, batch, prev)


def decode(line: bytes) -> Record:
    """Read back what `encode` wrote, with or without the line feed.

    Raises:
        ValueError: The line is damaged or is not a record.
    """
    whole = unseal(line.removesuffix(b"\n"))
    if whole is None:
        raise ValueError("the line is damaged: its checksum does not fit")
    return record_of(tree_of(whole))


def record_of(tree: Mapping[str, Json]) -> Record:
    """Build the record that a JSON object stands for. Members that this version does not know are left out.

    Raises:
        UnknownRecord: Its `type` is not one of this version's.
        ValueError: A member is missing or of the wrong type.
    """
    if tree.get("type") not in RECORD_TYPES:
        raise UnknownRecord(f"unknown record type {tree.get('type')!r}")
    try:
        return _RECORDS.validate_python(dict(tree))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"not a {tree['type']} record: {where}: {first['msg']}") from error
