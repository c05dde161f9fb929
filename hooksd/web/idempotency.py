"""Ids that callers give their requests themselves, so that a repetition is known: the header `Idempotency-Key`.

Only for callers who do not sign: a signature does not cover the header, so it would be anybody's to change.

Source: draft-ietf-httpapi-idempotency-key-header-07; RFC 8941 section 3.3.3 (strings).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from hooksd.model.received import Files
from hooksd.web.body import Unreadable

HEADER: Final = "idempotency-key"
LONGEST: Final = 255
"""Characters of a key."""

_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE = re.compile(r"[!#-+\--:<-~]+")
"""Most clients send the key without the quotes that the draft asks for."""


def key_in(headers: Mapping[str, str]) -> str | None:
    """Return the key of a request; None when it has none.

    Raises:
        Unreadable: What it has is no key.
    """
    text = headers.get(HEADER)
    if text is None:
        return None
    quoted = _QUOTED.fullmatch(text.strip())
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text.strip() if _BARE.fullmatch(text.strip()) else ""
    if not key or len(key) > LONGEST:
        raise Unreadable(f'`Idempotency-Key` is one text of at most {LONGEST} characters, like "8e03978e-40d5-43e8"')
    return key


def fingerprint_of(media: str, raw: bytes, files: Files) -> str:
    """Return what tells one request from another with the same key: 16 hexadecimal digits.

    Args:
        media: The media type of the body.
        raw: The bytes of the body, or of the fields of a form.
        files: The files of a form.
    """
    digest = hashlib.blake2b(media.encode(), digest_size=8)
    digest.update(b"\0" + raw)
    for file in files.values():
        digest.update(f"\0{file.field}\0{file.filename}\0{file.digest}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
