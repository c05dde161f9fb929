"""A request as verifiers see it: raw bytes, nothing joined, nothing decoded that the caller did not encode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One request with its whole body."""

    method: str
    """In upper case."""
    path: str
    query_string: str
    """As received, without the question mark."""
    headers: tuple[tuple[str, str], ...]
    """In the order received; names in lower case, values decoded as Latin-1 without surrounding white space."""
    body: bytes
    """The raw bytes."""
    media: str
    """The declared media type, in lower case, without parameters."""
    url: str | None = None
    """The URL that the caller used, from `public_url`, never from Host; None when that setting is missing."""
    unrepeated: Mapping[str, str] | None = field(init=False, repr=False, compare=False)
    """Every header by its name; None when one came twice, for then names do not tell."""

    def __post_init__(self) -> None:
        named = dict(self.headers)
        object.__setattr__(self, "unrepeated", named if len(named) == len(self.headers) else None)

    def header_values(self, name: str) -> list[str]:
        """Return every value of a header; `name` in lower case."""
        return [value for key, value in self.headers if key == name]
