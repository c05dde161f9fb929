"""Bodies: from bytes of a declared media type to a JSON value, in one place for receiving and for recovery."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

import orjson
import yyjson
from msgspec import Struct

from hooksd.model.base import Json
from hooksd.model.members import Members

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
TEXT = "text/plain"
MAX_FIELDS = 1000
"""The most fields a form may have."""
MAX_DEPTH = 200
"""The deepest JSON that is accepted, in lists and mappings: what is accepted must fit into a record and out again."""
_BINARY = frozenset(
    {"application/octet-stream", "application/pdf", "application/zip", "application/gzip", "application/x-tar"}
    | {"application/x-gzip", "application/x-7z-compressed", "application/vnd.rar", "application/cbor"}
    | {"application/msgpack", "application/x-protobuf", "application/protobuf", "application/wasm"}
)
_BINARY_FAMILIES = ("image/", "audio/", "video/", "font/", "model/", "application/vnd.openxmlformats-")
_WRITABLE_DEPTH = 254  # orjson reads 1024 levels and writes these
_UNREAD: Final = object()
FEW_LOOKS: Final = 3
"""How often some members are read before it takes less time to read all once."""
_SHORT: Final = 4096
"""Bytes of which all that opens is counted sooner than what one half opens and the other closes."""


class TooDeep(ValueError):
    """JSON nests lists and mappings deeper than it may."""


class Document(Struct, eq=False):
    """A body, known to be what its media type says, and its value, which is made when somebody first asks for it.

    Most events are never looked into: their types are in headers, and nobody reads their bodies but programs. The value
    of 10 KB of JSON is a thousand objects, which take four times as long to make as JSON takes to check.
    """

    media: str
    raw: bytes
    _value: Json = _UNREAD
    """What `parse` makes of them, if somebody has it."""
    _looks: int = 0

    @property
    def value(self) -> Json:
        """The JSON value."""
        if self._value is _UNREAD:
            self._value = parse(self.media, self.raw)
        return self._value

    def some(self, members: Members) -> Json:
        """Return the value; of a mapping these members are enough."""
        if self._value is _UNREAD and self._looks < FEW_LOOKS and is_json(self.media):
            self._looks += 1
            found = members.of(self.raw)
            if found is not None:
                return found
        return self.value

    def light(self) -> Document:
        """Return it as nothing but its bytes, for those who keep it."""
        return Document(self.media, self.raw)

    def __eq__(self, other: object) -> bool:
        """Tell whether another body is the same, whoever has read it."""
        if not isinstance(other, Document):
            return NotImplemented
        return (self.media, self.raw, self.value) == (other.media, other.raw, other.value)

    def __hash__(self) -> int:
        """Hash its bytes, whatever their value."""
        return hash((self.media, self.raw))

    def __repr__(self) -> str:
        """Return what it was made of."""
        return f"Document({self.media!r}, {self.raw!r})"


def is_json(media: str) -> bool:
    """Tell whether a media type is JSON, `+json` suffixes included (RFC 6839)."""
    return media == JSON or media.endswith("+json")


def is_binary(media: str) -> bool:
    """Tell whether bodies of a media type are no text: such a body is a file."""
    return media in _BINARY or (media.startswith(_BINARY_FAMILIES) and not media.endswith("+xml"))


def accepts(accept: tuple[str, ...], media: str) -> bool:
    """Tell whether a list of media types covers one; `application/json` covers `+json` too, `image/*` a family."""
    return media in accept or (JSON in accept and is_json(media)) or f"{media.partition('/')[0]}/*" in accept


def parse(media: str, raw: bytes, depth: int = MAX_DEPTH) -> Json:
    """Read a body: JSON as it is, a form as a mapping of text (lists where a field repeats), other text as text.

    An empty body is null, and so is one that is no text: it is a file.

    Args:
        media: The media type.
        raw: The bytes.
        depth: How deep JSON may nest, at most `MAX_DEPTH`.

    Raises:
        TooDeep: JSON nests deeper.
        ValueError: The bytes are not what the media type says; the message says where.
    """
    if not raw:
        return None
    if media == JSON or is_json(media):
        value: Json = orjson.loads(raw)
        if _may_be_deeper(raw, depth) and _is_deeper(value, depth):
            raise TooDeep(f"JSON may be at most {depth} levels deep")
        return value
    if is_binary(media):
        return None
    text = raw.decode("utf-8")
    return _form(text) if media == FORM else text


def read(media: str, raw: bytes, depth: int = MAX_DEPTH) -> Document:
    """Check a body as `parse` does, and leave its value to whoever asks for it.

    JSON is checked by the library that the parser, orjson, is made of: `tests/model/test_body.py` holds them together.
    What it refuses is parsed, which says best what is wrong. Its bindings are not trusted with values: they take the
    two bytes of U+0080 for two characters.

    Raises:
        TooDeep: JSON nests deeper.
        ValueError: The bytes are not what the media type says; the message says where.
    """
    if raw and (media == JSON or is_json(media)) and not _may_be_deeper(raw, depth):
        try:
            yyjson.Document(raw)
        except ValueError:
            pass
        else:
            return Document(media, raw)
    return Document(media, raw, parse(media, raw, depth))


def written(data: Json) -> tuple[str, bytes]:
    """Return a value as a body, and its media type: text as it is, nothing for null, any other value as JSON."""
    if data is None:
        return "", b""
    return (TEXT, data.encode()) if isinstance(data, str) else (JSON, orjson.dumps(data))


def _may_be_deeper(raw: bytes, depth: int) -> bool:
    """Tell whether JSON has so many brackets that it could nest deeper; hardly any body has.

    Replacing looks for the next one with the processor's widest steps and stops after enough; `bytes.count` goes byte
    by byte, and took longer than parsing.
    """
    size, most = len(raw), depth + 1
    if size <= _SHORT:  # it has hardly ever so many at all
        return size - len(raw.replace(b"[", b"", most).replace(b"{", b"", most)) > depth
    # A place inside of more than `depth` has all of them opened before and closed behind it: so the first half of the
    # body opens more, or the second half closes more.
    half = size // 2
    opened = half - len(raw[:half].replace(b"[", b"", most).replace(b"{", b"", most))
    closed = size - half - len(raw[half:].replace(b"]", b"", most).replace(b"}", b"", most))
    return opened > depth or closed > depth


def _is_deeper(value: Json, depth: int) -> bool:
    """Tell whether a value nests deeper.

    Walking it in Python would take longer than parsing did. So the JSON library does it: the value is put into so many
    lists that the library reaches its own limit exactly when the value is too deep.
    """
    for _ in range(_WRITABLE_DEPTH - depth):
        value = [value]
    try:
        orjson.dumps(value)
    except TypeError:  # orjson.JSONEncodeError
        return True
    return False


def _form(text: str) -> dict[str, str | list[str]]:
    fields: dict[str, str | list[str]] = {}
    pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=False, errors="strict", max_num_fields=MAX_FIELDS)
    for name, value in pairs:
        match fields.get(name):
            case None:
                fields[name] = value
            case list() as values:
                values.append(value)
            case str() as first:
                fields[name] = [first, value]
    return fields
