from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import uvloop

from hooksd.delivery import sender as sending
from hooksd.delivery import transport
from hooksd.delivery.request import Payload, Prepared, prepare, request_of
from hooksd.delivery.sender import HttpSender
from hooksd.delivery.transport_heads import MAX_HEADER, MAX_HEADERS
from hooksd.model.effect import MakeRequest
from tests.delivery.house import KEY, endpoint
from tests.delivery.receiver import Talk, answer, read_request, receiver
from tests.delivery.test_signing import accepts
from tests.end_to_end.daemon import free_port


@pytest.fixture
async def sender() -> AsyncIterator[HttpSender]:
    async with HttpSender() as open_sender:
        yield open_sender


def post(url: str, body: bytes = b"{}", headers: Mapping[str, str] = MappingProxyType({})) -> Prepared:
    return request_of("POST", url, headers, body)


def asks(url: str, *, method: str = "GET", body: bytes = b"", timeout: float = 5.0) -> MakeRequest:
    return MakeRequest(method=method, url=url, headers={}, body=body, timeout=timeout, is_literal=True)


# --- what a receiver sees


async def test_a_receiver_gets_the_exact_bytes_that_were_signed(sender: HttpSender) -> None:
    body = b'{ "odd": "\xc3\xa9",\r\n "n": 1.0 }'
    payload = Payload(delivery="dlv_1", headers={}, query={"a": "b c"}, media="application/json", body=body)
    now = int(time.time())

    async with receiver(answer()) as here:
        await sender.attempt(prepare(endpoint(url=here.url("/in"), secrets=[KEY]), payload, now), 5)

    (request,) = here.requests
    assert request.line == "POST /in?a=b+c HTTP/1.1"
    assert request.body == body
    assert accepts(request.headers, KEY, request.body, now)
    assert request.headers["host"] == f"127.0.0.1:{here.port}"


async def test_nothing_is_added_that_nobody_asked_for(sender: HttpSender) -> None:
    async with receiver(answer()) as here:
        await sender.attempt(post(here.url(), b"abc", {"X-A": "\N{SNOWMAN}"}), 5)

    assert here.requests[0].headers == {"host": f"127.0.0.1:{here.port}", "x-a": "\N{SNOWMAN}", "content-length": "3"}


async def test_cookies_are_not_kept(sender: HttpSender) -> None:
    async with receiver(answer(headers={"Set-Cookie": "a=b"})) as here:
        await sender.attempt(post(here.url()), 5)
        await sender.attempt(post(here.url()), 5)

    assert all("cookie" not in request.headers for request in here.requests)


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")

    async with HttpSender() as fresh, receiver(answer()) as here:
        assert (await fresh.attempt(post(here.url()), 5)).outcome == "ok"


async def test_a_redirect_is_told_and_not_followed(sender: HttpSender) -> None:
    async with receiver(answer("302 Found", {"Location": "/elsewhere"})) as here:
        attempted = await sender.attempt(post(here.url()), 5)

    assert (attempted.outcome, attempted.error) == ("redirect", "answered 302")
    assert len(here.requests) == 1


async def test_what_must_not_be_sent_twice_gets_a_connection_that_no_receiver_may_be_closing(
    sender: HttpSender,
) -> None:
    payload = Payload(delivery="dlv_1", headers={}, query={}, media="application/json", body=b"{}")
    async with receiver(answer(body=b"ok")) as here:
        once = prepare(endpoint(url=here.url(), at_most_once=True), payload, int(time.time()))
        for _ in range(2):
            assert (await sender.attempt(once, 5)).outcome == "ok"

    assert here.connections == 2


async def test_a_connection_is_used_again(sender: HttpSender) -> None:
    async with receiver(answer(body=b"ok")) as here:
        first = await sender.attempt(post(here.url()), 5)
        second = await sender.attempt(post(here.url()), 5)

    assert here.connections == 1
    assert first.exchange.connect_ms is not None
    assert second.exchange.connect_ms is None
    assert list(second.exchange.phases) == ["request", "first_byte", "body"]
    assert second.exchange.peer == first.exchange.peer == f"127.0.0.1:{here.port}"


# --- what is kept


async def test_an_exchange_holds_what_was_on_the_wire(sender: HttpSender) -> None:
    async with receiver(answer("503 Busy", {"Retry-After": "7", "X-Two": "a"}, b"come back")) as here:
        attempted = await sender.attempt(post(here.url("/x"), b"abc", {"X-A": "b"}), 5)

    exchange = attempted.exchange
    assert (attempted.outcome, attempted.error) == ("http_5xx", "answered 503")
    assert (exchange.method, exchange.url, exchange.status) == ("POST", here.url("/x"), 503)
    assert exchange.request_headers == {"X-A": "b"}
    assert exchange.request_size == 3
    assert exchange.response_headers == {"retry-after": "7", "x-two": "a", "content-length": "9"}
    assert (exchange.response_body, exchange.response_truncated) == ("come back", False)
    assert exchange.connect_ms is not None
    assert 0 < exchange.connect_ms <= exchange.total_ms


async def test_64_kib_of_an_answer_are_kept(sender: HttpSender) -> None:
    async with receiver(answer(body=b"x" * 70_000)) as here:
        exchange = (await sender.attempt(post(here.url()), 5)).exchange

    assert len(exchange.response_body) == sending.KEPT
    assert exchange.response_truncated


async def test_an_endless_answer_is_cut_and_counts_by_its_status(sender: HttpSender) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with receiver(flood) as here:
        attempted = await sender.attempt(post(here.url()), 5)
        done = await sender.request(asks(here.url()))

    assert (attempted.outcome, attempted.exchange.response_truncated) == ("ok", True)
    assert done.ok
    assert done.detail["truncated"] is True
    assert len(str(done.output)) == sending.READ


async def test_an_answer_that_ends_at_the_bound_is_whole(sender: HttpSender) -> None:
    async with receiver(answer(body=b"x" * sending.READ)) as here:
        done = await sender.request(asks(here.url()))

    assert done.detail["truncated"] is False


async def test_headers_of_an_answer_are_bounded_in_number_and_length(sender: HttpSender) -> None:
    many = {f"X-{number}": "y" for number in range(300)}
    async with receiver(answer(headers={"X-Long": "z" * 5000, **many})) as here:
        headers = (await sender.attempt(post(here.url()), 5)).exchange.response_headers

    assert len(headers) == MAX_HEADERS
    assert len(headers["x-long"]) == MAX_HEADER


async def test_an_answer_that_is_not_text_is_kept_with_replacements(sender: HttpSender) -> None:
    async with receiver(answer(body=b"a\xff")) as here:
        exchange = (await sender.attempt(post(here.url()), 5)).exchange

    assert exchange.response_body == "a\N{REPLACEMENT CHARACTER}"


# --- what goes wrong


async def test_nobody_listens(sender: HttpSender) -> None:
    attempted = await sender.attempt(post(f"http://127.0.0.1:{free_port()}/"), 5)

    assert (attempted.outcome, attempted.error) == ("refused", "the connection was refused")
    assert attempted.exchange.status is None


async def test_a_host_that_does_not_exist(sender: HttpSender, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    attempted = await sender.attempt(post("http://no-such-host.invalid/"), 5)

    assert (attempted.outcome, attempted.error) == ("dns", "cannot resolve the host: Name or service not known")


async def _reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.close()


async def _babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    await writer.drain()


async def _stop_short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
    await writer.drain()


@pytest.mark.parametrize(
    ("talk", "outcome"),
    [(_reset, "reset"), (_hang_up, "reset"), (_babble, "protocol"), (_stop_short, "protocol")],
    ids=["reset", "hang up", "babble", "stop short"],
)
async def test_a_receiver_that_breaks_off_or_does_not_speak_http(sender: HttpSender, talk: Talk, outcome: str) -> None:
    async with receiver(talk) as here:
        attempted = await sender.attempt(post(here.url()), 5)
        done = await sender.request(asks(here.url()))

    assert attempted.outcome == outcome
    assert attempted.error
    assert (done.ok, done.kind, done.error) == (False, "connect", attempted.error)


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize(("talk", "status"), [(_drip, 200), (_silence, None)], ids=["drip", "silence"])
async def test_the_timeout_is_for_the_whole_answer_however_it_drips(
    sender: HttpSender, talk: Talk, status: int | None
) -> None:
    async with receiver(talk) as here:
        began = time.monotonic()
        attempted = await sender.attempt(post(here.url()), 0.8)
        took = time.monotonic() - began
        done = await sender.request(asks(here.url(), timeout=0.2))

    assert (attempted.outcome, attempted.error) == ("timeout_total", "no whole answer within 800ms")
    assert attempted.exchange.status == status
    assert 0.8 <= took < 20, "each byte would come within its time"
    assert (done.ok, done.kind) == (False, "timeout")


async def test_a_connection_that_is_never_accepted_has_a_time_of_its_own(
    sender: HttpSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "CONNECT_TIMEOUT", 0.1)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        attempted = await sender.attempt(post(f"http://127.0.0.1:{address[1]}/"), 5)
        for filler in fillers:
            filler.close()

    assert (attempted.outcome, attempted.error) == ("timeout_connect", "no connection in time")


async def test_cancelling_an_attempt_lets_go_of_its_connection(sender: HttpSender) -> None:
    closed = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        closed.set()

    async with receiver(wait) as here, asyncio.TaskGroup() as group:
        task = group.create_task(sender.attempt(post(here.url()), 60))
        while not here.connections:
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait_for(closed.wait(), 30)


# --- TLS


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody has signed but itself."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test"
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    try:
        subprocess.run(
            [*command.split(), "-addext", "subjectAltName=IP:127.0.0.1", *files], check=True, capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return tmp_path


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


async def test_a_certificate_that_nobody_vouches_for_is_refused(sender: HttpSender, certificate: Path) -> None:
    async with receiver(answer(), serving(certificate)) as here:
        attempted = await sender.attempt(post(here.url()), 5)

    assert attempted.outcome == "tls"
    assert str(attempted.error).startswith("the certificate is not trusted: self-signed certificate")
    assert here.requests == []


async def test_a_certificate_that_is_trusted_is_used(certificate: Path) -> None:
    tls = ssl.create_default_context(cafile=str(certificate / "cert.pem"))

    async with HttpSender(tls=tls) as sender, receiver(answer(), serving(certificate)) as here:
        attempted = await sender.attempt(post(here.url()), 5)

    assert (attempted.outcome, attempted.exchange.peer) == ("ok", f"127.0.0.1:{here.port}")


async def test_a_receiver_that_speaks_no_tls(sender: HttpSender) -> None:
    async with receiver(_babble_at_once) as here:
        attempted = await sender.attempt(post(f"https://127.0.0.1:{here.port}/"), 5)

    assert attempted.outcome == "tls"


async def _babble_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()


# --- requests of steps


async def test_an_answer_says_for_how_long_its_server_wants_to_be_left_alone(sender: HttpSender) -> None:
    async with receiver(answer("503 Service Unavailable", {"Retry-After": "17"})) as here:
        assert (await sender.request(asks(here.url()))).patience == 17
    async with receiver(answer("503 Service Unavailable")) as here:
        assert (await sender.request(asks(here.url()))).patience == 0


async def test_any_answer_is_an_answer(sender: HttpSender) -> None:
    async with receiver(answer("404 Not Found", {"Set-Cookie": "s=1", "X-A": "b"}, b"nope")) as here:
        done = await sender.request(asks(here.url(), method="PUT", body=b"abc"))

    assert (done.ok, done.code, done.output, done.error) == (True, 404, "nope", None)
    assert done.detail["headers"] == {"set-cookie": "***", "x-a": "b", "content-length": "4"}
    assert here.requests[0].line.startswith("PUT / ")
    assert here.requests[0].body == b"abc"


@pytest.mark.parametrize(
    ("media", "body", "output"),
    [
        ("application/json", b'{"a": [1, null]}', {"a": [1, None]}),
        ("Application/Problem+JSON; charset=utf-8", b'"x"', "x"),
        ("application/json", b"", None),
        ("application/json", b"not json", "not json"),
        ("application/json", b"[" * 500 + b"]" * 500, "[" * 500 + "]" * 500),
        ("text/html", b'{"a": 1}', '{"a": 1}'),
    ],
    ids=["json", "problem", "empty", "broken", "deep", "text"],
)
async def test_json_is_parsed_where_the_answer_says_that_it_is_json_and_is(
    sender: HttpSender, media: str, body: bytes, output: object
) -> None:
    async with receiver(answer(headers={"Content-Type": media}, body=body)) as here:
        assert (await sender.request(asks(here.url()))).output == output


async def test_what_cannot_be_asked_for_fails_clearly(sender: HttpSender) -> None:
    done = await sender.request(asks("gopher://a"))

    assert (done.ok, done.kind) == (False, "")
    assert done.error == "the URL must begin with https:// or http:// and a host"


@pytest.mark.parametrize("url", ["http://\N{SNOWMAN}\N{SNOWMAN}.a..b/", "http://xn--/", "http://" + "a" * 300 + "/"])
async def test_a_host_that_cannot_be_one_is_an_outcome_and_no_exception(sender: HttpSender, url: str) -> None:
    attempted = await sender.attempt(post(url), 5)

    assert attempted.outcome in ("config", "dns")
    assert attempted.error


# --- on both loops


async def _many() -> None:
    async with HttpSender() as sender, receiver(answer(body=b"{}")) as here:
        before = len(list(Path("/proc/self/fd").iterdir()))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(sender.attempt(post(here.url(), os.urandom(1000)), 10)) for _ in range(200)]
        assert {task.result().outcome for task in tasks} == {"ok"}
    async with asyncio.timeout(20):  # whoever was spoken to closes when it is its turn
        while len(list(Path("/proc/self/fd").iterdir())) > before:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("work", [_many])
@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_it_works_on_both_loops(
    factory: Callable[[], asyncio.AbstractEventLoop], work: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    with asyncio.Runner(loop_factory=factory) as loop:
        loop.run(work())


async def test_an_error_of_ours_is_not_taken_for_one_of_the_receivers(
    sender: HttpSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(sender._transport, "exchange", broken)

    with pytest.raises(RuntimeError, match="a mistake"):
        await sender.attempt(post("http://127.0.0.1/"), 5)
