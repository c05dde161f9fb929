from __future__ import annotations

import zlib
from types import MappingProxyType

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.journal import codec
from hooksd.model import body
from hooksd.model.body import MAX_DEPTH
from hooksd.model.record import Record
from hooksd.model.stored import StoredBody
from tests.journal import samples


@given(samples.records(), st.integers(0, 10**12 - 1), st.integers(0, 2**32 - 1))
def test_every_record_comes_back_as_it_was_written(record: Record, seq: int, prev: int) -> None:
    line, _ = codec.encode(record, seq, seq, prev)

    assert codec.decode(line) == record


@given(samples.records())
def test_a_record_is_one_line_of_json_with_its_seal_as_the_last_member(record: Record) -> None:
    line, crc = codec.encode(record, 7, 5, 0xBEEF)

    tree = orjson.loads(line)
    assert line.endswith(b"\n")
    assert b"\n" not in line[:-1]
    assert list(tree)[-1] == "_"
    assert tree["_"] == f"000000000007.000000000005.0000beef.{crc:08x}"


def test_the_checksum_is_the_crc_32_of_what_stands_before_it() -> None:
    line, crc = codec.encode(samples.run_started(), 1, 1, 0)

    text, _, place = line.rpartition(b',"_":"')
    assert zlib.crc32(text + place[:34]) == crc


def test_the_seal_says_where_a_record_stands() -> None:
    line, crc = codec.encode(samples.run_started(), 12, 10, 99)

    assert codec.unseal(line[:-1]) == codec.Line(
        text=codec.dump(samples.run_started()), seq=12, batch=10, prev=99, crc=crc
    )


@pytest.mark.parametrize(
    "forged",
    [
        '","_":"000000000009.000000000009.00000000.00000000"}',
        '{"type":"run.ended","_":"000000000009.000000000009.00000000.12345678"}',
        codec.encode(samples.run_ended(), 9, 9, 0)[0].decode(),
        "\n" + codec.encode(samples.run_ended(), 9, 9, 0)[0].decode(),
        "\u2028\u0085\r\x00",
    ],
    ids=["seal", "record", "sealed record", "line", "line ends"],
)
def test_a_body_that_imitates_a_line_stays_a_body(forged: str) -> None:
    as_text = samples.accepted(body=StoredBody(media="text/plain", size=1, encoding="text", content=forged))
    as_json = samples.accepted(
        body=StoredBody(
            media="application/json", size=1, encoding="json", content=orjson.Fragment(orjson.dumps({"_": forged}))
        )
    )

    assert codec.decode(codec.encode(as_text, 1, 1, 0)[0]) == as_text
    decoded = codec.decode(codec.encode(as_json, 1, 1, 0)[0])
    assert decoded.event.body.content == {"_": forged}  # type: ignore[union-attr] # an event was written


@pytest.mark.parametrize("depth", [1, MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 254, 1000, 1024])
@pytest.mark.parametrize("shape", [(b"[", b"]"), (b'{"a":', b"}")], ids=["lists", "mappings"])
def test_a_body_that_is_accepted_can_be_written_as_it_came_and_as_data_and_read_again(
    depth: int, shape: tuple[bytes, bytes]
) -> None:
    raw = shape[0] * depth + b"1" + shape[1] * depth
    try:
        data = body.parse(body.JSON, raw)
    except ValueError:
        assert depth > MAX_DEPTH
        return
    for content in (orjson.Fragment(raw), data):
        stored = StoredBody(media=body.JSON, size=len(raw), encoding="json", content=content)
        read = codec.decode(codec.encode(samples.accepted(body=stored), 0, 0, 0)[0])
        assert read.event.body.content == data  # type: ignore[union-attr] # an event was written


def test_a_record_with_a_raw_line_feed_is_refused_because_it_would_be_two_lines() -> None:
    stored = StoredBody(media="application/json", size=3, encoding="json", content=orjson.Fragment(b"[\n]"))

    with pytest.raises(ValueError, match="raw line feed"):
        codec.dump(samples.accepted(body=stored))


@pytest.mark.parametrize("value", [2**64, {1: 2}, object(), "\ud800", b"bytes"])
def test_what_json_cannot_hold_is_refused_by_name(value: object) -> None:
    stored = StoredBody(media="application/json", size=1, encoding="json", content=value)

    with pytest.raises(ValueError, match=r"an? event\.accepted record cannot be written"):
        codec.dump(samples.accepted(body=stored))


def test_any_mapping_can_be_written() -> None:
    stored = StoredBody(media="application/json", size=1, encoding="json", content=MappingProxyType({"a": 1}))

    assert codec.decode(codec.encode(samples.accepted(body=stored), 0, 0, 0)[0]) == samples.accepted(
        body=StoredBody(media="application/json", size=1, encoding="json", content={"a": 1})
    )


def test_members_that_a_later_version_added_are_left_out() -> None:
    tree = orjson.loads(codec.dump(samples.run_started())) | {"colour": "blue"}

    assert codec.record_of(tree) == samples.run_started()


def test_a_type_that_a_later_version_added_is_told_from_a_broken_record() -> None:
    with pytest.raises(codec.UnknownRecord, match=r"'run\.paused'"):
        codec.record_of({"type": "run.paused"})


def test_a_record_without_a_member_it_needs_is_refused_with_the_name_of_the_member() -> None:
    tree = orjson.loads(codec.dump(samples.accepted()))
    del tree["event"]["trust"]

    with pytest.raises(ValueError, match=r"not a event\.accepted record: .*event\.trust"):
        codec.record_of(tree)


def test_a_damaged_line_is_not_decoded() -> None:
    with pytest.raises(ValueError, match="damaged"):
        codec.decode(b'{"type":"run.started"}\n')


def test_a_sealed_list_is_not_a_record() -> None:
    line, _ = codec.seal(b"[1}", 0, 0, 0)

    with pytest.raises(ValueError, match="JSON"):
        codec.tree_of(codec.Line(text=b"[1]", seq=0, batch=0, prev=0, crc=0))
    assert codec.unseal(line[:-1]) is not None
