from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.model import body
from hooksd.model.event import Cause, Event
from hooksd.model.ids import EventId, RunId
from hooksd.model.received import ReceivedFile
from hooksd.model.stored import StoredBody, restore, restore_body, store, store_body
from hooksd.model.trust import Trust

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def no_blob(digest: str) -> bytes:
    raise AssertionError(f"nobody should ask for {digest}")


def event(raw: bytes, media: str = body.JSON) -> Event:
    return Event(
        id=EventId("evt_1"),
        type="github.push",
        source="webhook/github",
        subject="main",
        time="2026-11-22T03:28:00.000Z",
        trust=Trust.SIGNED,
        hop=2,
        cause=Cause(event=EventId("evt_0"), run=RunId("run_0"), step="steps.0"),
        webhook="github",
        delivery_id="d-1",
        headers={"content-type": media},
        query={"a": "1"},
        media=media,
        raw=raw,
        data=body.parse(media, raw),
    )


def from_disk(stored: StoredBody) -> StoredBody:
    """Write a body and read it again."""
    written = orjson.dumps({"content": stored.content})
    return replace(stored, content=orjson.loads(written)["content"])


@given(JSON_VALUES)
def test_compact_json_comes_back_byte_by_byte(value: object) -> None:
    raw = orjson.dumps(value)

    stored = store_body(body.JSON, raw)

    assert stored.encoding == "json"
    assert restore_body(from_disk(stored), no_blob) == raw


@given(st.binary(max_size=100))
def test_any_other_body_comes_back_byte_by_byte(raw: bytes) -> None:
    assert restore_body(store_body("text/plain", raw), no_blob) == raw


def test_json_over_several_lines_stays_one_text_in_the_log() -> None:
    stored = store_body(body.JSON, b'{\n "a": 1\n}')

    assert stored.encoding == "text"
    assert restore_body(stored, no_blob) == b'{\n "a": 1\n}'


def test_a_large_body_is_named_by_its_blob() -> None:
    stored = store_body(body.JSON, b"[]", blob="sha256:1")

    assert stored.encoding == "blob"
    assert restore_body(stored, {"sha256:1": b"[]"}.__getitem__) == b"[]"


@pytest.mark.parametrize(("media", "raw"), [(body.JSON, b'{"a":1}'), ("text/plain", b"hi"), (body.JSON, b"")])
def test_an_event_comes_back_whole(media: str, raw: bytes) -> None:
    before = event(raw, media)
    stored = store(before)

    assert restore(replace(stored, body=from_disk(stored.body)), no_blob) == before


def test_an_event_without_a_cause_has_none_when_it_comes_back() -> None:
    before = replace(event(b"[]"), cause=None)

    assert restore(replace(store(before), body=from_disk(store(before).body)), no_blob) == before


def test_files_and_the_fingerprint_come_back_and_paths_begin_where_the_log_is_now() -> None:
    file = ReceivedFile(
        field="doc", name="a.pdf", filename="ä.pdf", media="application/pdf", size=3, digest="sha256:" + "ab" * 32
    )
    one = replace(event(b"{}"), files={"doc": file}, folder="/old", fingerprint="00000000000000ff", key=1)
    one = replace(one, observed="bad_token")

    back = restore(store(one), no_blob, "/new")

    assert back.files == {"doc": file}
    assert back.fingerprint == "00000000000000ff"
    assert (back.key, back.observed) == (1, "bad_token")
    assert back.files["doc"].as_json(back.folder)["path"] == "/new/blobs/ab/" + "ab" * 32
