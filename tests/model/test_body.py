from __future__ import annotations

import contextlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.model.body import FORM, JSON, MAX_DEPTH, MAX_FIELDS, accepts, is_binary, is_json, parse


def test_json_is_read_as_it_is() -> None:
    assert parse(JSON, b'{"a": [1, null, "x"]}') == {"a": [1, None, "x"]}
    assert parse("application/cloudevents+json", b"[]") == []


@pytest.mark.parametrize("media", [JSON, FORM, "text/plain"])
def test_an_empty_body_is_null(media: str) -> None:
    assert parse(media, b"") is None


def test_a_form_field_that_repeats_becomes_a_list() -> None:
    assert parse(FORM, b"a=1&b=x+y&a=2&c=&a=%C3%A9") == {"a": ["1", "2", "é"], "b": "x y", "c": ""}


def test_other_text_is_text() -> None:
    assert parse("text/plain", "é".encode()) == "é"


@pytest.mark.parametrize(
    ("media", "raw"),
    [
        (JSON, b"{"), (JSON, b"NaN"), (JSON, b"\xff"), (JSON, b"[" * 5000), ("text/plain", b"\xff"), (FORM, b"a=%ff"),
        (FORM, b"\xff=1"), (FORM, b"&".join([b"a=1"] * (MAX_FIELDS + 1))),
    ],
)  # fmt: skip
def test_bytes_that_are_not_what_they_claim_are_a_value_error(media: str, raw: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(media, raw)


@given(st.binary(max_size=200), st.sampled_from([JSON, FORM, "text/plain", "image/png"]))
def test_no_bytes_raise_anything_but_a_value_error(raw: bytes, media: str) -> None:
    with contextlib.suppress(ValueError):
        orjson.dumps(parse(media, raw))


def test_the_json_media_type_covers_its_suffix() -> None:
    assert is_json("application/vnd.github+json")
    assert not is_json("text/json5")
    assert accepts((JSON,), "application/vnd.github+json")
    assert not accepts((JSON,), "text/plain")
    assert accepts(("text/plain",), "text/plain")
    assert not accepts(("text/plain",), "application/vnd.github+json")


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def test_json_is_no_deeper_than_what_can_be_written_again_inside_a_record() -> None:
    assert parse(JSON, nested(MAX_DEPTH)) is not None
    with pytest.raises(ValueError, match="levels deep"):
        parse(JSON, nested(MAX_DEPTH + 1))
    assert parse(JSON, b"[" + b"[]," * 1000 + b"[]]") is not None


def test_a_family_of_media_types_may_be_accepted() -> None:
    assert accepts(("image/*",), "image/png")
    assert not accepts(("image/*",), "imagex/png")


@pytest.mark.parametrize("media", ["application/octet-stream", "image/png", "application/pdf"])
def test_what_is_no_text_is_null_because_it_is_a_file(media: str) -> None:
    assert is_binary(media)
    assert parse(media, b"\xff\x00") is None


@pytest.mark.parametrize("media", ["application/xml", "text/plain", "application/yaml", "image/svg+xml"])
def test_xml_and_other_text_is_text(media: str) -> None:
    assert parse(media, b"<a/>") == "<a/>"
