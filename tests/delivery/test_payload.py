from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.delivery.payload import keep
from hooksd.model.base import Json
from hooksd.model.stored import StoredBody, restore_body


def on_disk(body: StoredBody) -> StoredBody:
    tree = orjson.loads(orjson.dumps(body))
    return StoredBody(**tree)


def no_blob(digest: str) -> bytes:
    raise KeyError(digest)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_json_as_we_write_it_stays_json(value: Json) -> None:
    assert keep("application/json", orjson.dumps(value)).encoding == "json"


@pytest.mark.parametrize(
    "raw", [b'{ "a": 1 }', b'{"a":1,"a":2}', b"1E5", b"[1.0e1]", b'"\\u00e9"', b"[1]\n", b"not json", b'"\xff"']
)
def test_json_that_would_come_back_otherwise_is_kept_as_the_bytes_it_was(raw: bytes) -> None:
    kept = keep("application/json", raw)

    assert kept.encoding in ("text", "base64")
    assert kept.media == "application/json"
    assert restore_body(on_disk(kept), no_blob) == raw


@given(st.sampled_from(("application/json", "text/plain", "image/png", "")), st.binary(max_size=40))
def test_whatever_is_sent_comes_back_byte_for_byte(media: str, raw: bytes) -> None:
    kept = keep(media, raw)

    assert restore_body(on_disk(kept), no_blob) == raw
    assert (kept.media, kept.size) == (media, len(raw))


def test_a_blob_is_named() -> None:
    assert keep("application/json", b"{}", "sha256:x").content == "sha256:x"
