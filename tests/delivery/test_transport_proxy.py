from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hooksd.delivery.request import Prepared, request_of
from hooksd.delivery.sender import READ, HttpSender
from hooksd.model.egress import Egress
from tests.delivery.certificates import Authority
from tests.delivery.receiver import answer, read_request, receiver
from tests.delivery.test_dialer import DIALLED


@pytest.fixture
async def sender() -> AsyncIterator[HttpSender]:
    async with HttpSender() as open_sender:
        yield open_sender


def post(url: str, port: int, *, is_literal: bool = True, **keys: object) -> Prepared:
    egress = Egress.model_validate({"proxy": f"http://127.0.0.1:{port}", **keys})
    return request_of("POST", url, {"X-A": "b"}, b"{}", egress=egress, is_literal=is_literal)


async def test_a_request_goes_to_the_proxy_which_resolves_the_name(sender: HttpSender) -> None:
    async with receiver(answer(headers={"X-B": "c"}, body=b"ok")) as proxy:
        DIALLED.clear()
        attempted = await sender.attempt(post("http://shop.example/in?a=b", proxy.port, is_literal=False), 5)

    assert [("127.0.0.1", proxy.port)] == DIALLED
    (request,) = proxy.requests
    assert request.line == "POST http://shop.example/in?a=b HTTP/1.1"
    assert (request.headers["host"], request.headers["x-a"], request.body) == ("shop.example", "b", b"{}")
    exchange = attempted.exchange
    assert (attempted.outcome, exchange.status, exchange.response_body) == ("ok", 200, "ok")
    assert exchange.peer == f"http://127.0.0.1:{proxy.port}"


async def test_https_goes_through_a_tunnel_and_the_certificate_is_checked(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = authority.serving(authority.vouch("hook", "DNS:hook.example"))
    tunnels: list[str] = []

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnels.append((await read_request(reader)).line)
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", here.port)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")

        async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                target.write(data)
            target.close()

        async with asyncio.TaskGroup() as group:
            group.create_task(pass_on(reader, to_writer))
            group.create_task(pass_on(to_reader, writer))

    async with (
        receiver(answer(), tls) as here,
        receiver(tunnel) as proxy,
        HttpSender(tls=authority.trusting()) as sender,
    ):
        right = await sender.attempt(post("https://hook.example/", proxy.port), 5)
        wrong = await sender.attempt(post("https://other.example/", proxy.port), 5)

    assert (right.outcome, wrong.outcome) == ("ok", "tls")
    assert tunnels == ["CONNECT hook.example:443 HTTP/1.1", "CONNECT other.example:443 HTTP/1.1"]


async def test_what_can_be_judged_without_a_name_is_judged(sender: HttpSender) -> None:
    async with receiver(answer()) as proxy:
        for url in ("http://169.254.169.254/", "http://10.0.0.1/", "http://denied.example/"):
            attempted = await sender.attempt(post(url, proxy.port, is_literal=False, deny="denied.example"), 5)
            assert attempted.outcome == "blocked"
    assert proxy.connections == 0


async def test_an_endless_answer_through_a_proxy_is_cut(sender: HttpSender) -> None:
    async with receiver(answer(body=b"x" * (READ + 10))) as proxy:
        exchange = (await sender.attempt(post("http://shop.example/", proxy.port), 5)).exchange

    assert (exchange.response_truncated, exchange.response_size) == (True, READ)


async def test_a_long_answer_in_chunks_of_a_byte_is_refused_through_a_proxy_too(sender: HttpSender) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with receiver(chunked + b"1\r\nx\r\n" * 40_000 + b"0\r\n\r\n") as proxy:
        attempted = await sender.attempt(post("http://shop.example/", proxy.port), 15)

    assert attempted.outcome == "protocol"
    assert "too small" in str(attempted.error)


async def test_a_proxy_that_does_not_answer_is_an_outcome(sender: HttpSender) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with receiver(hang) as proxy:
        assert (await sender.attempt(post("http://shop.example/", proxy.port), 0.2)).outcome == "timeout_total"
