from __future__ import annotations

import httptools
import pytest

from hooksd.web.guard_refusal import Unwelcome, check_size, is_host, unwelcome


class Refuses:
    """A protocol that ends its parser."""

    def on_message_begin(self) -> None:
        raise Unwelcome(429, "pipelined", "one by one")


def stopped(protocol: object, data: bytes) -> Unwelcome:
    with pytest.raises(httptools.HttpParserError) as caught:
        httptools.HttpRequestParser(protocol).feed_data(data)
    return unwelcome(caught.value)


def test_our_own_reason_is_found_inside_the_error_of_the_parser() -> None:
    assert stopped(Refuses(), b"GET / HTTP/1.1\r\n").status == 429


def test_what_the_parser_does_not_understand_is_malformed() -> None:
    reason = stopped(object(), b"hello\r\n\r\n")

    assert (reason.status, reason.reason) == (400, "malformed")


@pytest.mark.parametrize("host", ["x", "hooks.example.com:443", "[::1]:9000", "", "xn--bcher-kva.example"])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert is_host(host)


@pytest.mark.parametrize("host", ["a b", "a/b", "a@b", "a\x00", "ÿ"])
def test_anything_else_is_none(host: str) -> None:
    assert not is_host(host)


def test_a_head_has_no_more_bytes_than_it_may() -> None:
    check_size(b"/ab", [("host", "x")], 8)

    with pytest.raises(Unwelcome):
        check_size(b"/ab", [("host", "x")], 7)
