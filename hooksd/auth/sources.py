"""Where values of a request are: `header:X`, `json:a.b`, ... compiled to functions. Called by the verifiers.

A value that a caller could have given twice is refused instead of chosen: two readers would choose differently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

import orjson

from hooksd.auth.refusal import Refusal
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Reason
from hooksd.model.base import Json
from hooksd.model.body import MAX_FIELDS, Document
from hooksd.model.members import Members, is_plain

MAX_WORD = 200
"""The most characters of an event type or delivery id that a caller may choose."""

Find = Callable[["Examined"], bytes | None]
"""Returns the bytes of a value as the caller sent them, or None when it is missing. Raises Refusal."""

_UNREAD = object()
_ESCAPES = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)")
"""What `plain_url` reads plainly: `: / ? @ ! $ ' ( ) * , ;`. Source: HubSpot's page of `presets.toml`."""


class Examined:
    """A request under examination: its body is read only if something asks."""

    __slots__ = ("_document", "_form", "_json", "_query", "request")

    def __init__(self, request: Inbound, document: Document | None = None) -> None:
        """Take a request.

        Args:
            request: The request.
            document: Its body, if somebody has checked it.
        """
        self.request = request
        self._document = document
        self._json: Json = _UNREAD
        self._form: list[tuple[str, str]] | None = None
        self._query: list[tuple[str, str]] | None = None

    def header(self, name: str) -> str | None:
        """Return the one value of a header, by its name in lower case."""
        headers = self.request.unrepeated
        if headers is not None:
            return headers.get(name)
        return _one(self.request.header_values(name), "duplicate_header")

    def query(self, name: str) -> str | None:
        """Return the one value of a query parameter."""
        if self._query is None:
            self._query = _pairs(self.request.query_string)
        return _one([value for key, value in self._query if key == name], "duplicate_parameter")

    def form(self, name: str) -> str | None:
        """Return the one value of a form field."""
        if self._form is None:
            try:
                self._form = _pairs(self.request.body.decode("utf-8"))
            except UnicodeDecodeError:
                raise Refusal("malformed_body") from None
        return _one([value for key, value in self._form if key == name], "duplicate_parameter")

    def json(self, path: tuple[str, ...], members: Members | None = None) -> Json:
        """Return what the body holds under a path of keys and positions, or None.

        Args:
            path: The path.
            members: What it begins with, if that is a name.
        """
        if self._document is not None:
            whole = self._document.value if members is None else self._document.some(members)
            return _inside(whole, path)
        if self._json is _UNREAD:
            try:
                self._json = orjson.loads(self.request.body)
            except orjson.JSONDecodeError:
                raise Refusal("malformed_body") from None
        return _inside(self._json, path)

    def form_names(self) -> list[str]:
        """Return the name of every form field, as often as it stands there."""
        return [name for name, _ in self.form_pairs()]

    def form_pairs(self) -> list[tuple[str, str]]:
        """Return every form field with its value, in order."""
        self.form("")
        return self._form or []


def _inside(value: Json, path: tuple[str, ...]) -> Json:
    for place, part in enumerate(path):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isascii() and part.isdigit() and len(part) < 6:
            value = value[int(part)] if int(part) < len(value) else None
        elif isinstance(value, list) and part == "*":
            return _same([_inside(element, path[place + 1 :]) for element in value])
        else:
            return None
    return value


def _same(values: list[Json]) -> Json:
    """Return what all elements say; one that says nothing speaks for none."""
    if not values or None in values:
        return None
    if any(value != values[0] for value in values):
        raise Refusal("duplicate_parameter")
    return values[0]


def _one(values: list[str], reason: Reason) -> str | None:
    if len(values) > 1:
        raise Refusal(reason)
    return values[0] if values else None


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Refusal("malformed_body") from None


def finder(source: str) -> Find:
    """Return the function that finds a source."""
    kind, _, name = source.partition(":")
    match kind:
        case "header":
            wanted = name.lower()
            return lambda seen: None if (value := seen.header(wanted)) is None else value.encode("latin-1")
        case "query":
            return lambda seen: _utf8(seen.query(name))
        case "form":
            return lambda seen: _utf8(seen.form(name))
        case "json" | "json?":
            path, empty = tuple(name.split(".")), b"" if kind == "json?" else None
            members = Members(path[:1]) if is_plain(path[0]) else None
            return lambda seen: _json(seen.json(path, members), empty)
        case "const":
            constant = name.encode()
            return lambda _: constant
        case "method":
            return lambda seen: seen.request.method.encode()
        case "url" | "plain_url":
            spelled = str if kind == "url" else _plainly
            return lambda seen: None if (url := seen.request.url) is None else spelled(url).encode()
    raise ValueError(f"no source: {source!r}")


def lone_field(name: str) -> Find:
    """Return the function that finds a form field, and refuses a form with any other: nobody signed that."""

    def find(seen: Examined) -> bytes | None:
        found = _utf8(seen.form(name))
        if found is not None and len(seen.form_names()) > 1:
            raise Refusal("unsigned_content")
        return found

    return find


def holds(source: str) -> Callable[[Examined], bool]:
    """Return the function that tells whether a request has a source at all, be it empty or null."""
    kind, _, name = source.partition(":")
    if kind in {"json", "json?"}:
        *above, last = name.split(".")
        return lambda seen: _has(seen.json(tuple(above)), last)
    find = finder(source)
    return lambda seen: find(seen) is not None


def _has(value: Json, part: str) -> bool:
    if isinstance(value, Mapping):
        return part in value
    digits = part.isascii() and part.isdigit() and len(part) < 6
    return isinstance(value, list) and digits and int(part) < len(value)


def _utf8(value: str | None) -> bytes | None:
    return None if value is None else value.encode()


def _json(value: Json, empty: bytes | None) -> bytes | None:
    if value is None:
        return empty
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


def _plainly(url: str) -> str:
    return _ESCAPES.sub(lambda found: chr(int(found[1], 16)), url)


Word = Callable[[Inbound, Document], str | None]
"""Returns a short printable word of an authentic caller, or None: missing, repeated and unfit ones are left out. The
request and its body are its arguments."""


def worder(source: str) -> Word:
    """Return the function that reads a source as a word."""
    find = finder(source)
    kind, _, name = source.partition(":")
    if kind != "header":
        return lambda request, document: word(find, Examined(request, document))
    wanted = name.lower()

    def of_header(request: Inbound, document: Document) -> str | None:
        named = request.unrepeated
        if named is None:
            return word(find, Examined(request, document))
        text = named.get(wanted)
        if text is None:
            return None
        # Most are ASCII as they stand; all others are what their bytes say.
        return _fit(text) if text.isascii() else word(find, Examined(request, document))

    return of_header


def spoken(sources: tuple[str, ...]) -> Word:
    """Return the function that reads several sources as one word: those of them that are there, joined with dots."""
    words = tuple(map(worder, sources))
    if len(words) == 1:
        return words[0]

    def of_those(request: Inbound, document: Document) -> str | None:
        found = [read(request, document) for read in words]
        return ".".join([said for said in found if said is not None]) or None

    return of_those


def identity(sources: tuple[str, ...]) -> Word:
    """Return the function that reads several sources as one word, or None when one of them is missing."""
    words = tuple(map(worder, sources))
    if len(words) == 1:
        return words[0]

    def of_all(request: Inbound, document: Document) -> str | None:
        found = [read(request, document) for read in words]
        return None if None in found else _fit(" ".join(map(str, found)))

    return of_all


def first_of(words: tuple[Word, ...]) -> Word:
    """Return the function that reads the first of several words that is there; of none it is never there."""
    if len(words) == 1:
        return words[0]

    def of_any(request: Inbound, document: Document) -> str | None:
        found = (read(request, document) for read in words)
        return next((said for said in found if said is not None), None)

    return of_any


def word(find: Find, seen: Examined) -> str | None:
    """Return a short printable word of an authentic caller, or None: missing, repeated and unfit ones are left out."""
    try:
        found = find(seen)
        text = found.decode() if found is not None else ""
    except (Refusal, ValueError):
        return None
    return _fit(text)


def _fit(text: str) -> str | None:
    text = text.strip()
    return text if text and len(text) <= MAX_WORD and text.isprintable() else None
