from __future__ import annotations

from hooksd.web.guard_upgrade import parser_of, without_upgrade


class Ear:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def on_body(self, body: bytes) -> None:
        self.bodies.append(body)


def test_a_head_is_the_same_but_for_the_wish() -> None:
    headers = [("host", "x"), ("upgrade", "h2c"), ("connection", "Upgrade")]

    assert without_upgrade(b"POST", b"/a?b", headers) == b"POST /a?b HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\n\r\n"


def test_what_comes_after_the_last_request_of_a_connection_is_no_error() -> None:
    ear = Ear()

    parser_of(ear).feed_data(b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 1\r\n\r\na" + b"GET /")

    assert ear.bodies == [b"a"]
