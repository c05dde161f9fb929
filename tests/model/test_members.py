from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.model.body import FEW_LOOKS, FORM, JSON, Document
from hooksd.model.members import Members, is_plain

NAMES = ["a", "é", "", "a.b", "__class__", "'"]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from([2**64 - 1, -(2**63), 0, 1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)


def escaped(name: str) -> bytes:
    return b'"%b"' % "".join(f"\\u{ord(sign):04x}" for sign in name).encode()


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from([escaped, orjson.dumps]), VALUES), max_size=6),
    st.sets(st.sampled_from(NAMES), min_size=1),
    st.sampled_from([b"", b" ", b"\n\t"]),
)
def test_some_members_are_those_of_the_whole_however_they_are_spelled_and_however_often_they_come(
    members: list[tuple[str, Callable[[str], bytes], Any]], wanted: set[str], space: bytes
) -> None:
    pairs = (spelled(name) + space + b":" + space + orjson.dumps(value) + space for name, spelled, value in members)
    raw = space + b"{" + space + b",".join(pairs) + b"}" + space

    found = Members(wanted).of(raw)

    assert repr(sorted((found or {}).items())) == repr(
        sorted((name, value) for name, value in orjson.loads(raw).items() if name in wanted)
    )


@given(st.text(max_size=3))
def test_plain_names_can_be_read(name: str) -> None:
    if is_plain(name):
        assert Members([name]).of(orjson.dumps({name: [1]})) == {name: [1]}


@pytest.mark.parametrize("name", ["\\", '"', "\n", "\ud800"])
def test_names_that_json_escapes_are_not_plain(name: str) -> None:
    assert not is_plain(name)


@pytest.mark.parametrize("number", [b"123456789012345678901234567890", b"-0", b"1e-400", b"18446744073709551616"])
def test_numbers_that_libraries_read_differently_are_those_of_the_whole(number: bytes) -> None:
    raw = b'{"a": %b}' % number

    assert repr(Members(["a"]).of(raw)) == repr(orjson.loads(raw))


@pytest.mark.parametrize("raw", [b"null", b"[1]", b'"a"', b"3", b"true"])
def test_what_is_no_object_has_no_members_and_is_read_whole(raw: bytes) -> None:
    assert Members(["a"]).of(raw) is None
    assert Document(JSON, raw).some(Members(["a"])) == orjson.loads(raw)


def test_a_body_whose_value_is_there_is_not_read_again() -> None:
    document = Document(JSON, b'{"a": 1, "b": 2}')
    members = Members(["a"])

    assert document.some(members) == {"a": 1}
    assert document.value == {"a": 1, "b": 2}
    assert document.some(members) is document.value


def test_a_body_that_many_look_into_is_read_whole() -> None:
    document = Document(JSON, b'{"a": 1, "b": 2}')
    members = Members(["a"])

    assert [document.some(members) for _ in range(FEW_LOOKS)] == [{"a": 1}] * FEW_LOOKS
    assert document.some(members) == {"a": 1, "b": 2}


def test_other_bodies_have_all_of_their_members() -> None:
    assert Document(FORM, b"a=1&b=2").some(Members(["a"])) == {"a": "1", "b": "2"}
    assert Document(JSON, b"").some(Members(["a"])) is None
