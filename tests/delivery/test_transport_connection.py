from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from hooksd.delivery.transport_connection import HEAD, HEADERS, INTERIM, Connection
from hooksd.delivery.transport_deadlines import Deadlines
from hooksd.delivery.transport_heads import Heads
from hooksd.delivery.transport_wire import Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Pipe(asyncio.Transport):
    """A transport that only writes down."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.state = "open"
        self.waits = 0

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.state != "open"

    def close(self) -> None:
        if self.state == "open":
            self.state = "closed"

    def abort(self) -> None:
        self.state = "aborted"

    def get_write_buffer_size(self) -> int:
        return self.waits


async def asked(connection: Connection, what: bytes, wire: Wire) -> None:
    await connection.ask(what, wire)


class Talk:
    """One connection, with what it is told at our hands."""

    def __init__(self, *, keeps: int = 1000, heads: Heads | None = None) -> None:
        self.pipe = Pipe()
        self.clock = asyncio.get_running_loop().time
        self.connection = Connection(Deadlines(self.clock), Heads() if heads is None else heads)
        self.connection.connection_made(self.pipe)
        self.wire = Wire(self.clock, keeps, 60)

    async def hears(
        self, *pieces: bytes, method: str = "POST", ends: bool = False, error: Exception | None = None
    ) -> Wire:
        async with asyncio.TaskGroup() as group:
            group.create_task(asked(self.connection, f"{method} / HTTP/1.1\r\n\r\n".encode(), self.wire))
            await asyncio.sleep(0)
            for piece in pieces:
                self.connection.data_received(piece)
            if ends:
                self.connection.eof_received()
            if ends or error:
                self.connection.connection_lost(error)
        return self.wire


async def refusal(*pieces: bytes, ends: bool = False, error: Exception | None = None) -> str:
    talk = Talk(keeps=100_000)
    with pytest.raises(BaseExceptionGroup) as raised:
        await talk.hears(*pieces, ends=ends, error=error)
    (cause,) = raised.value.exceptions
    assert talk.pipe.state == "aborted" or ends or error
    assert not talk.connection.is_usable
    return f"{type(cause).__name__}: {cause}"


async def test_an_answer_is_taken_in_however_it_is_cut() -> None:
    for size in (1, 2, 7, 1000):
        talk = Talk()
        wire = await talk.hears(*(OK[start : start + size] for start in range(0, len(OK), size)))

        assert (wire.status, wire.headers, bytes(wire.body)) == (200, [(b"Content-Length", b"2")], b"ok")
        assert wire.is_whole
        assert not wire.is_cut
        assert talk.connection.is_usable
        assert talk.pipe.written == b"POST / HTTP/1.1\r\n\r\n"


async def test_who_does_not_come_to_the_end_in_time_is_given_up() -> None:
    talk = Talk()
    await talk.hears(OK)
    talk.wire = Wire(talk.clock, 1000, 0.05)

    with pytest.raises(BaseExceptionGroup) as raised:
        await talk.hears(b"HTTP/1.1 200 OK\r\n")

    (cause,) = raised.value.exceptions
    assert isinstance(cause, TimeoutError)
    assert (talk.pipe.state, talk.connection.is_usable) == ("aborted", False)


async def test_a_second_request_goes_over_the_same_connection() -> None:
    talk = Talk()
    await talk.hears(OK)
    talk.wire = Wire(talk.clock, 1000, 60)
    wire = await talk.hears(b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")

    assert (wire.status, bytes(wire.body)) == (404, b"abc")
    assert talk.connection.is_usable


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + OK,
        OK + b"HTTP/1.1 2",
    ],
    ids=["close", "1.0", "two answers", "one and a half"],
)
async def test_a_connection_that_may_not_be_used_again_is_closed(answer: bytes) -> None:
    talk = Talk()
    wire = await talk.hears(answer)

    assert (wire.status, bytes(wire.body)) == (200, b"ok")
    assert not talk.connection.is_usable
    assert talk.pipe.state == "aborted"


async def test_a_connection_whose_request_still_waits_to_leave_is_not_used_again() -> None:
    talk = Talk()
    talk.pipe.waits = 1

    assert (await talk.hears(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n")).status == 413
    assert not talk.connection.is_usable


async def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    wire = await Talk().hears(b"HTTP/1.1 200 OK\r\n\r\nall ", b"of it", ends=True)

    assert (bytes(wire.body), wire.is_whole) == (b"all of it", True)


async def test_the_answer_to_head_has_no_body_whatever_it_says() -> None:
    wire = await Talk().hears(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", method="HEAD")

    assert (wire.status, wire.is_whole) == (200, True)


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_answers_that_never_have_a_body_end_with_their_headers(status: bytes) -> None:
    talk = Talk()

    assert (await talk.hears(b"HTTP/1.1 " + status + b"\r\n\r\n")).is_whole
    assert talk.connection.is_usable


async def test_answers_before_the_answer_are_skipped() -> None:
    early = b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n"
    talk = Talk()
    wire = await talk.hears(early * INTERIM + OK)

    assert (wire.status, wire.headers) == (200, [(b"Content-Length", b"2")])
    assert talk.connection.is_usable


async def test_a_long_body_is_cut_at_the_bound_and_no_more_is_read() -> None:
    talk = Talk(keeps=10)
    wire = await talk.hears(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x" * 8, b"x" * 8, b"x" * 8)

    assert (bytes(wire.body), wire.is_cut, wire.is_whole) == (b"x" * 10, True, True)
    assert talk.pipe.state == "aborted"


async def test_a_body_that_ends_at_the_bound_is_whole() -> None:
    wire = await Talk(keeps=2).hears(OK)

    assert (bytes(wire.body), wire.is_cut) == (b"ok", False)


# --- hostile receivers


async def test_headers_are_bounded_in_number_and_in_size() -> None:
    many = b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * (HEADERS + 2)
    one = b"HTTP/1.1 200 OK\r\na: "

    assert await refusal(many) == "RemoteProtocolError: it has too many headers"
    assert "never end" in await refusal(one, *[b"x" * 1000] * (HEAD // 1000 + 2))


async def test_chunks_that_say_nothing_are_bounded() -> None:
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert "never end" in await refusal(start + b"1;", *[b"x" * 1000] * 70)
    trailers = b"1\r\nx\r\n0\r\n" + b"a: b\r\n" * (HEADERS + 2)
    assert "too many headers" in await refusal(start + trailers)


async def test_a_short_body_may_come_byte_by_byte_and_a_long_one_may_not() -> None:
    start, byte = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"

    assert len((await Talk(keeps=100_000).hears(start, *[byte] * 10_000, b"0\r\n\r\n")).body) == 10_000
    assert "never end" in await refusal(start, *[byte * 100] * 400)
    assert len((await Talk(keeps=200_000).hears(start, b"6\r\nabcdef\r\n" * 30_000, b"0\r\n\r\n")).body) == 180_000


async def test_a_flood_of_answers_before_the_answer_is_refused() -> None:
    assert "never comes to the answer" in await refusal(b"HTTP/1.1 100 Continue\r\n\r\n" * (INTERIM + 1))


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/9.1 200 OK\r\n\r\n",
    ],
    ids=["ssh", "two lengths", "two framings", "negative", "huge", "chunk", "upgrade", "version"],
)
async def test_what_is_not_http_is_refused(answer: bytes) -> None:
    assert (await refusal(answer)).startswith("RemoteProtocolError: ")


async def test_a_connection_that_ends_says_how_far_it_came() -> None:
    assert await refusal(ends=True) == "RemoteProtocolError: disconnected"
    assert await refusal(OK[:-1], ends=True) == "RemoteProtocolError: it ends in the middle"
    assert await refusal(error=ConnectionResetError("reset")) == "ConnectionResetError: reset"


async def test_words_that_nobody_asked_for_close_an_idle_connection() -> None:
    talk = Talk()
    await talk.hears(OK)

    talk.connection.data_received(OK)

    assert (talk.connection.is_usable, talk.pipe.state) == (False, "closed")


async def test_a_closed_connection_is_asked_nothing() -> None:
    talk = Talk()
    talk.connection.connection_lost(None)

    with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
        await talk.connection.ask(b"POST / HTTP/1.1\r\n\r\n", talk.wire)
    assert (talk.pipe.written, talk.wire.reached) == (b"", {})


async def test_giving_up_on_an_answer_lets_go_of_the_connection() -> None:
    talk = Talk()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await talk.connection.ask(b"POST / HTTP/1.1\r\n\r\n", talk.wire)
    talk.connection.abort()

    assert (talk.pipe.state, talk.connection.is_usable) == ("aborted", False)
    talk.connection.connection_lost(None)
