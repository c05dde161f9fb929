from __future__ import annotations

import pytest

from hooksd.delivery.head import start_of, with_host, written
from hooksd.delivery.place import place_of

THERE = place_of("https://a.example:8443/in?a=b")


def test_a_head_asks_for_path_and_query_and_says_who_is_asked() -> None:
    assert start_of("PUT", THERE, [("X-A", "\N{SNOWMAN}")]) == (
        "PUT /in?a=b HTTP/1.1\r\nHost: a.example:8443\r\nX-A: \N{SNOWMAN}\r\n".encode()
    )


@pytest.mark.parametrize("name", ["Host", "host", "HOST"])
def test_a_host_that_a_definition_names_is_asked_for_instead(name: str) -> None:
    assert with_host([("X-A", "b"), (name, "other.example")], THERE) == [("X-A", "b"), (name, "other.example")]


@pytest.mark.parametrize(
    ("method", "body", "rest"),
    [
        ("POST", b"ab", b"X-A: b\r\nContent-Length: 2\r\n\r\nab"),
        ("POST", b"", b"X-A: b\r\nContent-Length: 0\r\n\r\n"),
        ("GET", b"", b"X-A: b\r\n\r\n"),
        ("DELETE", b"ab", b"X-A: b\r\nContent-Length: 2\r\n\r\nab"),
    ],
)
def test_a_request_says_how_long_its_body_is_wherever_one_is_expected(method: str, body: bytes, rest: bytes) -> None:
    start = start_of(method, THERE, [])

    assert written(start, {"X-A": "b"}.items(), method, body) == start + rest
    assert written(start, (), method, body) == start + rest.removeprefix(b"X-A: b\r\n")
