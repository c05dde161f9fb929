from __future__ import annotations

import asyncio
import io
import logging
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Scope

from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Verdict
from hooksd.daemon import server
from hooksd.engine.ports import Response
from hooksd.model.base import Json
from hooksd.model.webhook import uuid_digest
from hooksd.telemetry.log import configure
from hooksd.web.origin import Proxies
from hooksd.web.receive import Head
from hooksd.web.trigger import head_of, peer_of
from tests.web.doubles import PEER, Listener, TokenVerifier, webhook

PATIENCE = 30.0
"""Seconds that anything over a real socket may take."""


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure(stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


class Broken(TokenVerifier):
    def verify(self, request: Inbound, now: float) -> Verdict:
        raise RuntimeError(f"a bug met {request.method} at {now}")


async def test_a_post_to_the_path_of_a_webhook_is_received() -> None:
    listener = Listener(webhooks=(webhook("github"), webhook("shop", path="/in/shop")))

    async with listener.client() as client:
        answer = await client.post("/in/shop?a=1", json={"n": 1}, headers={"X-Tag": " t "})

    event = listener.intake.events[0]
    assert answer.status_code == 202
    assert event.webhook == "shop"
    assert event.data == {"n": 1}
    assert event.query == {"a": "1"}
    assert event.headers["x-tag"] == "t"


async def test_schemes_that_sign_the_url_see_the_public_one() -> None:
    seen: list[Inbound] = []

    class Seeing(TokenVerifier):
        def verify(self, request: Inbound, now: float) -> Verdict:
            seen.append(request)
            return super().verify(request, now)

    listener = Listener(webhooks=(webhook(verifier=Seeing()),))

    async with listener.client() as client:
        await client.post("/hooks/github?b=2", json={}, headers={"Host": "evil.example"})
        await client.post("/hooks/github", json={})
    listener = Listener(webhooks=listener.webhooks, public_url=None)
    async with listener.client() as client:
        await client.post("/hooks/github", json={})

    assert [request.url for request in seen] == [
        "https://hooks.example.com/hooks/github?b=2",
        "https://hooks.example.com/hooks/github",
        None,
    ]


@pytest.mark.parametrize("path", ["/", "/hooks/gitlab", "/hooks/github/", "/hooks/%67ithubs", "/metrics"])
async def test_another_path_is_no_webhook(path: str) -> None:
    listener = Listener(webhooks=(webhook("github"),))

    async with listener.client() as client:
        answer = await client.request("POST", f"http://test{path}", json={})

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert await listener.reasons() == {"unknown_path": 1}


async def test_a_disabled_webhook_is_not_there() -> None:
    listener = Listener(webhooks=(webhook("github", enabled=False),))

    async with listener.client() as client:
        answer = await client.post("/hooks/github", json={})

    assert answer.status_code == 404


async def test_the_daemon_says_that_it_lives_and_whether_it_takes_requests() -> None:
    listener = Listener()

    async with listener.client() as client:
        live, ready = await client.get("/livez"), await client.get("/readyz")
        listener.unready = ["the log is full"]
        full = await client.get("/readyz")
        still_live = await client.get("/livez")
        wrong = await client.post("/livez")

    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert ready.status_code == 200
    assert (full.status_code, full.json()) == (503, {"status": "unready", "reasons": ["the log is full"]})
    assert still_live.status_code == 200
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD")


async def test_answers_are_counted_by_webhook_and_status() -> None:
    listener = Listener(webhooks=(webhook("github"),))

    async with listener.client() as client:
        await client.post("/hooks/github", json={})
        await client.put("/hooks/github", json={})

    read = listener.observer.metrics.registry.get_sample_value
    assert read("hooksd_requests_total", {"webhook": "github", "status": "202"}) == 1
    assert read("hooksd_requests_total", {"webhook": "github", "status": "405"}) == 1
    assert read("hooksd_request_seconds_count", {"webhook": "github"}) == 2


async def test_an_error_of_ours_is_a_500_for_the_caller_and_a_traceback_in_the_log(log: io.StringIO) -> None:
    listener = Listener(webhooks=(webhook("github", Broken()),))

    async with listener.client() as client:
        answer = await client.post("/hooks/github?key=hunter2", json={})

    assert answer.status_code == 500
    assert "bug" not in answer.text
    assert "RuntimeError: a bug met POST" in log.getvalue()
    assert "hunter2" not in log.getvalue()
    assert listener.observer.metrics.registry.get_sample_value("hooksd_requests_failed_total") == 1


async def test_an_announced_body_that_is_too_long_is_refused_unread() -> None:
    listener = Listener(webhooks=(webhook("github", limits={"body": "10B"}),))

    async def never() -> AsyncIterator[bytes]:
        yield b"x"
        raise AssertionError("the body was read")

    async with listener.client() as client:
        answer = await client.post(
            "/hooks/github", content=never(), headers={"Content-Length": "11", "Content-Type": "application/json"}
        )

    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"


async def test_what_is_no_http_is_let_go() -> None:
    listener = Listener()
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        messages.append(message)

    for kind in ("websocket", "lifespan"):
        await listener.app({"type": kind, "path": "/"}, receive, send)

    assert messages == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    ("headers", "media", "coding", "length"),
    [
        ((), "", "", 0),
        ((("content-type", "Application/JSON; charset=utf-8"), ("content-length", "7")), "application/json", "", 7),
        ((("transfer-encoding", "chunked"),), "", "", None),
        ((("content-length", "-1"),), "", "", None),
        ((("content-length", "9" * 5000),), "", "", None),
        ((("content-length", "²"),), "", "", None),
        ((("content-encoding", "GZIP"),), "", "gzip", 0),
        ((("content-type", "text/plain"), ("content-type", "application/json")), "text/plain", "", 0),
    ],
)
def test_the_head_of_a_request_is_read_with_care(
    headers: tuple[tuple[str, str], ...], media: str, coding: str, length: int | None
) -> None:
    head = head_of("POST", headers)

    assert (head.media, head.coding, head.length) == (media, coding, length)


@given(
    media=st.sampled_from(["", "application/json", "application/ld+json", "text/plain", "image/png", "image/*"]),
    size=st.integers(min_value=0, max_value=20),
    accept=st.lists(
        st.sampled_from(["", "application/json", "text/plain", "image/*"]), min_size=1, max_size=2, unique=True
    ),
    methods=st.lists(st.sampled_from(["GET", "POST", "PUT"]), min_size=1, unique=True),
    keys=st.sampled_from([{}, {"allow_ips": ["192.0.2.0/24"]}, {"rate": "1/1h per address"}, {"dedupe": False}]),
)
def test_what_is_let_in_at_once_would_be_let_in_after_a_closer_look(
    media: str, size: int, accept: list[str], methods: list[str], keys: dict[str, Json]
) -> None:
    target = webhook(accept=accept, methods=methods, limits={"body": "10B"}, **keys)
    receiver = Listener(webhooks=(target,)).receiver

    let_in = receiver.screen(target, Head("POST", media, "", size), PEER) is None

    assert media not in target.plain or size > target.value.limits.body or let_in


def test_plain_posts_of_json_are_let_in_at_once() -> None:
    assert "application/json" in webhook().plain


def test_a_peer_without_an_address_is_on_this_machine() -> None:
    scope: Scope = {"type": "http", "client": None}

    assert peer_of(scope) == "unix"
    assert peer_of({**scope, "client": ["192.0.2.1", 4711]}) == "192.0.2.1"


# --- over real sockets


@asynccontextmanager
async def serving(listener: Listener) -> AsyncIterator[int]:
    """Serve on a free port of this machine; yields it."""
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    guest = server.Listener(listener.app, [sock], finish=1)
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(guest.serve())
        await guest.opened()
        yield sock.getsockname()[1]
        guest.stop()


async def talk(port: int, *parts: bytes, wait: float = 0.0) -> bytes:
    """Send parts over one connection and return everything that comes back until its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(wait)
    answer = await reader.read()
    writer.close()
    return answer


def post(body: bytes, *headers: str) -> bytes:
    lines = ["POST /hooks/github HTTP/1.1", "Host: x", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


async def test_an_endless_body_is_cut_off_at_the_limit() -> None:
    listener = Listener(webhooks=(webhook("github", limits={"body": "1KiB"}),))
    piece = b"200\r\n" + b"x" * 0x200 + b"\r\n"

    async with serving(listener) as port:
        answer = await talk(port, post(b"", "Transfer-Encoding: chunked"), piece, piece, b"1\r\nx\r\n", wait=0.01)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer
    assert listener.intake.events == []


async def test_a_caller_who_waits_for_100_continue_gets_it_only_if_the_body_is_wanted() -> None:
    listener = Listener(webhooks=(webhook("github", limits={"body": "1KiB"}),))
    close = "Connection: close"

    async with serving(listener) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(b"", "Content-Length: 2", "Expect: 100-continue", close))
        asked = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"{}")
        wanted = await reader.read()
        writer.close()
        unwanted = await talk(port, post(b"", "Content-Length: 2000", "Expect: 100-continue", close))

    assert asked == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert wanted.startswith(b"HTTP/1.1 202 ")
    assert unwanted.startswith(b"HTTP/1.1 413 ")
    assert len(listener.intake.events) == 1


async def test_pipelined_requests_are_answered_in_order() -> None:
    listener = Listener(webhooks=(webhook("github"),))
    last = post(b"{", "Content-Length: 1", "Connection: close")

    async with serving(listener) as port:
        answer = await talk(port, post(b"{}", "Content-Length: 2") + post(b"[]", "Content-Length: 2") + last)

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"202", b"202", b"400"]
    assert [event.data for event in listener.intake.events] == [{}, []]


async def test_a_caller_who_hangs_up_in_the_middle_has_sent_nothing(log: io.StringIO) -> None:
    listener = Listener(webhooks=(webhook("github"),))

    async with serving(listener) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(b'{"a":', "Content-Length: 100"))
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.transport.abort()
        alive = await talk(port, post(b"{}", "Content-Length: 2", "Connection: close"))

    assert alive.startswith(b"HTTP/1.1 202 ")
    assert [event.data for event in listener.intake.events] == [{}]
    assert log.getvalue() == ""


async def test_a_head_request_gets_the_head_of_an_answer_alone() -> None:
    async with serving(Listener()) as port:
        answer = await talk(port, b"HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")


async def test_no_content_is_sent_without_a_length() -> None:
    listener = Listener(webhooks=(webhook("github", answer="none"),))

    async with serving(listener) as port:
        answer = await talk(port, post(b"{}", "Content-Length: 2", "Connection: close"))

    assert answer.startswith(b"HTTP/1.1 204 ")
    assert b"content-length" not in answer.lower()
    assert b"transfer-encoding" not in answer.lower()


async def test_headers_that_a_workflow_makes_of_data_can_be_sent() -> None:
    listener = Listener(webhooks=(webhook("github", answer="wait:1s"),))
    listener.intake.answer = Response(status=200, headers={"X-Echo": "a\r\nb\x00 ü €"}, body="ok")

    async with serving(listener) as port:
        answer = await talk(port, post(b"{}", "Content-Length: 2", "Connection: close"))

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"x-echo: a b  \xfc ?\r\n" in answer


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02", b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\nA\x00: b\r\n\r\n"]
)
async def test_garbage_is_a_bad_request(garbage: bytes) -> None:
    async with serving(Listener()) as port:
        answer = await talk(port, garbage)

    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ")) or answer == b""


async def test_the_address_of_a_caller_is_the_one_it_connected_from() -> None:
    listener = Listener(webhooks=(webhook("github", TokenVerifier(token="right")),))

    async with serving(listener) as port:
        await talk(port, post(b"{}", "Content-Length: 2", "X-Forwarded-For: 203.0.113.9", "Connection: close"))
    await listener.refusals.flush()

    refused = [record for record in listener.journal.records if record.type == "request.refused"]
    assert refused[0].peer == "127.0.0.1" != PEER


UUID = "885d0000-0000-4000-8000-000000000001"


def unguessable() -> Listener:
    return Listener(
        webhooks=(
            webhook("leads", path="/hooks", uuid=uuid_digest(UUID), event="lead.created"),
            webhook("other", path="/hooks", uuid=uuid_digest("another")),
        )
    )


async def test_a_webhook_with_a_uuid_is_reached_by_it_and_by_nothing_else() -> None:
    listener = unguessable()

    async with listener.client() as caller:
        found = await caller.post(f"/hooks?uuid={UUID}&q=1", json={})
        lost = [
            (await caller.post(path, json={})).status_code
            for path in (
                "/hooks",
                "/hooks?uuid=",
                "/hooks?uuid=885d",
                f"/hooks?uuid={UUID}&uuid={UUID}",
                f"/hooks/leads?uuid={UUID}",
                f"/hooks?uuid={uuid_digest(UUID)}",
                f"/hooks%3Fuuid={UUID}",
                "/hooks?uuid=%ff%00",
            )
        ]

    assert found.status_code == 202
    assert set(lost) == {404}
    assert [(event.webhook, event.type) for event in listener.intake.events] == [("leads", "lead.created")]
    assert await listener.reasons() == {"unknown_path": len(lost)}


async def test_what_leads_to_a_webhook_is_kept_nowhere() -> None:
    listener = unguessable()

    async with listener.client() as caller:
        await caller.post(f"/hooks?uuid={UUID}&q=1", json={})
        await caller.get(f"/hooks?uuid={UUID}")

    (event,) = listener.intake.events
    assert event.query == {"uuid": "***", "q": "1"}
    assert UUID not in repr(event)
    await listener.refusals.flush()
    assert UUID not in repr(listener.journal.records)


async def test_behind_a_trusted_proxy_the_caller_is_whom_it_names() -> None:
    listener = Listener(webhooks=(webhook(allow_ips=["198.51.100.0/24"]),), proxies=Proxies([PEER]))

    async with listener.client() as client:
        good = await client.post("/hooks/github", json={}, headers={"x-forwarded-for": "198.51.100.7"})
        bad = await client.post("/hooks/github", json={}, headers={"x-forwarded-for": "198.51.100.7, 203.0.113.9"})
        await client.post("/nowhere", headers={"x-forwarded-for": "203.0.113.8"})

    assert (good.status_code, bad.status_code) == (202, 403)
    await listener.refusals.flush()
    peers = {record.reason: record.peer for record in listener.journal.records if record.type == "request.refused"}
    assert peers == {"address": "203.0.113.9", "unknown_path": "203.0.113.8"}


async def test_without_trusted_proxies_nobody_is_believed() -> None:
    listener = Listener(webhooks=(webhook(allow_ips=["198.51.100.0/24"]),))

    async with listener.client() as client:
        answer = await client.post("/hooks/github", json={}, headers={"x-forwarded-for": "198.51.100.7"})

    assert answer.status_code == 403


async def test_a_request_that_does_not_say_how_long_it_is_counts_once_for_a_rate() -> None:
    listener = Listener(webhooks=(webhook(rate="2/1h per address"),))

    async def pieces() -> AsyncIterator[bytes]:
        yield b"{}"

    async with listener.client() as client:
        headers = {"content-type": "application/json"}
        answers = [await client.post("/hooks/github", content=pieces(), headers=headers) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 429]
