from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from hooksd.delivery.place import place_of
from hooksd.delivery.transport import Transport
from hooksd.delivery.transport_wire import Way, Wire
from tests.delivery.receiver import answer, read_request, receiver
from tests.delivery.test_dialer import Names
from tests.end_to_end.daemon import free_port

REQUEST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    made = Transport(now=time.monotonic)
    yield made
    await made.aclose()


def way(url: str, *, may_repeat: bool = True, is_fresh: bool = False) -> Way:
    return Way(place=place_of(url), may_repeat=may_repeat, is_fresh=is_fresh)


async def exchange(transport: Transport, there: Way) -> Wire:
    wire = Wire(time.monotonic, 1000, 60)
    async with asyncio.timeout(10):
        await transport.exchange(there, REQUEST, wire)
    return wire


async def test_connections_are_used_again_the_last_one_first(transport: Transport) -> None:
    async with receiver(answer()) as here:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(exchange(transport, way(here.url())))
        assert here.connections == 3
        for _ in range(10):
            await exchange(transport, way(here.url()))

    assert here.connections == 3


async def test_what_must_not_be_sent_twice_takes_a_new_connection(transport: Transport) -> None:
    async with receiver(answer()) as here:
        await exchange(transport, way(here.url()))
        wire = await exchange(transport, way(here.url(), is_fresh=True, may_repeat=False))

    assert here.connections == 2
    assert "connect" in wire.reached


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the first request, and close at the second without a word."""
    await read_request(reader)
    writer.write(answer())
    await read_request(reader)


async def test_a_request_that_met_a_closing_connection_is_sent_again_over_a_new_one(transport: Transport) -> None:
    async with receiver(closing) as here:
        await exchange(transport, way(here.url()))
        wire = await exchange(transport, way(here.url()))

    assert (wire.status, here.connections) == (200, 2)
    assert "connect" in wire.reached


async def test_a_request_that_nobody_can_recognise_is_not_sent_again(transport: Transport) -> None:
    async with receiver(closing) as here:
        await exchange(transport, way(here.url()))
        with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
            await exchange(transport, way(here.url(), may_repeat=False))

    assert here.connections == 1


async def test_a_request_that_was_answered_in_part_is_not_sent_again(transport: Transport) -> None:
    async def stammer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer())
        await read_request(reader)
        writer.write(b"HTTP/1.1 200")
        await writer.drain()

    async with receiver(stammer) as here:
        await exchange(transport, way(here.url()))
        with pytest.raises(httpx.RemoteProtocolError, match="in the middle"):
            await exchange(transport, way(here.url()))

    assert here.connections == 1


async def test_a_new_connection_that_breaks_off_is_not_tried_again(transport: Transport) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)

    async with receiver(hang_up) as here:
        with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
            await exchange(transport, way(here.url()))

    assert here.connections == 1


@pytest.mark.parametrize("comes", [False, True], ids=["before the answer", "as the answer comes"])
async def test_who_is_cancelled_lets_go_of_the_connection(transport: Transport, *, comes: bool) -> None:
    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer())
        await reader.read()

    async with receiver(answer_once) as here:
        await exchange(transport, way(here.url()))
        ((connection,),) = transport._pool._idle.values()
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(exchange(transport, way(here.url())))
            while connection.ends == math.inf:
                await asyncio.sleep(0)
            if comes:
                connection.data_received(answer())
            asking.cancel()

    assert asking.cancelled()
    assert (connection.is_usable, len(transport._pool), here.connections) == (False, 0, 1)


async def test_the_next_address_is_tried_when_nobody_listens_at_the_first() -> None:
    transport = Transport(now=time.monotonic, resolver=Names("127.0.0.2 127.0.0.1"))
    async with receiver(answer()) as here:
        wire = await exchange(transport, way(f"http://two.example:{here.port}/"))

    assert wire.peer == f"127.0.0.1:{here.port}"
    await transport.aclose()


async def test_the_error_of_the_last_address_is_told() -> None:
    transport = Transport(now=time.monotonic, resolver=Names("127.0.0.2 127.0.0.1"))

    with pytest.raises(ConnectionRefusedError):
        await exchange(transport, way(f"http://two.example:{free_port()}/"))
    await transport.aclose()


# --- as a transport of httpx


async def test_it_serves_httpx() -> None:
    client = httpx.AsyncClient(transport=Transport(now=time.monotonic), trust_env=False)
    async with receiver(answer("201 Created", {"X-A": "b"}, b"made")) as here, client:
        response = await client.put(here.url("/in?a=b"), json={"a": 1}, headers={"X-C": "d"})

    assert (response.status_code, response.text, response.headers["x-a"]) == (201, "made", "b")
    (request,) = here.requests
    assert (request.line, request.headers["x-c"], request.body) == ("PUT /in?a=b HTTP/1.1", "d", b'{"a":1}')


class Unknown:
    async def resolve(self, _: str) -> Sequence[str]:
        raise OSError("no such name")


async def test_its_failures_are_those_of_httpx() -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    made = Transport(now=time.monotonic, resolver=Unknown())
    async with receiver(silence) as here, httpx.AsyncClient(transport=made, trust_env=False, timeout=30) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(here.url(), timeout=0.1)
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{free_port()}/")
        with pytest.raises(httpx.ConnectError, match="no such name"):
            await client.get("http://nowhere.example/")
