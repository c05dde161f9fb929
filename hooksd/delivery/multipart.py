"""Data as `multipart/form-data` (RFC 7578). Pure. Called by `delivery.format`, and by `delivery.courier` with files."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from hooksd.model import body
from hooksd.model.base import Json
from hooksd.model.received import ReceivedFile

MEDIA: Final = "multipart/form-data"
BYTES: Final = "application/octet-stream"

_FILE = frozenset({"filename", "base64", "content_type"})
"""The members of a value that is a file."""
_ESCAPED = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


def multipart(fields: Mapping[str, Json], files: Iterable[tuple[ReceivedFile, bytes]] = ()) -> tuple[str, bytes]:
    """Return a media type with its boundary, and the body.

    A list is a field that repeats. An object `{"filename", "base64", "content_type"}` is a file (the type may be left
    out), any other one JSON. The same fields make the same bytes.

    Args:
        fields: By name.
        files: What comes behind them: files of a request with their bytes.

    Raises:
        ValueError: A file is not base64.
    """
    parts = [part for name, value in fields.items() for part in _parts(name, value)]
    parts += [_file(file.field, file.filename or file.name, file.media, data) for file, data in files]
    # Nobody can put the hash of a text into the text.
    boundary = hashlib.sha256(b"\0".join(parts)).hexdigest()[:40]
    mark = f"--{boundary}".encode()
    framed = b"".join(b"%s\r\n%s\r\n" % (mark, part) for part in parts)
    return f"{MEDIA}; boundary={boundary}", b"%s%s--\r\n" % (framed, mark)


def _parts(name: str, value: Json) -> Iterator[bytes]:
    for item in value if isinstance(value, list) else [value]:
        yield _part(name, item)


def _part(name: str, value: Json) -> bytes:
    if isinstance(value, Mapping) and {"filename", "base64"} <= value.keys() <= _FILE:
        return _file(name, str(value["filename"]), value.get("content_type", BYTES), _decoded(name, value["base64"]))
    if isinstance(value, str) or value is None:
        return f"{_disposition(name)}\r\n\r\n{value or ''}".encode()
    media, raw = body.written(value)
    return f"{_disposition(name)}\r\nContent-Type: {media}\r\n\r\n".encode() + raw


def _disposition(name: str) -> str:
    return f'Content-Disposition: form-data; name="{name.translate(_ESCAPED)}"'


def _file(name: str, filename: str, media: Json, data: bytes) -> bytes:
    if not isinstance(media, str) or not media.isascii() or not media.isprintable():
        raise ValueError(f"`content_type` of the file `{name}` is no media type")
    head = f'{_disposition(name)}; filename="{filename.translate(_ESCAPED)}"\r\nContent-Type: {media or BYTES}\r\n\r\n'
    return head.encode() + data


def _decoded(name: str, text: Json) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError(f"the file `{name}` is not base64") from error
