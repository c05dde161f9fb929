"""Bodies of deliveries in the log, so that the last attempt sends the bytes of the first, restarts included. Pure.

Called by `delivery.ledger` when a delivery is created.
"""

from __future__ import annotations

from dataclasses import replace

import orjson

from hooksd.model import body
from hooksd.model.stored import StoredBody, store_body


def keep(media: str, raw: bytes, blob: str | None = None) -> StoredBody:
    """Choose how a body stands in a record.

    As a JSON value only when reading and writing gives the same bytes again; else as text, which always does.

    Args:
        media: The media type.
        raw: The exact bytes.
        blob: The digest of the blob that holds them; needed above `BLOB_THRESHOLD`.
    """
    if blob is not None or not body.is_json(media):
        return store_body(media, raw, blob)
    try:
        again = orjson.dumps(body.parse(media, raw))
    except ValueError:
        again = None
    if again == raw:
        # Compact JSON has no line feed: one line holds it.
        return StoredBody(media=media, size=len(raw), encoding="json", content=orjson.Fragment(raw))
    return replace(store_body("", raw), media=media)
