"""Requests that are too large in some way: refused early, in little memory, and honest callers notice nothing.

The long part sends eight million headers, a header of 100 MB, 1.5 million chunks of a byte and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import pytest

from tests.battery import IS_LONG
from tests.end_to_end.daemon import Daemon
from tests.hostile.siege import keep_up, siege, size, start, statuses, throw

HEAD: Final = b"POST /hooks/honest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
KIB: Final = b"a" * 1024


def one_header() -> Iterator[bytes]:
    yield b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "
    for _ in range(size(100_000, 10_000)):
        yield KIB


def many_headers() -> Iterator[bytes]:
    yield b"GET / HTTP/1.1\r\nHost: x\r\n"
    for number in range(size(400, 40)):
        yield b"X-%d: a\r\n" % number * 20_000


def target() -> Iterator[bytes]:
    yield b"GET /"
    for _ in range(size(50_000, 5000)):
        yield KIB


def tiny_chunks() -> Iterator[bytes]:
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    for _ in range(size(150, 15)):
        yield b"1\r\na\r\n" * 10_000


def chunk_extension() -> Iterator[bytes]:
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;"
    for _ in range(size(50_000, 5000)):
        yield KIB


def trailers() -> Iterator[bytes]:
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
    for number in range(size(400, 40)):
        yield b"X-%d: a\r\n" % number * 20_000


def announced_body() -> Iterator[bytes]:
    yield HEAD + b"Content-Length: 300000000\r\n\r\n"
    for _ in range(size(290_000, 29_000)):
        yield KIB


def endless_body() -> Iterator[bytes]:
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    for _ in range(size(290_000, 29_000)):
        yield b"400\r\n" + KIB + b"\r\n"


def body_for_nobody() -> Iterator[bytes]:
    yield HEAD.replace(b"honest", b"nobody") + b"Content-Length: 300000000\r\n\r\n"
    for _ in range(size(290_000, 29_000)):
        yield KIB


def pipeline() -> Iterator[bytes]:
    for _ in range(size(40, 4)):
        yield b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 5000


@pytest.mark.parametrize(
    ("flood", "expected"),
    [
        (one_header, 431), (many_headers, 431), (target, 414), (tiny_chunks, 400), (chunk_extension, 400),
        (trailers, 431), (announced_body, 413), (endless_body, 413), (body_for_nobody, 404), (pipeline, 429),
    ],
)  # fmt: skip
@pytest.mark.timeout(600)
def test_a_flood_is_refused_and_honest_callers_are_served(
    daemon: Daemon, flood: Callable[[], Iterator[bytes]], expected: int
) -> None:
    start(daemon)

    with siege(daemon) as outcome:
        answers = keep_up(lambda: throw(daemon.port, flood()))

    outcome[0].check(f"{flood.__name__} x {len(answers)}")
    last = {statuses(answer)[-1] for answer in answers if statuses(answer)}
    assert expected in last
    assert last <= {expected, 503}, "an attacker may also meet the bound of its own address"
    assert daemon.stop() == 0
    assert len(answers) >= (4 if IS_LONG else 1)
