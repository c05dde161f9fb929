"""A request as verifiers see it: raw bytes, nothing joined, nothing decoded that the caller did not encode."""

from __future__ import annotations

from typing import Any, Final

Headers = tuple[tuple[str, str], ...]
"""In the order received; names in lower case, values decoded as Latin-1 without surrounding white space."""

_MEMBERS: Final = ("method", "path", "query_string", "headers", "body", "media", "url")


class Inbound:
    """One request with its whole body. Nobody sets a member later.

    It is no frozen dataclass: each request needs one, and those take three times as long to make.
    """

    __slots__ = ("_headers", "body", "media", "method", "path", "query_string", "unrepeated", "url")

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
        """Take a request.

        Args:
            method: In upper case.
            path: Without the query.
            query_string: As received, without the question mark.
            headers: All of them; by name, where none came twice and somebody has them so.
            body: The raw bytes.
            media: The declared media type, in lower case, without parameters.
            url: The URL that the caller used, from `public_url`, never from Host; None when that setting is missing.
        """
        self.method = method
        self.path = path
        self.query_string = query_string
        self._headers = headers
        self.body = body
        self.media = media
        self.url = url
        self.unrepeated: dict[str, str] | None
        """Every header by its name; None when one came twice, for then names do not tell."""
        if isinstance(headers, dict):
            self.unrepeated = headers
        else:
            named = dict(headers)
            self.unrepeated = named if len(named) == len(headers) else None

    @property
    def headers(self) -> Headers:
        """All of them, in the order received."""
        headers = self._headers
        return tuple(headers.items()) if isinstance(headers, dict) else headers

    def header_values(self, name: str) -> list[str]:
        """Return every value of a header; `name` in lower case."""
        return [value for key, value in self.headers if key == name]

    def changed(self, **changes: Any) -> Inbound:
        """Return it with other values of members."""
        members = {name: getattr(self, name) for name in _MEMBERS}
        return Inbound(**{**members, **changes})
