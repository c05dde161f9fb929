"""What a connection may do, and how it is told that it may not."""

from __future__ import annotations

import asyncio
import gc
import socket
import weakref
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.web.guard_limits import (
    BODY_RATE,
    FREE_PIECES,
    LINGER,
    LINGER_BYTES,
    MAX_TARGET,
    MAX_UNREAD,
    MAX_WAITING,
    WIRE_SLACK,
    Limits,
)
from tests.web.wire import House, chunked, get, post, settle

LIMITS = Limits()


async def test_requests_on_one_connection_are_answered_in_turn() -> None:
    house = House()
    caller = house.connect()

    await caller.send(get("/a"))
    await caller.send(post(b"body", path="/b"), get("/c"))

    assert house.app.asked == [("/a", b""), ("/b", b"body"), ("/c", b"")]
    assert caller.statuses == [200, 200, 200]
    assert not caller.wire.closed


@pytest.mark.parametrize(
    ("sent", "status", "reason", "said"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed", b"exactly one Host"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400, "malformed", b"exactly one Host"),
        (b"GET / HTTP/1.1\r\nHost: a/b?x=\r\n\r\n", 400, "malformed", b"the Host is none"),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "malformed", b"the Host is none"),
        (get("/", *["a: b"] * LIMITS.headers), 431, "head_too_large", b"100 header fields"),
        (get("/", "a: " + "b" * LIMITS.head_bytes), 431, "head_too_large", b"32768 bytes"),
        (get("/", "a: " + "b" * 300_000), 431, "head_too_large", b"32768 bytes"),
        (get("/" + "a" * MAX_TARGET), 414, "head_too_large", b"8192 bytes"),
        (b"hello\r\n\r\n", 400, "malformed", b"RFC 9112"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "malformed", b"RFC 9112"),
        (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed", b"no proxy"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed", b"RFC 9112"),
        (chunked(*[b"a"] * (FREE_PIECES + 100)), 400, "malformed", b"larger chunks"),
    ],
)  # fmt: skip
async def test_what_cannot_be_meant_is_refused_with_a_reason_and_the_connection_ends(
    sent: bytes, status: int, reason: str, said: bytes
) -> None:
    house = House()
    caller = house.connect()

    answer = await caller.send(sent)

    assert caller.statuses == [status]
    assert said in answer
    assert b"\r\nconnection: close\r\n" in answer
    assert b"\r\ncontent-type: application/problem+json\r\n" in answer
    assert house.told == [(reason, status, "127.0.0.1")]
    assert house.app.asked == []
    assert caller.wire.ended or caller.wire.closed


async def test_headers_that_never_end_are_refused_before_they_are_many() -> None:
    house = House()
    caller = house.connect()

    await caller.send(b"GET / HTTP/1.1\r\nHost: x\r\na: ", *[b"b" * 10_000] * 100)

    assert caller.statuses == [431]


async def test_chunk_extensions_that_never_end_are_refused() -> None:
    house = House()
    caller = house.connect()

    answer = await caller.send(chunked(end=b"1;"), *[b"a" * 10_000] * (WIRE_SLACK // 10_000 + 10))

    assert caller.statuses == [400]
    assert b"chunk extensions" in answer
    assert house.app.gone == 1


async def test_empty_lines_that_never_end_are_no_request() -> None:
    house = House()
    caller = house.connect()

    await caller.send(*[b"\r\n" * 10_000] * 10)

    assert caller.statuses == [431]


async def test_a_request_of_http_1_0_needs_no_host() -> None:
    house = House()
    caller = house.connect()

    await caller.send(b"GET /a HTTP/1.0\r\n\r\n")

    assert caller.statuses == [200]
    assert caller.wire.closed


async def test_a_head_just_within_its_bounds_is_heard() -> None:
    house = House()
    caller = house.connect()

    await caller.send(get("/" + "a" * (MAX_TARGET - 1), *[f"a: {'b' * 200}"] * (LIMITS.headers - 1)))

    assert caller.statuses == [200]


async def test_trailer_fields_never_become_headers() -> None:
    house = House()
    caller = house.connect()

    await caller.send(chunked(b"abc", end=b"0\r\nX-Signature: forged\r\nHost: forged\r\n\r\n"), get("/b"))

    assert caller.statuses == [200, 200]
    assert not [name for headers in house.app.headers for name, _ in headers if name == b"x-signature"]


async def test_trailer_fields_are_counted() -> None:
    house = House()
    caller = house.connect()

    await caller.send(chunked(b"abc", end=b"0\r\n" + b"a: b\r\n" * 200 + b"\r\n"))

    assert caller.statuses == [431]
    assert house.app.asked == []


async def test_a_wish_for_another_protocol_is_ignored_and_the_body_is_not_lost() -> None:
    house = House()
    caller = house.connect()

    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAA")
    await caller.send(post(b"body", *upgrade) + get("/b"))

    assert house.app.asked == [("/a", b"body"), ("/b", b"")]
    assert caller.statuses == [200, 200]


async def test_a_wish_for_another_protocol_or_a_close_is_answered_and_then_closed() -> None:
    house = House()
    caller = house.connect()

    await caller.send(post(b"body", "Connection: close", "Connection: Upgrade", "Upgrade: websocket") + get("/b"))

    assert house.app.asked == [("/a", b"body")]
    assert caller.statuses == [200]
    assert caller.wire.is_closing()


async def test_requests_that_wait_are_answered_in_order_and_too_many_are_told_so_after_them() -> None:
    house = House()
    house.app.let.clear()
    caller = house.connect()

    await caller.send(b"".join(get(f"/{number}") for number in range(200)))
    assert caller.wire.written == b""
    house.app.let.set()
    await caller.send(b"")
    await settle()

    heard = MAX_WAITING + 1
    assert [path for path, _ in house.app.asked] == [f"/{number}" for number in range(heard)]
    assert caller.statuses == [200] * heard + [429]
    assert house.told == [("pipelined", 429, "127.0.0.1")]
    assert caller.wire.ended


async def test_a_broken_request_behind_good_ones_takes_no_answer_from_them() -> None:
    house = House()
    house.app.let.clear()
    caller = house.connect()

    await caller.send(get("/a") + get("/b") + chunked(*[b"a"] * (FREE_PIECES + 100)))
    house.app.let.set()
    await settle()

    assert house.app.asked == [("/a", b""), ("/b", b"")]
    assert caller.statuses == [200, 200, 400]


async def test_nothing_is_heard_after_a_request_that_closes_the_connection() -> None:
    house = House()
    caller = house.connect()

    await caller.send(get("/a", "Connection: close") + get("/smuggled"))

    assert house.app.asked == [("/a", b"")]
    assert caller.statuses == [200]
    assert caller.wire.ended or caller.wire.closed


async def test_an_answer_before_the_end_of_the_body_closes_the_connection_but_can_be_read() -> None:
    house = House()
    house.app.reads = False
    caller = house.connect()

    answer = await caller.send(post(b"a" * 100)[:-50])

    assert b"\r\nconnection: close\r\n" in answer
    assert caller.wire.ended
    assert not caller.wire.closed, "the kernel would throw the answer away"
    await caller.send(b"a" * 50, get("/smuggled"))
    assert len(house.app.asked) == 1
    await house.wait(LINGER + 1)
    assert caller.wire.closed


async def test_a_large_body_in_many_reads_leaves_the_connection_as_it_was() -> None:
    house = House()
    caller = house.connect()

    data = post(b"a" * 300_000) + chunked(*[b"b" * 1000] * 300)
    for begin in range(0, len(data), 10_000):
        await caller.send(data[begin : begin + 10_000])
    await caller.send(get())

    assert caller.statuses == [200, 200, 200]


async def test_a_refused_caller_who_goes_on_is_soon_not_read_any_more() -> None:
    house = House()
    caller = house.connect()

    await caller.send(b"junk\r\n\r\n", *[b"a" * 10_000] * (LINGER_BYTES // 10_000))
    assert caller.wire.reading
    await caller.send(b"a" * 10_000)

    assert not caller.wire.reading
    await house.wait(LINGER + 1)
    assert caller.wire.closed


# --- time


async def test_headers_must_come_in_time() -> None:
    house = House()
    caller = house.connect()

    await caller.send(b"GET / HTTP/1.1\r\na: ")
    for _ in range(9):
        await house.wait(1)
        await caller.send(b"b")
    assert caller.statuses == []
    await house.wait(2)

    assert caller.statuses == [408]
    assert house.told == [("slow", 408, "127.0.0.1")]


async def test_a_connection_on_which_nothing_is_said_closes_without_a_word() -> None:
    house = House()
    caller = house.connect()

    await house.wait(LIMITS.header_timeout + 1)

    assert caller.wire.closed
    assert caller.wire.written == b""
    assert house.told == []


async def test_a_connection_waits_longer_between_requests_than_before_the_first() -> None:
    house = House()
    caller = house.connect()

    await caller.send(get() + b"\r\n")
    await house.wait(LIMITS.idle_timeout - 1)
    assert not caller.wire.closed
    await house.wait(2)

    assert caller.wire.closed
    assert caller.statuses == [200]


async def test_a_body_must_come_in_time_and_what_has_come_gives_more() -> None:
    house = House()
    stuck, steady = house.connect(), house.connect()

    await stuck.send(post(b"a" * 10 * BODY_RATE)[: -9 * BODY_RATE])
    await steady.send(post(b"a" * 50 * BODY_RATE)[: -49 * BODY_RATE])
    for _ in range(40):
        await house.wait(1)
        await steady.send(b"a" * BODY_RATE)

    assert stuck.statuses == [408]
    assert steady.statuses == []
    assert house.app.gone == 1
    assert house.told == [("slow", 408, "127.0.0.1")]


async def test_a_caller_is_not_blamed_for_our_own_slowness() -> None:
    house = House()
    house.app.let.clear()
    caller = house.connect()

    body = b"a" * 100_000
    await caller.send(get("/a") + get("/b") + post(body, path="/c")[:-9])
    await caller.send(body[-9:-2])
    assert not caller.wire.reading
    for _ in range(10):
        await house.wait(60)
    house.app.let.set()
    await settle()
    await caller.send(body[-2:])

    assert caller.statuses == [200, 200, 200]
    assert house.app.asked[-1] == ("/c", body)


async def test_a_caller_who_does_not_read_is_cut_off_without_leaving_anything_in_the_kernel() -> None:
    house = House()
    caller = house.connect()

    await caller.send(get())
    caller.protocol.pause_writing()
    await house.wait(LIMITS.write_timeout - 1)
    assert not caller.wire.aborted
    await house.wait(2)

    assert caller.wire.aborted
    assert [option[1] for option in caller.wire.peer.options] == [socket.SO_LINGER]


async def test_few_answers_wait_in_memory_for_a_caller_who_does_not_read() -> None:
    assert House().connect().wire.most_unread == MAX_UNREAD


async def test_a_caller_who_reads_after_all_stays() -> None:
    house = House()
    caller = house.connect()

    await caller.send(get())
    caller.protocol.pause_writing()
    await house.wait(LIMITS.write_timeout - 1)
    caller.protocol.resume_writing()
    await house.wait(2)

    assert not caller.wire.closed


async def test_a_closed_connection_that_cannot_be_emptied_is_cut() -> None:
    house = House()
    caller = house.connect()

    await caller.send(get("/", "Connection: close"))
    assert caller.wire.closed
    await house.wait(1)
    await house.wait(LIMITS.write_timeout + 1)

    assert caller.wire.aborted


# --- many


async def test_an_address_may_have_only_so_many_connections_but_this_machine_may_have_more() -> None:
    house = House(Limits(connections=10, connections_per_address=2))

    theirs = [house.connect("192.0.2.1") for _ in range(3)]
    ours = [house.connect("127.0.0.1") for _ in range(3)]

    assert [caller.statuses for caller in theirs] == [[], [], [503]]
    assert b"\r\nretry-after: " in theirs[2].wire.written
    assert theirs[2].wire.closed
    assert [caller.statuses for caller in ours] == [[], [], []]
    assert house.told == [("crowded", 503, "192.0.2.1")]
    await theirs[0].hang_up()
    assert house.connect("192.0.2.1").statuses == []


async def test_who_waits_for_nothing_makes_room_for_who_comes() -> None:
    house = House(Limits(connections=3))
    house.app.let.clear()
    idle = house.connect()
    house.time.now += 1
    busy, slow = house.connect(), house.connect()
    await busy.send(get("/busy"))
    await slow.send(b"GET /slow")

    house.time.now += 1
    newcomer = house.connect()
    house.app.let.set()
    await newcomer.send(get("/new"))

    assert idle.wire.closed
    assert not busy.wire.closed
    assert busy.statuses == newcomer.statuses == [200]
    assert slow.statuses == []


async def test_when_all_are_being_answered_the_next_is_told_to_come_again() -> None:
    house = House(Limits(connections=2))
    house.app.let.clear()
    busy = [house.connect(), house.connect()]
    for caller in busy:
        await caller.send(get())

    assert house.connect().statuses == [503]
    house.app.let.set()
    await settle()
    assert [caller.statuses for caller in busy] == [[200], [200]]


async def test_bodies_of_all_callers_together_are_bounded_and_are_given_back() -> None:
    house = House(Limits(buffered=1000))
    first, second = house.connect(), house.connect()

    await first.send(post(b"a" * 900)[:-1])
    answer = await second.send(post(b"b" * 200))
    await first.send(b"a")

    assert second.statuses == [503]
    assert b"\r\nretry-after: " in answer
    assert first.statuses == [200]
    await second.hang_up()
    assert house.crowd.buffered == 0
    assert (await house.connect().send(post(b"c" * 900)))[9:12] == b"200"


async def test_requests_that_always_overlap_hold_no_more_than_themselves() -> None:
    house = House(Limits(buffered=2000))
    caller = house.connect()

    for _ in range(50):
        await caller.send(post(b"a" * 300) + post(b"b" * 300) + post(b"c" * 300)[:-1])
        await caller.send(b"c")

    assert caller.statuses == [200] * 150
    assert house.crowd.buffered == 0


# --- ends


async def test_a_caller_who_goes_away_leaves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    house.app.let.clear()
    callers = [house.connect() for _ in range(4)]
    await callers[0].send(get())
    await callers[1].send(post(b"abcdef")[:-3])
    await callers[2].send(get() + get() + b"GET /")
    await callers[3].send(b"GET ")

    for caller in callers:
        await caller.hang_up()
    house.app.let.set()
    await settle()

    assert len(house.crowd) == 0
    assert house.crowd.buffered == 0
    assert caplog.records == []


async def test_a_connection_leaves_no_circle_for_the_collector() -> None:
    house = House()
    gc.collect()
    gc.disable()
    try:
        caller = house.connect()
        await caller.send(get(), post(b"body"))
        await caller.hang_up()
        protocol = weakref.ref(caller.protocol)
        del caller
        await settle()
        assert protocol() is None
    finally:
        gc.enable()


async def test_a_stop_answers_what_was_asked_and_closes_then() -> None:
    house = House()
    house.app.let.clear()
    idle, busy, sending = house.connect(), house.connect(), house.connect()
    await busy.send(get())
    await sending.send(post(b"abcdef")[:-3])

    for caller in (idle, busy, sending):
        caller.protocol.shutdown()
    house.app.let.set()
    await sending.send(b"def")

    assert idle.wire.closed
    assert busy.statuses == sending.statuses == [200]
    assert busy.wire.closed
    assert sending.wire.closed


async def test_a_stop_waits_for_a_body_only_as_long_as_for_a_caller_to_finish() -> None:
    house = House()
    caller = house.connect()
    await caller.send(post(b"abcdef")[:-3])
    await house.wait(LIMITS.body_timeout - 1)

    caller.protocol.shutdown()
    await house.wait(LINGER - 0.5)
    assert caller.statuses == []
    await house.wait(1)

    assert caller.statuses == [503]
    assert house.app.gone == 1


# --- laws

REQUESTS = [
    get("/a"),
    post(b"some body"),
    chunked(b"ab", b"cde"),
    get("/b", "Connection: close"),
    b"\r\n",
    b"junk\r\n\r\n",
    post(b"x", "Connection: Upgrade", "Upgrade: h2c"),
    b"GET /c HTTP/1.0\r\n\r\n",
    post(b"", "Host: y"),
]


def split(data: bytes, at: list[int]) -> Iterator[bytes]:
    places = sorted({place % (len(data) + 1) for place in at} | {0, len(data)})
    return (data[begin:end] for begin, end in pairwise(places))


@given(st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=5), st.lists(st.integers(min_value=0), max_size=8))
def test_it_does_not_matter_in_which_pieces_bytes_arrive(requests: list[bytes], at: list[int]) -> None:
    async def run() -> None:
        data = b"".join(requests)
        whole, pieces = House(), House()
        one, other = whole.connect(), pieces.connect()
        await one.send(data)
        await other.send(*split(data, at))
        await settle()
        assert one.statuses == other.statuses
        assert whole.app.asked == pieces.app.asked

    asyncio.run(run())


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60), st.sampled_from(REQUESTS), st.sampled_from([b"\r\n", b": ", b"1\r\n", b"\0"])
        ),
        max_size=12,
    )
)
def test_no_bytes_make_it_fail(pieces: list[bytes]) -> None:
    async def run() -> None:
        house = House()
        caller = house.connect()
        await caller.send(*pieces)
        for _ in range(3):
            await house.wait(100)
        assert [status for status in caller.statuses if status >= 500] == []
        assert caller.wire.closed
        await caller.hang_up()
        assert len(house.crowd) == house.crowd.buffered == 0

    asyncio.run(run())
