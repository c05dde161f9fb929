"""The short way and the long one: whatever is sent, both say, keep and count the same."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.config import Config
from uvicorn.server import ServerState

from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Verdict
from hooksd.config.snapshot import CompiledWebhook
from hooksd.errors import JournalFull
from hooksd.model.event import Event
from hooksd.web.answer import Answer
from hooksd.web.guard import GuardedProtocol
from hooksd.web.guard_direct import LARGEST, DirectProtocol
from hooksd.web.guard_limits import Limits
from hooksd.web.trigger import TriggerApp
from tests.web.doubles import FakeIntake, Listener, TokenVerifier, webhook
from tests.web.wire import Connection, House, chunked, get, settle

JSON = "Content-Type: application/json"


class Broken(TokenVerifier):
    def verify(self, request: Inbound, now: float) -> Verdict:
        raise RuntimeError(f"a bug met {request.method} at {now}")


def webhooks() -> tuple[CompiledWebhook, ...]:
    return (
        webhook("github", verifier=TokenVerifier(token="t")),
        webhook("open"),
        webhook("silent", answer="none"),
        webhook("asking", answer="wait:5s"),
        webhook("small", limits={"body": "64B"}),
        webhook("broken", verifier=Broken()),
    )


class Seen(NamedTuple):
    """Everything that one way made of what was sent."""

    answers: list[tuple[bytes, list[bytes], bytes]]
    closed: bool
    events: list[Event]
    refused: dict[str, int]
    counted: list[str]


def connect(listener: Listener, *, short: bool) -> Connection:
    house = House(app=listener.app)
    loop: Any = house.time
    config = Config(listener.app, lifespan="off", log_config=None, ws="none")
    assert isinstance(listener.app, TriggerApp)
    protocol: GuardedProtocol = (
        DirectProtocol(config, ServerState(), {}, loop, crowd=house.crowd, application=listener.app)
        if short
        else GuardedProtocol(config, ServerState(), {}, loop, crowd=house.crowd)
    )
    return Connection(house, protocol, "192.0.2.7")


async def see(sent: tuple[bytes, ...], *, short: bool, error: Exception | None = None) -> Seen:
    listener = Listener(webhooks=webhooks())
    listener.intake.error = error
    connection = connect(listener, short=short)
    for piece in sent:
        await connection.send(piece)
    text = listener.observer.metrics.render().decode()
    counted = re.findall(
        r"^hooksd_(?:requests_total|request_seconds_count|requests_failed_total)\S* .*$", text, re.MULTILINE
    )
    return Seen(
        answers=answers(connection.wire.written),
        closed=connection.wire.closed or connection.wire.ended,
        events=listener.intake.events,
        refused=await listener.reasons(),
        counted=sorted(counted),
    )


def answers(written: bytes) -> list[tuple[bytes, list[bytes], bytes]]:
    """Return status line, headers in any order, and body of every answer."""
    found = []
    while written:
        head, _, written = written.partition(b"\r\n\r\n")
        status, *lines = head.split(b"\r\n")
        length = next((int(line[16:]) for line in lines if line.startswith(b"content-length: ")), 0)
        found.append((status, sorted(lines), written[:length]))
        written = written[length:]
    return found


async def alike(*sent: bytes, error: Exception | None = None) -> Seen:
    short, long = await see(sent, short=True, error=error), await see(sent, short=False, error=error)
    assert short == long
    return short


def post(path: str, body: bytes, *headers: str, version: str = "1.1", host: str = "Host: x") -> bytes:
    lines = [f"POST {path} HTTP/{version}", host, f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


PLAIN = post("/hooks/open", b'{"a":1}', JSON)


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (PLAIN, ["202"]),
        (PLAIN * 3, ["202"] * 3),
        (post("/hooks/open?a=1&a=2&b=%20", b"{}", JSON, "X-Tag:  t ", "X-Tag: u"), ["202"]),
        (post("/hooks/github", b"{}", JSON, "X-Token: t", "X-Event: push", "X-Delivery: 7"), ["202"]),
        (post("/hooks/github", b"{}", JSON, "X-Token: wrong"), ["401"]),
        (post("/hooks/github", b"{}", JSON, "X-Token: t", "X-Token: t"), ["401"]),
        (post("/hooks/silent", b"{}", JSON) + PLAIN, ["204", "202"]),
        (post("/hooks/asking", b"{}", JSON), ["202"]),
        (post("/hooks/small", b"[" + b"1," * 40 + b"1]", JSON), ["413"]),
        (post("/hooks/broken", b"{}", JSON), ["500"]),
        (post("/hooks/nobody", b"{}", JSON), ["404"]),
        (post("/hooks/%6fpen", b"{}", JSON), ["202"]),
        (post("http://x/hooks/open", b"{}", JSON), ["202"]),
        (post("/hooks/open", b'{"a": }', JSON), ["400"]),
        (post("/hooks/open", b"", JSON), ["202"]),
        (post("/hooks/open", b"{}"), ["415"]),
        (post("/hooks/open", b"{}", JSON, "Content-Encoding: gzip"), ["415"]),
        (post("/hooks/open", b"{}", JSON, "Connection: close") + PLAIN, ["202"]),
        (post("/hooks/open", b"{}", JSON, version="1.0"), ["202"]),
        (post("/hooks/open", b"{}", JSON, host="X-Y: z"), ["400"]),
        (post("/hooks/open", b"{}", JSON, host="Host: a/b"), ["400"]),
        (post("/hooks/open", b"{}", JSON, "X-Tag: " + "t" * Limits().head_bytes), ["431"]),
        (b"POST /hooks/open HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n%b\r\n\r\n{" % JSON.encode(), ["413"]),
        (post("/hooks/open", b'"' + b"a" * LARGEST + b'"', JSON), ["202"]),
        (post("/hooks/open", b"{}", JSON, "Upgrade: h2c", "Connection: upgrade, HTTP2-Settings"), ["202"]),
        (get("/hooks/open"), ["405"]),
        (get("/livez") + PLAIN, ["200", "202"]),
        (chunked(b"{}"), ["404"]),
        (PLAIN + b"nonsense\r\n\r\n", ["202", "400"]),
        (post("/hooks/open", b"{}", JSON, "Connection: keep-alive") + PLAIN, ["202", "202"]),
        (post("/hooks/open", b"{}", JSON, "Connection: keep-alive", version="1.0"), ["202"]),
        (post("/hooks/open", b"{}", JSON, "Proxy-Connection: keep-alive", version="1.0"), ["202"]),
        (post("/hooks/open?a=%41&b=?", b"{}", JSON, "X-Tag: t \t "), ["202"]),
        (post("/hooks/open?a=1#b", b"{}", JSON), ["202"]),
    ],
)  # fmt: skip
async def test_both_ways_answer_alike(sent: bytes, statuses: list[str]) -> None:
    seen = await alike(sent)

    assert [status.split()[1].decode() for status, _, _ in seen.answers] == statuses


async def test_both_ways_say_when_nothing_can_be_written() -> None:
    seen = await alike(PLAIN, error=JournalFull("no room"))

    assert b"retry-after: 5" in seen.answers[0][1]


@given(
    st.lists(
        st.sampled_from([
            PLAIN,
            post("/hooks/github", b"{}", JSON, "X-Token: wrong"),
            post("/hooks/silent", b'{"b":[2]}', JSON, "X-Event: push"),
            post("/hooks/asking", b"{}", JSON),
            get("/hooks/open"),
            get("/livez"),
        ]),
        min_size=1,
        max_size=4,
    ),
    st.lists(st.integers(min_value=1, max_value=400), max_size=6),
)  # fmt: skip
def test_both_ways_answer_alike_however_the_bytes_arrive(requests: list[bytes], cuts: list[int]) -> None:
    sent = b"".join(requests)
    places = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})
    pieces = tuple(sent[begin:end] for begin, end in pairwise(places))

    seen = asyncio.run(alike(*pieces))

    assert len(seen.answers) <= len(requests)


LINES = (
    "Host: x", "host: y:80", "Host: a/b", "Content-Type: application/json", "content-type: text/plain; charset=utf-8",
    "Content-Type: ", "Connection: close", "Connection: keep-alive", "Connection: Upgrade", "Upgrade: h2c",
    "Proxy-Connection: close", "Proxy-Connection: keep-alive", "Expect: 100-continue", "Expect: nothing",
    "Content-Encoding: identity", "Content-Encoding: gzip", "Content-Encoding: ", "X-Tag: \tt\t ", "X-Tag: Zo\xeb",
    "X-Token: t", "Cookie: a=b", "Idempotency-Key: 7", "Content-Length: 2", "Content-Length: 02", "Content-Length: 3",
    "Content-Length: +2", "Content-Length: 0_2", "Content-Length: 2 ", "Content-Length: 99999999999999999999999",
    "Transfer-Encoding: chunked", "Transfer-Encoding: gzip", "Trailer: X-Tag", "Keep-Alive: 5", "TE: trailers",
)  # fmt: skip
"""Lines of a head, of which some are strange and some belong together."""


@given(
    method=st.sampled_from(["POST", "POST", "POST", "PUT", "CONNECT"]),
    target=st.sampled_from([
        "/hooks/open", "/hooks/open", "/hooks/github", "/hooks/open?a=1&a=%20#c", "/hooks/open?", "/hooks/open#a?b",
        "/hooks/open/", "//hooks/open", "/hooks/../hooks/open", "*", "hooks/open", "/hooks/open?\xe4", "/livez",
    ]),
    version=st.sampled_from(["1.1", "1.1", "1.1", "1.0", "0.9", "2.0"]),
    plain=st.sampled_from([(), ("Host: x", "Content-Length: 2", JSON)]),
    lines=st.lists(st.sampled_from(LINES), max_size=6),
)  # fmt: skip
def test_both_ways_answer_alike_whatever_the_head_says(
    method: str, target: str, version: str, plain: tuple[str, ...], lines: list[str]
) -> None:
    head = "\r\n".join([f"{method} {target} HTTP/{version}", *plain, *lines, "", ""]).encode("latin-1")

    asyncio.run(alike(head + b"{}" + PLAIN))


async def test_who_hangs_up_is_accepted_all_the_same_and_gets_no_answer() -> None:
    for short in (True, False):
        listener = Listener(webhooks=webhooks())
        connection = connect(listener, short=short)
        connection.protocol.data_received(PLAIN)

        await connection.hang_up()

        assert connection.wire.written == b""
        if short:  # uvicorn notices before the application reads the body; here it is whole already
            assert len(listener.intake.events) == 1


async def test_a_request_that_is_being_answered_is_answered_before_the_listener_closes() -> None:
    for short in (True, False):
        connection = connect(Listener(webhooks=webhooks()), short=short)
        connection.protocol.data_received(PLAIN)

        connection.protocol.shutdown()
        await settle()

        assert connection.statuses == [202]
        assert b"connection: close" in connection.wire.written
        assert connection.wire.closed


async def test_a_bug_met_when_the_event_is_durable_is_a_500_and_no_silence() -> None:
    def bug(*_: object) -> Answer:
        raise RuntimeError("a bug")

    for short in (True, False):
        listener = Listener(webhooks=webhooks())
        vars(listener.receiver)["kept"] = bug
        connection = connect(listener, short=short)

        await connection.send(PLAIN)

        assert connection.statuses == [500]


async def test_no_answer_begins_a_line_with_what_a_caller_sent() -> None:
    class Echoing(TriggerApp):
        def begin_answer(self, *asked: Any) -> None:
            say: Callable[[Answer], None] = asked[-1]
            say(Answer(status=200, headers=((b"x-said", b"a\r\nset-cookie: b"),), body=b"ok"))

    listener = Listener(webhooks=webhooks())
    listener.app.__class__ = Echoing
    connection = connect(listener, short=True)

    await connection.send(PLAIN)

    assert connection.statuses == [500]
    assert b"set-cookie" not in connection.wire.written


@pytest.mark.parametrize(
    ("sent", "is_short"),
    [(PLAIN, True), (post("/hooks/asking", b"{}", JSON), False), (post("/hooks/%6fpen", b"{}", JSON), False)],
)
async def test_plain_requests_go_the_short_way_and_no_others(sent: bytes, is_short: bool) -> None:  # noqa: FBT001
    connection = connect(Listener(webhooks=webhooks()), short=True)

    await connection.send(sent)

    assert (type(connection.protocol.cycle).__module__ == DirectProtocol.__module__) == is_short


async def test_a_body_counts_for_those_in_memory_only_while_the_rest_of_it_is_awaited() -> None:
    connection = connect(Listener(webhooks=webhooks()), short=True)
    crowd = connection.house.crowd
    connection.protocol.data_received(PLAIN)
    crowd.turn.end()

    assert crowd.buffered == 0

    await settle()
    connection.protocol.data_received(PLAIN[:-1])
    crowd.turn.end()
    half = crowd.buffered
    connection.protocol.data_received(PLAIN[-1:])
    await settle()

    assert half > 0
    assert crowd.buffered == 0
    assert connection.statuses == [202, 202]


async def test_a_form_whose_files_go_to_the_disk_does_not_count_for_the_bodies_in_memory() -> None:
    listener = Listener(webhooks=(webhook("open"),))
    connection = connect(listener, short=True)
    connection.house.crowd.limits = Limits(buffered=2**20)
    part = b'--XX\r\nContent-Disposition: form-data; name="doc"; filename="x"\r\n\r\n'
    head = post("/hooks/open", b"", "Content-Type: multipart/form-data; boundary=XX").replace(
        b"Content-Length: 0", b"Content-Length: %d" % (len(part) + 3 * 2**20 + 10)
    )

    await connection.send(head + part)
    for _ in range(48):
        await connection.send(b"x" * 2**16)
        assert connection.house.crowd.buffered < 2**19
    await connection.send(b"\r\n--XX--\r\n")
    await connection.send(post("/hooks/open", b"{}", JSON))

    assert [status for status, _, _ in answers(connection.wire.written)] == [b"HTTP/1.1 202 Accepted"] * 2
    assert listener.intake.events[0].files["doc"].size == 3 * 2**20
    assert connection.house.crowd.buffered == 0
    await connection.hang_up()
    assert connection.house.crowd.buffered == 0


async def test_a_form_that_is_cut_off_leaves_no_bytes_behind() -> None:
    listener = Listener(webhooks=(webhook("open", limits={"file": "100KB"}),))
    connection = connect(listener, short=True)
    part = b'--XX\r\nContent-Disposition: form-data; name="doc"; filename="x"\r\n\r\n'
    head = post("/hooks/open", b"", "Content-Type: multipart/form-data; boundary=XX").replace(
        b"Content-Length: 0", b"Content-Length: 3000000"
    )

    await connection.send(head + part)
    for _ in range(4):
        await connection.send(b"x" * 2**16)
    await connection.hang_up()

    assert connection.house.crowd.buffered == 0
    assert answers(connection.wire.written)[0][0].startswith(b"HTTP/1.1 413")
    assert listener.intake.events == []


async def test_an_answer_waits_until_the_caller_reads_those_before_it() -> None:
    connection = connect(Listener(webhooks=webhooks()), short=True)
    connection.protocol.pause_writing()
    await connection.send(PLAIN)
    assert connection.wire.written == b""

    connection.protocol.resume_writing()
    await settle()

    assert connection.statuses == [202]


async def test_who_hangs_up_before_reading_gets_no_answer() -> None:
    connection = connect(Listener(webhooks=webhooks()), short=True)
    connection.protocol.pause_writing()
    await connection.send(PLAIN)

    await connection.hang_up()

    assert connection.wire.written == b""


async def test_what_needs_something_stored_first_is_answered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeIntake, "take", lambda *_, **__: None)

    seen = await alike(PLAIN)

    assert [status for status, _, _ in seen.answers] == [b"HTTP/1.1 202 Accepted"]
    assert len(seen.events) == 1
