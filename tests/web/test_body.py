from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive

from hooksd.web.body import MAX_DEPTH, Disconnected, Unreadable, parse_body, read_body

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def arriving(*messages: Message) -> tuple[Receive, Iterator[Message]]:
    rest = iter(messages)

    async def receive() -> Message:
        return next(rest)

    return receive, rest


def chunk(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


async def test_a_body_in_pieces_is_put_together() -> None:
    receive, _ = arriving(chunk(b"ab", more=True), chunk(b"", more=True), chunk(b"cd", more=False))

    assert await read_body(receive, 4) == b"abcd"


async def test_reading_stops_at_the_piece_that_makes_a_body_too_long() -> None:
    receive, rest = arriving(chunk(b"ab", more=True), chunk(b"cde", more=True), chunk(b"never read", more=False))

    assert await read_body(receive, 4) is None
    assert next(rest)["body"] == b"never read"


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    receive, _ = arriving(chunk(b"abcd", more=False))

    assert await read_body(receive, 4) == b"abcd"


async def test_a_caller_who_goes_away_in_the_middle_leaves_no_body() -> None:
    receive, _ = arriving(chunk(b"ab", more=True), {"type": "http.disconnect"})

    with pytest.raises(Disconnected):
        await read_body(receive, 4)


@pytest.mark.parametrize(
    ("media", "raw", "said"),
    [
        (JSON, b'{"a": }', "line 1 column 7"),
        (JSON, b'{"a": NaN}', "not JSON"),
        (JSON, b"\xef\xbb\xbf{}", "not JSON"),
        (JSON, b'"\xff"', "not JSON"),
        (JSON, b'"\\ud800"', "not JSON"),
        (JSON, b'{"a": 1} x', "not JSON"),
        (JSON, '{"a": 1}'.encode("utf-16"), "not JSON"),
        (JSON, b"[" * 100_000, "not JSON"),
        ("application/vnd.api+json", b"{", "not JSON"),
        ("text/plain", b"ab\xff", "not UTF-8 at byte 2"),
        (FORM, b"a=%ff", "not UTF-8"),
        (FORM, b"&".join([b"a=1"] * 1001), "cannot be read as application/x-www-form-urlencoded"),
        (JSON, orjson.dumps(nested(MAX_DEPTH + 1)), f"deeper than {MAX_DEPTH} levels"),
    ],
    ids=lambda item: repr(item)[:30],
)
def test_an_unreadable_body_says_what_is_wrong_and_where(media: str, raw: bytes, said: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse_body(media, raw)

    assert said in str(caught.value)


def test_a_body_of_the_greatest_depth_is_read() -> None:
    assert parse_body(JSON, orjson.dumps(nested(MAX_DEPTH))) == nested(MAX_DEPTH)


def test_brackets_in_text_are_no_nesting() -> None:
    assert parse_body(JSON, orjson.dumps("[{" * 1000)) == "[{" * 1000


def test_what_is_read_can_be_written_again_inside_a_record() -> None:
    data = parse_body(JSON, orjson.dumps(nested(MAX_DEPTH)))

    record = {"type": "event.accepted", "event": {"body": {"content": data}}}

    assert orjson.loads(orjson.dumps(record)) == record


@given(st.integers(min_value=1, max_value=250), st.sampled_from(["list", "map"]))
def test_depth_is_counted_exactly(levels: int, kind: str) -> None:
    value: Any = 1
    for _ in range(levels):
        value = [value] if kind == "list" else {"a": value}

    raw = orjson.dumps(value)
    if levels <= MAX_DEPTH:
        assert parse_body(JSON, raw) == value
    else:
        with pytest.raises(Unreadable, match="deeper"):
            parse_body(JSON, raw)


@given(st.sampled_from([JSON, FORM, "text/plain", "application/x+json"]), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(media: str, raw: bytes) -> None:
    with contextlib.suppress(Unreadable):
        parse_body(media, raw)
