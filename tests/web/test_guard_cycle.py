"""Requests that go through ASGI: what the application says arrives as it was said, and in one write if it is whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from hooksd.web.answer import ANSWER, Answer, json_answer, send_answer
from hooksd.web.guard_cycle import TEXTS, Cycle
from hooksd.web.guard_exit import Exit
from hooksd.web.problem import CLOSE, problem
from tests.web.wire import Connection, House, Wire, get, post, settle

Message = Mapping[str, Any]
Headers = tuple[tuple[bytes, bytes], ...]


class Says:
    """An application that reads the body and sends messages, whatever they are."""

    def __init__(self, *messages: Message) -> None:
        self.messages = messages
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        while (await receive()).get("more_body"):
            pass
        for message in self.messages:
            if message["type"] == "bug":
                raise ValueError("a bug")
            await send(dict(message))


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(content: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


def sized(content: bytes) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % len(content)


class Counting(Wire):
    """A transport that counts writes."""

    writes = 0

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.writes += bool(data)
        super().write(data)


def connect(app: Says) -> tuple[Connection, Counting]:
    connection = House(app=app).connect()
    wire = Counting("127.0.0.1")
    connection.wire = wire
    connection.protocol.connection_made(wire)
    return connection, wire


async def test_a_request_begins_with_all_that_uvicorn_gives_one() -> None:
    connection, wire = connect(Says())
    scope: Any = {"type": "http"}
    own = Cycle(connection.protocol, scope, Exit(wire, wire.close))
    theirs = RequestResponseCycle(
        scope=scope,
        transport=own.transport,
        flow=own.flow,
        logger=own.logger,
        access_logger=own.access_logger,
        access_log=False,
        default_headers=own.default_headers,
        message_event=own.message_event,
        expect_100_continue=False,
        keep_alive=False,
        on_response=own.on_response,
    )

    assert vars(own) == vars(theirs)


async def test_an_answer_that_is_whole_is_one_write() -> None:
    connection, wire = connect(Says(start(202, (b"content-type", b"text/plain"), sized(b"hello")), body(b"hello")))

    await connection.send(post(b"{}"))

    assert wire.written.endswith(b"\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello")
    assert wire.writes == 1


async def test_an_answer_that_comes_in_pieces_leaves_in_pieces() -> None:
    connection, wire = connect(Says(start(200), body(b"one", more=True), body(b"two")))

    await connection.send(get())

    assert wire.written.endswith(b"transfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
    assert wire.writes > 1


async def test_a_bug_after_the_head_and_before_the_body_is_a_500_and_no_half_answer() -> None:
    connection, wire = connect(Says(start(202, sized(b"hello")), {"type": "bug"}))

    await connection.send(get())

    assert connection.statuses == [500]
    assert wire.closed


async def test_the_answer_to_a_connection_that_ends_says_so_and_ends_it() -> None:
    connection, wire = connect(Says(start(200, sized(b"a")), body(b"a")))

    await connection.send(get("/a", "Connection: close"))

    assert b"\r\nconnection: close\r\n" in wire.written
    assert wire.closed


async def test_an_answer_that_ends_the_connection_ends_it() -> None:
    connection, wire = connect(Says(start(413, (b"connection", b"close"), sized(b"a")), body(b"a")))

    await connection.send(get())

    assert wire.written.count(b"connection: close\r\n") == 1
    assert wire.closed


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\0b"])
async def test_no_value_begins_a_line_of_its_own(value: bytes) -> None:
    connection, wire = connect(Says(start(200, (b"x-a", value), sized(b"a")), body(b"a")))

    await connection.send(get())

    assert value not in wire.written
    assert wire.closed


async def test_requests_behind_one_another_are_answered_in_turn() -> None:
    app = Says(start(200, sized(b"a")), body(b"a"))
    connection, wire = connect(app)

    await connection.send(get("/1") + get("/2") + get("/3"))

    assert [scope["path"] for scope in app.scopes] == ["/1", "/2", "/3"]
    assert connection.statuses == [200, 200, 200]
    assert wire.writes == 3


async def test_whoever_waits_for_100_gets_it_before_the_answer() -> None:
    connection, wire = connect(Says(start(200, sized(b"a")), body(b"a")))

    await connection.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    asked = wire.written
    await connection.send(b"{}")

    assert asked == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert connection.statuses == [100, 200]


async def test_an_application_is_told_of_a_request_what_uvicorn_tells() -> None:
    sent = post(b"{}", "X-Name:  val\xfce ", path="/a%20b/%C3%BC?x=%201&y")
    ours, theirs = Says(start(204), body(b"")), Says(start(204), body(b""))
    await connect(ours)[0].send(sent)
    plain = HttpToolsProtocol(
        Config(theirs, lifespan="off", log_config=None, ws="none", proxy_headers=False), ServerState(), {}
    )
    plain.connection_made(Wire("127.0.0.1"))
    plain.data_received(sent)
    await settle()
    plain.connection_lost(None)

    texts, extensions = ours.scopes[0].pop(TEXTS), ours.scopes[0].pop("extensions")
    ours.scopes[0]["headers"] = again = list(ours.scopes[0]["headers"])
    assert ours.scopes == [{**scope, "headers": stripped(scope["headers"])} for scope in theirs.scopes]
    assert ours.scopes[0]["path"] == "/a b/ü"
    assert texts == {name.decode(): value.decode("latin-1") for name, value in again}
    assert extensions == {ANSWER: {}}


async def test_headers_can_be_read_more_than_once() -> None:
    app = Says(start(204), body(b""))
    await connect(app)[0].send(get("/a", "X-A: 1"))

    headers = app.scopes[0]["headers"]

    assert list(headers) == list(headers) == [(b"host", b"x"), (b"x-a", b"1")]


@pytest.mark.parametrize(
    "said",
    [
        json_answer(202, {"event": "evt_1"}),
        Answer(status=204),
        Answer(status=304, headers=((b"etag", b"a"),)),
        Answer(status=299, headers=((b"x-a", b"b"),), body=b"text"),
        problem(413, "too much", headers=CLOSE),
    ],
)
@pytest.mark.parametrize("asked", [get(), get("/a", "Connection: close"), post(b"{}")])
async def test_an_answer_in_one_message_is_what_it_is_in_two(said: Answer, asked: bytes) -> None:
    messages: list[Message] = []

    async def note(message: Message) -> None:
        messages.append(message)

    await send_answer(said, note)
    connection, whole = connect(Says({"type": ANSWER, "answer": said}))
    other, parts = connect(Says(*messages))
    await connection.send(asked)
    await other.send(asked)

    assert whole.written == parts.written
    assert whole.closed == parts.closed


async def test_whoever_asks_for_a_head_alone_is_not_answered_in_one_message() -> None:
    app = Says(start(200, sized(b"a")), body(b"a"))

    await connect(app)[0].send(get().replace(b"GET", b"HEAD"))

    assert app.scopes[0]["extensions"] == {}


async def test_an_answer_in_one_message_that_cannot_be_sent_is_a_500() -> None:
    said = Answer(status=200, headers=((b"x-said", b"a\r\nset-cookie: b"),), body=b"ok")
    connection, wire = connect(Says({"type": ANSWER, "answer": said}))

    await connection.send(get())

    assert connection.statuses == [500]
    assert b"set-cookie" not in wire.written


async def test_nothing_is_said_after_an_answer_in_one_message() -> None:
    connection, _ = connect(Says(*[{"type": ANSWER, "answer": Answer(status=204)}] * 2))

    await connection.send(get())

    assert connection.statuses == [204]


async def test_a_status_that_has_no_name_is_sent_without_one() -> None:
    connection, wire = connect(Says(start(299, sized(b"a")), body(b"a")))

    await connection.send(get())

    assert wire.written.startswith(b"HTTP/1.1 299 \r\n")
    assert connection.statuses == [299]


async def test_a_name_that_came_twice_is_told_twice() -> None:
    app = Says(start(204), body(b""))

    await connect(app)[0].send(get("/a", "X-A: 1", "X-A: 2"))

    assert app.scopes[0][TEXTS] == (("host", "x"), ("x-a", "1"), ("x-a", "2"))


class Hears:
    """An application that takes note of everything that it is told, and says nothing."""

    def __init__(self) -> None:
        self.told: list[Message] = []

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        while not self.told or self.told[-1]["type"] != "http.disconnect":
            self.told.append(await receive())


@given(
    pieces=st.lists(st.tuples(st.binary(max_size=20), st.booleans()), max_size=6),
    expects=st.booleans(),
    is_cut_off=st.booleans(),
)
async def test_an_application_is_told_of_a_body_what_uvicorn_tells(
    *, pieces: list[tuple[bytes, bool]], expects: bool, is_cut_off: bool
) -> None:
    size = sum(len(piece) for piece, _ in pieces) + is_cut_off
    more = ["Expect: 100-continue"] if expects else []
    head = "\r\n".join(["POST /a HTTP/1.1", "Host: x", f"Content-Length: {size}", *more, "", ""]).encode()
    ours, theirs = Hears(), Hears()
    plain = Config(theirs, lifespan="off", log_config=None, ws="none", proxy_headers=False)

    wires = [Wire("127.0.0.1"), Wire("127.0.0.1")]

    protocols = (House(app=ours).connect().protocol, HttpToolsProtocol(plain, ServerState(), {}))
    for wire, protocol in zip(wires, protocols, strict=True):
        protocol.connection_made(wire)
        for piece, is_paused in ((head, False), *pieces):
            protocol.data_received(piece)
            if is_paused:
                await settle()
        await settle()
        protocol.connection_lost(None)
        await settle()

    assert ours.told == theirs.told
    assert wires[0].written == wires[1].written
    assert ours.told[-1]["type"] == "http.disconnect"


def stripped(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value.strip()) for name, value in headers]


names = st.sampled_from(
    [b"content-type", b"x-a", b"X-B", b"connection", b"content-length", b"transfer-encoding", b"bad name"]
)
values = st.sampled_from([b"a", b"close", b"keep-alive", b"chunked", b"0", b"1", b"2", b"x\ny", b"Close, x"])
contents = st.sampled_from([b"", b"a", b"ab"])


@given(
    method=st.sampled_from(["GET", "HEAD"]),
    keeps=st.booleans(),
    status=st.sampled_from([200, 202, 204, 299, 304, 404]),
    headers=st.lists(st.tuples(names, values), max_size=3),
    said=st.lists(st.tuples(contents, st.booleans()), min_size=1, max_size=2),
    is_sized=st.booleans(),
)
async def test_what_is_written_is_what_uvicorn_writes(
    *,
    method: str,
    keeps: bool,
    status: int,
    headers: list[tuple[bytes, bytes]],
    said: list[tuple[bytes, bool]],
    is_sized: bool,
) -> None:
    if is_sized:
        headers.append(sized(b"".join(content for content, _ in said)))
    messages = (start(status, *headers), *[body(content, more=more) for content, more in said])
    sent = get("/a", *([] if keeps else ["Connection: close"])).replace(b"GET", method.encode())
    connection, wire = connect(Says(*messages))
    await connection.send(sent)
    plain = HttpToolsProtocol(
        Config(Says(*messages), lifespan="off", log_config=None, ws="none", proxy_headers=False), ServerState(), {}
    )
    other = Wire("127.0.0.1")
    plain.connection_made(other)
    plain.data_received(sent)
    await settle()
    plain.connection_lost(None)

    assert answer(wire.written) == answer(other.written)


def answer(written: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Return status line, headers in any order, and what follows."""
    head, _, rest = written.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    return first, sorted(lines), rest
