"""Receivers that misbehave: each attempt has its outcome in its time and little memory, and others are served.

All of them are endpoints of one daemon, beside an honest one, and get every event at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from hooksd.delivery.sender import READ
from tests.battery import IS_LONG, tell
from tests.delivery.certificates import Authority
from tests.delivery.receiver import Talk, answer, read_request, receiver
from tests.end_to_end.daemon import Daemon, records
from tests.hostile.siege import Outcome, siege, size, start

TIMES = size(6, 1)
"""How many endpoints are the same receiver."""
EVENTS = size(8, 4)
ATTEMPTS = TIMES * EVENTS
"""At each receiver. An endpoint that fails ten times in a row is left alone: none gets that many."""
TIMEOUTS = {"timeout_total": 2, "else": 30}
"""Seconds for an attempt, where one that takes for ever is expected, and where not: all receivers share one thread."""
SLACK = 1.0 if IS_LONG else 30.0
"""Seconds by which an attempt may take longer than its timeout, because the machine is busy."""
GROWTH = 300.0 if IS_LONG else 100.0
"""MiB by which the daemon may grow: what is read of the answers that are under way, twice."""
P99 = 250.0 if IS_LONG else 5000.0
"""Milliseconds within which 99 of 100 honest callers are answered, while hundreds of attempts begin in one moment."""
WORK = """
version = 1

[webhooks.work]
auth.type = "none"
"""
ENDPOINT = """
[endpoints.NAME]
url             = "URL"
subscribe       = "webhook.work"
allow_anonymous = true
retry           = "none"
timeout         = "SECONDSs"
"""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

Writer = asyncio.StreamWriter


def says(*pieces: bytes, then: Callable[[Writer], Awaitable[None]] | None = None) -> Talk:
    """Return a receiver that reads the request, says something, and does something; then it hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(b"".join(pieces))
        await writer.drain()
        if then is not None:
            await then(writer)

    return talk


def drips(piece: bytes) -> Callable[[Writer], Awaitable[None]]:
    """Say the same every tenth of a second, for ever."""

    async def drip(writer: Writer) -> None:
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.1)

    return drip


def floods(piece: bytes) -> Callable[[Writer], Awaitable[None]]:
    """Say the same as fast as it is taken, for ever."""

    async def flood(writer: Writer) -> None:
        while True:
            writer.write(piece)
            await writer.drain()

    return flood


async def stays(_: Writer) -> None:
    while True:
        await asyncio.sleep(1)


async def resets(writer: Writer) -> None:
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


async def _reads_nothing(_: asyncio.StreamReader, writer: Writer) -> None:
    await stays(writer)


async def _answers_at_once(_: asyncio.StreamReader, writer: Writer) -> None:
    writer.write(answer("413 Content Too Large"))
    await writer.drain()


BOMB = gzip.compress(bytes(100 * 1024 * 1024))
"""100 kB that would be 100 MiB."""
RECEIVERS: dict[str, tuple[Talk, str]] = {
    "drips headers": (says(HEAD, then=drips(b"X-A: b\r\n")), "timeout_total"),
    "drips a body": (says(HEAD + b"Content-Length: 1000\r\n\r\n", then=drips(b"x")), "timeout_total"),
    "drips chunks": (says(CHUNKED, then=drips(b"1\r\nx\r\n")), "timeout_total"),
    "says nothing": (says(then=stays), "timeout_total"),
    "announces a body and is silent": (says(HEAD, b"Content-Length: %d\r\n\r\n" % 10**18, then=stays), "timeout_total"),
    "reads nothing": (_reads_nothing, "timeout_total"),
    "an endless body": (says(HEAD + b"\r\n", then=floods(b"x" * 65536)), "ok"),
    "endless chunks": (says(CHUNKED, then=floods(b"8000\r\n" + b"x" * 32768 + b"\r\n")), "ok"),
    "endless chunks of a byte": (says(CHUNKED, then=floods(b"1\r\nx\r\n" * 10_000)), "protocol"),
    "an endless header": (says(HEAD + b"X-A: ", then=floods(b"x" * 65536)), "protocol"),
    "endless headers": (says(HEAD, then=floods(b"X-A: b\r\n" * 8000)), "protocol"),
    "endless answers before the answer": (says(then=floods(b"HTTP/1.1 100 Continue\r\n\r\n" * 3000)), "protocol"),
    "an endless chunk extension": (says(CHUNKED + b"1;", then=floods(b"x" * 65536)), "protocol"),
    "endless trailers": (says(CHUNKED + b"1\r\nx\r\n0\r\n", then=floods(b"X-A: b\r\n" * 8000)), "protocol"),
    "a bomb": (says(answer(headers={"Content-Encoding": "gzip"}, body=BOMB)), "ok"),
    "a deep answer": (says(answer(headers={"Content-Type": "application/json"}, body=b"[" * 500_000)), "ok"),
    "resets": (says(then=resets), "reset"),
    "resets in the middle": (says(HEAD + b"Content-Length: 10\r\n\r\nx", then=resets), "reset"),
    "hangs up": (says(), "reset"),
    "hangs up in the middle": (says(HEAD + b"Content-Length: 10\r\n\r\nx"), "protocol"),
    "another protocol": (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "protocol"),
    "two lengths": (says(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), "protocol"),
    "an upgrade": (says(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"), "protocol"),
    "a redirect to itself": (says(answer("307 Again", {"Location": "/"})), "redirect"),
    "two answers": (says(answer() + answer("500 No")), "ok"),
}


SECURED: dict[str, str] = {
    "its own certificate": "tls",
    "the certificate of another": "tls",
    "no TLS": "tls",
    "a silent handshake": "timeout_total",
}
EXPECTED = {name: outcome for name, (_, outcome) in RECEIVERS.items()} | SECURED


async def open_all(doors: contextlib.AsyncExitStack, directory: Path) -> dict[str, str]:
    """Open every receiver and return the URLs, by name."""
    urls = {name: (await doors.enter_async_context(receiver(talk))).url() for name, (talk, _) in RECEIVERS.items()}
    authority = Authority(directory)
    own = authority.serving(Authority(directory, "stranger").own)
    other = authority.serving(authority.vouch("other", "DNS:other.example"))
    for name, talk, tls in (
        ("its own certificate", says(answer()), own),
        ("the certificate of another", says(answer()), other),
        ("no TLS", _answers_at_once, None),
        ("a silent handshake", _reads_nothing, None),
    ):
        here = await doors.enter_async_context(receiver(talk, tls))
        urls[name] = f"https://127.0.0.1:{here.port}/"
    return urls


def timeout(name: str) -> int:
    """Return the timeout of an endpoint in seconds."""
    return TIMEOUTS.get(EXPECTED.get(name, ""), TIMEOUTS["else"])


def attempts(daemon: Daemon) -> dict[str, list[dict[str, Any]]]:
    """Return what came of all attempts, by receiver."""
    names = [*EXPECTED, "honest"]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for record in records(daemon.log_dir):
        if record["type"] == "attempt.ended":
            found[names[int(record["endpoint"].split("-")[1])]].append(record)
    return found


async def deliver_to_all(daemon: Daemon, urls: dict[str, str]) -> Outcome:
    """Let every endpoint have every event, and return what others noticed."""
    endpoints = [
        ENDPOINT.replace("NAME", f"receiver-{number}-{time}").replace("URL", url).replace("SECONDS", str(timeout(name)))
        for number, (name, url) in enumerate(urls.items())
        for time in range(TIMES)
    ]
    daemon.write({"work.toml": WORK + "".join(endpoints)})
    await asyncio.to_thread(start, daemon)
    measuring = siege(daemon)
    outcomes = await asyncio.to_thread(measuring.__enter__)
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        for _ in range(EVENTS):
            assert (await client.post(daemon.url("/hooks/work"), json={})).status_code == 202
    async with asyncio.timeout(300):
        while sum(len(made) for made in attempts(daemon).values()) < ATTEMPTS * len(urls):
            await asyncio.sleep(0.5)
    await asyncio.to_thread(measuring.__exit__, None, None, None)
    return outcomes[0]


@pytest.mark.timeout(600)
async def test_every_receiver_that_misbehaves_gets_its_outcome_in_its_time_and_others_are_served(
    daemon: Daemon, tmp_path: Path
) -> None:
    (tmp_path / "tls").mkdir()
    async with contextlib.AsyncExitStack() as doors:
        urls = await open_all(doors, tmp_path / "tls")
        honest = await doors.enter_async_context(receiver(answer()))
        daemon.variables["SSL_CERT_FILE"] = str(tmp_path / "tls" / "authority.pem")
        seen = await deliver_to_all(daemon, {**urls, "honest": honest.url()})

    made = attempts(daemon)
    outcomes = {name: dict(Counter(each["outcome"] for each in found)) for name, found in made.items()}
    longest = {name: max(each["exchange"]["total_ms"] for each in found) / 1000 for name, found in made.items()}
    for name, took in longest.items():
        tell(f"{ATTEMPTS} attempts at a receiver: {name}: {outcomes[name]}, {took:.2f} s at most")
    tell(f"hostile receivers: {seen}")
    assert outcomes == {name: {outcome: ATTEMPTS} for name, outcome in {**EXPECTED, "honest": "ok"}.items()}
    assert {name: took for name, took in longest.items() if took > timeout(name) + SLACK} == {}
    assert all((each["exchange"]["response_size"] or 0) <= READ for found in made.values() for each in found)
    assert seen.failed == ()
    assert seen.p99 < P99
    assert seen.growth < GROWTH
    assert daemon.stop() == 0
