"""Bodies: from bytes of a declared media type to a JSON value, in one place for receiving and for recovery."""

from __future__ import annotations

from urllib.parse import parse_qsl

import orjson

from hooksd.model.base import Json

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


class TooDeep(ValueError):
    """JSON nests lists and mappings deeper than it may."""


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
    most = depth + 1
    rest = len(raw.replace(b"[", b"", most)) + len(raw.replace(b"{", b"", most))
    return 2 * len(raw) - rest > depth


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
