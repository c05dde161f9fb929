"""Names of headers as text: callers send the same few, which are decoded once. Used by `web.guard`."""

from __future__ import annotations

from typing import Final

MOST: Final = 256
"""Names that are kept. Beyond it all are forgotten: whoever sends new ones must neither fill memory nor keep others
from theirs."""
LONGEST: Final = 64
"""Bytes of a name that is kept."""


class Names(dict[bytes, str]):
    """Names in lower case, by what was sent. Any name is found; the parser lets through what is one."""

    def __missing__(self, sent: bytes) -> str:
        """Return a name that is not kept, and keep it from now on if it is short."""
        name = sent.decode("ascii").lower()
        if len(sent) <= LONGEST:
            if len(self) >= MOST:
                self.clear()
            self[sent] = name
        return name
