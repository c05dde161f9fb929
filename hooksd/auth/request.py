"""A request as verifiers see it: raw bytes, nothing joined, nothing decoded that the caller did not encode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Headers = tuple[tuple[str, str], ...]
"""In the order received; names in lower case, values decoded as Latin-1 without surrounding white space."""


@dataclass(init=False, frozen=True, slots=True, kw_only=True)
class Inbound:
    """One request with its whole body."""

    method: str
    """In upper case."""
    path: str
    query_string: str
    """As received, without the question mark."""
    headers: Headers
    body: bytes
    """The raw bytes."""
    media: str
    """The declared media type, in lower case, without parameters."""
    url: str | None
    """The URL that the caller used, from `public_url`, never from Host; None when that setting is missing."""
    unrepeated: Mapping[str, str] | None = field(init=False, repr=False, compare=False)
    """Every header by its name; None when one came twice, for then names do not tell."""

    def __init__(
        self,
        *,
        method: str,
        path: str,
        query_string: str,
        headers: Headers | dict[str, str],
        body: bytes,
        media: str,
        url: str | None = None,
    ) -> None:
        """Take what the members say; `headers` by name where none came twice and somebody has them so."""
        if isinstance(headers, dict):
            named, pairs = headers, tuple(headers.items())
        else:
            named, pairs = dict(headers), headers
        put = object.__setattr__
        put(self, "method", method)
        put(self, "path", path)
        put(self, "query_string", query_string)
        put(self, "headers", pairs)
        put(self, "body", body)
        put(self, "media", media)
        put(self, "url", url)
        put(self, "unrepeated", named if len(named) == len(pairs) else None)

    def header_values(self, name: str) -> list[str]:
        """Return every value of a header; `name` in lower case."""
        return [value for key, value in self.headers if key == name]
