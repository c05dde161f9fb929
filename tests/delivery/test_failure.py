from __future__ import annotations

import socket
import ssl

import httpx
import pytest

from hooksd.delivery.failure import failure_of
from hooksd.model.record import Outcome


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "long text of the library")
    error.verify_message = "certificate has expired"
    return error


@pytest.mark.parametrize(
    ("error", "outcome", "text"),
    [
        (caused(httpx.ConnectError("all failed"), socket.gaierror(-2, "Name not known")), "dns", "cannot resolve"),
        (caused(httpx.ConnectError(""), ConnectionRefusedError(111, "x")), "refused", "the connection was refused"),
        (caused(httpx.ReadError(""), ConnectionResetError(104, "x")), "reset", "the connection was reset"),
        (caused(httpx.WriteError(""), BrokenPipeError(32, "x")), "reset", "the connection was reset"),
        (caused(httpx.ConnectError("x"), untrusted()), "tls", "the certificate is not trusted: certificate has"),
        (caused(httpx.ConnectError("x"), ssl.SSLError(1, "wrong version")), "tls", "TLS failed: wrong version"),
        (httpx.ConnectTimeout(""), "timeout_connect", "no connection in time"),
        (httpx.PoolTimeout(""), "timeout_connect", "no connection in time"),
        (httpx.ReadTimeout(""), "timeout_total", "no whole answer in time"),
        (httpx.ConnectError("Network is unreachable\nmore"), "refused", "cannot connect: Network is unreachable"),
        (httpx.ReadError(""), "reset", "the connection was reset"),
        (httpx.RemoteProtocolError("Server disconnected without sending"), "reset", "the connection was closed"),
        (httpx.RemoteProtocolError("illegal status line"), "protocol", "the answer is not HTTP: illegal status line"),
        (httpx.LocalProtocolError("Illegal header value"), "config", "the request cannot be sent: Illegal header"),
        (httpx.InvalidURL("no"), "config", "the request cannot be sent: no"),
        (UnicodeError(), "config", "the request cannot be sent: UnicodeError"),
    ],
)  # fmt: skip
def test_a_failure_has_one_of_our_words_and_a_line_for_people(
    error: BaseException, outcome: Outcome, text: str
) -> None:
    found, said = failure_of(error)

    assert found == outcome
    assert said.startswith(text)
    assert "\n" not in said


def test_of_several_addresses_that_failed_the_reason_is_found_in_the_group() -> None:
    group = ExceptionGroup("all failed", [OSError("x"), ConnectionRefusedError(111, "refused")])
    error = caused(httpx.ConnectError("all failed"), caused(OSError("all failed"), group))

    assert failure_of(error)[0] == "refused"


def test_errors_that_are_each_others_cause_end() -> None:
    first, second = httpx.ReadError("a"), ValueError("b")
    first.__context__ = second
    second.__context__ = first

    assert failure_of(first)[0] == "reset"
