from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.delivery.transport_heads import END, LONGEST, MAX_HEADER, MAX_HEADERS, MOST, Head, Heads, kept_headers
from tests.delivery.test_transport_connection import OK, Talk

HEAD = OK[:-2]
START = HEAD.removesuffix(END)


# --- what is remembered


def test_the_head_of_an_answer_in_one_piece_is_known_again() -> None:
    heads = Heads()
    head = Head(200, [(b"Content-Length", b"2")], {"content-length": "2"}, 2)
    heads.learn(START, 2, head)

    assert heads.get(START) is head


@pytest.mark.parametrize(
    ("answer", "size"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 2),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 2),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * LONGEST + b"\r\nContent-Length: 0\r\n\r\n", 0),
    ],
    ids=["chunks", "an answer before the answer", "long"],
)
def test_what_says_less_than_where_its_body_ends_is_not_remembered(answer: bytes, size: int) -> None:
    heads = Heads()
    start, _, rest = answer.partition(END)
    heads.learn(start, len(rest), Head(200, [], {}, size))

    assert len(heads) == 0


def test_how_many_are_remembered_is_bounded() -> None:
    heads = Heads()
    for number in range(MOST + 2):
        heads.learn(b"HTTP/1.1 200 OK\r\nX: %d\r\nContent-Length: 0" % number, 0, Head(200, [], {}, 0))
        assert len(heads) <= MOST


# --- what is kept of headers


def test_names_are_in_lower_case_and_repeated_ones_are_joined() -> None:
    assert kept_headers([(b"X-A", b"1"), (b"x-a", b"2"), (b"B", b"\xff"), (b"C", "é".encode())]) == {
        "x-a": "1, 2",
        "b": "\xff",
        "c": "é",
    }


def test_they_are_bounded_in_number_and_length() -> None:
    kept = kept_headers([(b"Long", b"z" * 5000), *((b"x-%d" % number, b"y") for number in range(300))])

    assert (len(kept), len(kept["long"])) == (MAX_HEADERS, MAX_HEADER)


# --- the differential law: whatever was heard before, an answer means the same

names = st.sampled_from(
    [b"Content-Length", b"content-length", b"Transfer-Encoding", b"Connection", b"Upgrade", b"X-A", b"Date", b" X", b""]
)
values = st.sampled_from(
    [b"0", b"2", b"02", b"+2", b"3", b" 2 ", b"2, 2", b"chunked", b"close", b"keep-alive", b"", b"\xff", b"a\nb"]
)
lines = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r\n "])
starts = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.1 204 None", b"HTTP/1.1 304 Same", b"HTTP/1.0 200 OK", b"HTTP/1.1 100 Go", b"HTTP/2"]
)
bodies = st.sampled_from([b"", b"ok", b"\r\n\r\n", b"2\r\nok\r\n0\r\n\r\n", b"okay", OK, b"\r\n", b"o"])


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    head = draw(starts) + draw(lines)
    for name, value in draw(st.lists(st.tuples(names, values), max_size=3)):
        head += name + b": " + value + draw(lines)
    return draw(st.sampled_from([b"", b"", b"", b"\r\n"])) + head + draw(lines) + draw(bodies)


async def told(heads: Heads, pieces: list[bytes], method: str, keeps: int) -> object:
    """Return all that an answer means to whoever asked, after one that is as plain as can be."""
    talk = Talk(keeps=keeps, heads=heads)
    try:
        wire = await talk.hears(*pieces, method=method, ends=True)
    except BaseExceptionGroup as failed:
        wire, error = talk.wire, repr(failed.exceptions)
    else:
        error = ""
    seen = (
        wire.status,
        list(wire.headers),
        wire.kept,
        bytes(wire.body),
        wire.is_cut,
        wire.is_whole,
    )
    return seen, error, talk.pipe.state, talk.connection.is_usable


@given(
    st.lists(answers(), min_size=1, max_size=3),
    st.sampled_from(["POST", "HEAD"]),
    st.sampled_from([1, 1000]),
    st.integers(0, 3),
)
def test_an_answer_means_the_same_whether_its_head_is_known_or_not(
    pieces: list[bytes], method: str, keeps: int, again: int
) -> None:
    async def work() -> None:
        heads = Heads()
        for earlier in pieces:
            await told(heads, [earlier], "POST", 1000)
        for heard in ([pieces[0]], [pieces[0][:again], pieces[0][again:]], pieces):
            kept = [piece for piece in heard if piece]
            assert await told(heads, kept, method, keeps) == await told(Heads(), kept, method, keeps)

    asyncio.run(work())


async def test_an_answer_whose_head_is_known_never_meets_the_parser() -> None:
    heads = Heads()
    first, second = Talk(heads=heads), Talk(heads=heads)
    await first.hears(OK)
    del second.connection._parser  # whoever needs it now fails
    wire = await second.hears(HEAD + b"no")

    assert (wire.status, bytes(wire.body), wire.kept) == (200, b"no", {"content-length": "2"})
    assert second.connection.is_usable
