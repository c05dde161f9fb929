from __future__ import annotations

import contextlib
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooksd.model.body import (
    FORM,
    JSON,
    MAX_DEPTH,
    MAX_FIELDS,
    Document,
    TooDeep,
    accepts,
    is_binary,
    is_json,
    parse,
    read,
)


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


NUMBERS = st.sampled_from([
    "1e999", "-1e400", "1e-999", "1E+5", "-0.0", "01", "1.", ".5", "+1", "-", "0x10",
    "9" * 400, "1" + "0" * 309, "0." + "9" * 400,
    "18446744073709551616", "-9223372036854775809", "1.7976931348623159e308", "NaN", "Infinity", "-Infinity",
])  # fmt: skip
TEXTS = st.sampled_from([
    b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud83d\\ude00"', b'"\\u12"', b'"\\x"',
    b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\x80"',
    b'"\xf4\x90\x80\x80"', b'"\x00"', b'"\x1f"', b'"\x7f"', b"'a'",
    b'"\xe2\x80\xa8"', b'"a', b"tru", b"\xef\xbb\xbf1", b"1//c", b"/*c*/1",
])  # fmt: skip
VALUES = st.recursive(
    NUMBERS.map(str.encode)
    | TEXTS
    | (st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()).map(
        lambda value: orjson.dumps(value) if not isinstance(value, int) else str(value).lower().encode()
    ),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda parts: b"[%b]" % b",".join(parts))
        | st.lists(st.tuples(st.sampled_from([b'"a"', b'"b"', b'"\\u0061"', b'""']), inner), max_size=4).map(
            lambda pairs: b"{%b}" % b", ".join(b"%b: %b" % pair for pair in pairs)
        )
    ),
    max_leaves=8,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    raw = bytearray(draw(VALUES))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(raw)))
        raw[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(raw)


@settings(max_examples=1000)
@given(damaged() | st.binary(max_size=20))
def test_what_passes_the_check_is_what_can_be_parsed(raw: bytes) -> None:
    def said(function: Callable[[str, bytes], object]) -> str:
        try:
            return repr(function(JSON, raw))  # of values that compare equal, like 0 and -0.0, it tells which is which
        except ValueError as error:
            return repr(error)

    assert said(lambda *of: read(*of).value) == said(parse)


def test_the_value_of_a_body_is_made_once() -> None:
    document = read(JSON, b'{"a": [1]}')

    assert document.value is document.value


@pytest.mark.parametrize(("media", "raw"), [(FORM, b"a=1"), ("text/plain", b"x"), ("image/png", b"\xff"), (JSON, b"")])
def test_other_bodies_have_the_values_that_parsing_gives(media: str, raw: bytes) -> None:
    assert read(media, raw).value == parse(media, raw)


def test_a_body_is_equal_to_another_of_the_same_bytes_whoever_read_it() -> None:
    document = read(JSON, b"[1]")
    fresh = Document(JSON, b"[1]")

    assert document.value == [1]
    assert document == fresh
    assert hash(document) == hash(fresh)
    assert document != Document(JSON, b"[2]")
    assert document != Document("text/plain", b"[1]")
    assert document != b"[1]"


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
    with pytest.raises(ValueError, match="levels deep"):
        read(JSON, nested(MAX_DEPTH + 1))
    assert parse(JSON, b"[" + b"[]," * 1000 + b"[]]") is not None


PIECES = st.sampled_from([
    b"[]", b"{}", b'"["', b'"]"', b'"}{"', b'"\\""', b'"]\\\\"', b'{"a":[1]}', b'[{"[":"]"}]', b"[[[[[[[[[[]]]]]]]]]]",
])  # fmt: skip


@given(st.integers(0, 14), st.lists(PIECES, max_size=20), st.sampled_from([b"[", b'[{"a":', b'["]",', b'["\\"]",']))
def test_depth_is_judged_the_same_however_many_brackets_there_are_and_wherever(
    levels: int, pieces: list[bytes], opening: bytes
) -> None:
    raw = opening * levels + b"[%b]" % b",".join(pieces) + (b"}]" if b":" in opening else b"]") * levels

    def depth_of(value: object) -> int:
        if isinstance(value, dict):
            value = list(value.values())
        return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0

    for function in (parse, read):
        if depth_of(orjson.loads(raw)) > 12:
            with pytest.raises(TooDeep):
                function(JSON, raw, 12)
        else:
            function(JSON, raw, 12)


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
