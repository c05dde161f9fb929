from __future__ import annotations

import asyncio
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.engine.process_pipe import CHUNK, Capture, PipeReader, Side


@given(st.lists(st.binary(max_size=20)), st.integers(min_value=1, max_value=50), st.sampled_from(("start", "end")))
def test_a_capture_keeps_one_side_and_counts_all(chunks: list[bytes], limit: int, side: Side) -> None:
    capture = Capture(limit, side)
    for chunk in chunks:
        capture.add(chunk)

    whole = b"".join(chunks)
    kept = whole[:limit] if side == "start" else whole[-limit:]
    assert capture.text() == kept.decode("utf-8", "replace").removesuffix("\n")
    assert capture.size == len(whole)
    assert capture.is_truncated == (len(whole) > limit)


def test_only_one_newline_is_taken_off_the_end() -> None:
    capture = Capture(10, "start")
    capture.add(b"a\n\n")

    assert capture.text() == "a\n"


async def test_a_reader_reads_to_the_end() -> None:
    reading, writing = os.pipe()
    reader = PipeReader(reading, Capture(100, "start"))

    os.write(writing, b"one ")
    reader.watch()
    await asyncio.sleep(0.01)
    os.write(writing, b"two")
    os.close(writing)
    await asyncio.wait_for(asyncio.shield(reader.ended), 30)
    reader.close()

    assert reader.capture.text() == "one two"


async def test_what_a_pipe_holds_is_read_to_its_end_without_watching_it() -> None:
    reading, writing = os.pipe()
    reader = PipeReader(reading, Capture(2 * CHUNK, "start"))
    os.set_blocking(writing, False)
    written = os.write(writing, b"x" * (2 * CHUNK))
    os.close(writing)

    reader.finish()

    assert reader.ended.done()
    assert reader.capture.size == written
    reader.close()


async def test_a_pipe_that_somebody_still_writes_into_is_watched_until_its_end_and_holds_up_nobody() -> None:
    reading, writing = os.pipe()
    reader = PipeReader(reading, Capture(100, "start"))
    os.write(writing, b"one ")

    reader.finish()
    assert not reader.ended.done()
    os.write(writing, b"two")
    os.close(writing)
    await asyncio.wait_for(asyncio.shield(reader.ended), 30)
    reader.close()

    assert reader.capture.text() == "one two"


async def test_a_closed_reader_is_watched_no_more_whoever_asks() -> None:
    reading, writing = os.pipe()
    reader = PipeReader(reading, Capture(100, "start"))
    reader.watch()
    reader.close()

    reader.watch()
    reader.finish()

    assert reader.ended.cancelled()
    os.close(writing)


async def test_closing_lets_go_of_a_pipe_that_somebody_else_holds_open() -> None:
    reading, writing = os.pipe()
    reader = PipeReader(reading, Capture(100, "start"))

    reader.close()

    assert reader.ended.cancelled()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reading)
    os.close(writing)


async def test_a_wake_up_without_data_is_ignored() -> None:
    reading, writing = os.pipe()
    reader = PipeReader(reading, Capture(100, "start"))

    reader._read()

    assert reader.capture.size == 0
    reader.close()
    os.close(writing)
