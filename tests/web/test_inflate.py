from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.web.body import Unreadable
from hooksd.web.inflate import SMALL, inflate, inflated


@given(st.binary(max_size=300), st.integers(0, 300))
def test_a_body_comes_back_as_it_was_unless_it_is_too_long(data: bytes, limit: int) -> None:
    assert inflate(gzip.compress(data), limit) == (data if len(data) <= limit else None)


def test_a_body_of_several_members_is_their_sum() -> None:
    assert inflate(gzip.compress(b"ab") + gzip.compress(b"cd"), 4) == b"abcd"
    assert inflate(gzip.compress(b"ab") + gzip.compress(b"cd"), 3) is None


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", gzip.compress(b"hello")[:-4], gzip.compress(b"hello") + b"x", zlib.compress(b"hello")],
    ids=["nothing", "text", "cut", "trailing", "zlib"],
)
def test_what_is_not_gzip_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable, match="gzip"):
        inflate(data, 100)


def test_a_checksum_that_does_not_fit_is_noticed() -> None:
    data = bytearray(gzip.compress(b"hello"))
    data[-5] ^= 1

    with pytest.raises(Unreadable, match="damaged"):
        inflate(bytes(data), 100)


def test_members_without_end_are_refused() -> None:
    with pytest.raises(Unreadable, match="100 gzip members"):
        inflate(gzip.compress(b"") * 101, 100)


async def test_a_bomb_takes_no_more_memory_than_a_body_may() -> None:
    bomb = gzip.compress(b"\0" * 200 * 2**20)
    tracemalloc.start()

    found = await inflated(bomb, 2**20)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found is None
    assert peak < 8 * 2**20


async def test_large_bodies_are_inflated_beside_the_loop_with_the_same_result() -> None:
    data = bytes(range(256)) * SMALL

    assert await inflated(gzip.compress(data, 0), len(data)) == data
    assert await inflated(gzip.compress(b"abc"), 3) == b"abc"


@given(st.binary(max_size=200))
def test_whatever_is_sent_it_is_read_or_refused(data: bytes) -> None:
    try:
        inflate(gzip.compress(b"x")[:10] + data, 1000)
    except Unreadable:
        return
