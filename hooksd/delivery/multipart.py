"""Data as `multipart/form-data` (RFC 7578). Pure. Called by `delivery.format`."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from hooksd.model import body
from hooksd.model.base import Json

MEDIA: Final = "multipart/form-data"

_FILE = frozenset({"filename", "base64", "content_type"})
"""The members of a value that is a file."""
_ESCAPED = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


def multipart(fields: Mapping[str, Json]) -> tuple[str, bytes]:
    """Return a media type with its boundary, and the body.

    A list is a field that repeats. An object `{"filename", "base64", "content_type"}` is a file (the type may be left
    out), any other one JSON. The same fields make the same bytes.

    Args:
        fields: By name.

    Raises:
        ValueError: A file is not base64.
    """
    parts = [part for name, value in fields.items() for part in _parts(name, value)]
    # Nobody can put the hash of a text into the text.
    boundary = hashlib.sha256(b"\0".join(parts)).hexdigest()[:40]
    mark = f"--{boundary}".encode()
    framed = b"".join(b"%s\r\n%s\r\n" % (mark, part) for part in parts)
    return f"{MEDIA}; boundary={boundary}", b"%s%s--\r\n" % (framed, mark)


def _parts(name: str, value: Json) -> Iterator[bytes]:
    for item in value if isinstance(value, list) else [value]:
        yield _part(name, item)


def _part(name: str, value: Json) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name.translate(_ESCAPED)}"'
    if isinstance(value, Mapping) and {"filename", "base64"} <= value.keys() <= _FILE:
        media = _media(name, value.get("content_type", "application/octet-stream"))
        filename = str(value["filename"]).translate(_ESCAPED)
        return f'{disposition}; filename="{filename}"\r\nContent-Type: {media}\r\n\r\n'.encode() + _bytes(name, value)
    if isinstance(value, str) or value is None:
        return f"{disposition}\r\n\r\n{value or ''}".encode()
    media, raw = body.written(value)
    return f"{disposition}\r\nContent-Type: {media}\r\n\r\n".encode() + raw


def _media(name: str, media: Json) -> str:
    if isinstance(media, str) and media.isascii() and media.isprintable():
        return media
    raise ValueError(f"`content_type` of the file `{name}` is no media type")


def _bytes(name: str, file: Mapping[str, Json]) -> bytes:
    try:
        return base64.b64decode(file["base64"], validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError(f"the file `{name}` is not base64") from error
