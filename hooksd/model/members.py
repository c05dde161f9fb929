"""Some members of a JSON object, read without making values of the rest. Pure; conditions are about few of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, Final

import msgspec
import orjson

from hooksd.model.base import Json

_ABSENT: Final = msgspec.Raw(b"")


def is_plain(name: str) -> bool:
    """Tell whether a member can be read apart from the others: the library takes no names that JSON has to escape."""
    return name.isprintable() and '"' not in name and "\\" not in name


class Members:
    """Which members, all of them `is_plain`, and how they are read."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take the names of the members."""
        self.names = tuple(sorted(names))

    def of(self, raw: bytes) -> dict[str, Json] | None:
        """Return those members that an object has; None: it is no object, or nothing.

        Args:
            raw: JSON. Somebody has checked it: what is passed over here is not.
        """
        try:
            found = self._decode(raw)
        except msgspec.DecodeError:
            return None
        texts = zip(self.names, msgspec.structs.astuple(found), strict=True)
        # The parser makes the values, so that they are the same as those of the whole.
        return {name: orjson.loads(memoryview(text)) for name, text in texts if text is not _ABSENT}

    @cached_property
    def _decode(self) -> Any:
        """Make the decoder when it is first needed: thousands of definitions may wait for years."""
        fields = [
            (f"member_{place}", msgspec.Raw, msgspec.field(name=name, default=_ABSENT))
            for place, name in enumerate(self.names)
        ]
        return msgspec.json.Decoder(msgspec.defstruct("Found", fields)).decode
