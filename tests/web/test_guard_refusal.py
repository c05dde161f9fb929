from __future__ import annotations

import httptools
import pytest

from hooksd.web.guard_refusal import Unwelcome, check_host, unwelcome


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


@pytest.mark.parametrize("host", [b"x", b"hooks.example.com:443", b"[::1]:9000", b"", b"xn--bcher-kva.example"])
def test_a_host_is_a_name_or_an_address(host: bytes) -> None:
    check_host(host, "1.1")


@pytest.mark.parametrize("host", [None, b"a b", b"a/b", b"a@b", b"a\x00", b"\xff"])
def test_anything_else_is_none(host: bytes | None) -> None:
    with pytest.raises(Unwelcome):
        check_host(host, "1.1")


def test_only_the_old_version_may_do_without() -> None:
    check_host(None, "1.0")
