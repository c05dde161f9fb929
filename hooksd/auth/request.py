"""A request as verifiers see it: raw bytes, nothing joined, nothing decoded that the caller did not encode."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

Headers = tuple[tuple[str, str], ...]
"""In the order received; names in lower case, values decoded as Latin-1 without surrounding white space."""


class Inbound(Struct, kw_only=True):
    """One request with its whole body. Nobody sets a member later."""

    method: str
    """In upper case."""
    path: str
    """Without the query."""
    query_string: str
    """As received, without the question mark."""
    headers: Headers | dict[str, str]
    """All of them; by name, where none came twice and somebody has them so."""
    body: bytes
    """The raw bytes."""
    media: str
    """The declared media type, in lower case, without parameters."""
    url: str | None = None
    """The URL that the caller used, from `public_url`, never from Host; None when that setting is missing."""
    unrepeated: dict[str, str] | None = None
    """Every header by its name, made of `headers`; None when one came twice, for then names do not tell."""

    def __post_init__(self) -> None:
        """Name the headers."""
        headers = self.headers
        if isinstance(headers, dict):
            self.unrepeated = headers
        else:
            named = dict(headers)
            self.unrepeated = named if len(named) == len(headers) else None

    @property
    def pairs(self) -> Headers:
        """All headers, in the order received."""
        headers = self.headers
        return tuple(headers.items()) if isinstance(headers, dict) else headers

    def header_values(self, name: str) -> list[str]:
        """Return every value of a header; `name` in lower case."""
        return [value for key, value in self.pairs if key == name]

    def changed(self, **changes: Any) -> Inbound:
        """Return it with other values of members."""
        return replace(self, **changes)
