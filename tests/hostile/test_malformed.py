"""Requests that proxies and servers read in different ways: each is refused or means one thing, and nothing breaks."""

from __future__ import annotations

import pytest

from tests.end_to_end.daemon import Daemon, records
from tests.hostile.siege import connect, said, siege, start, statuses

H = b"Host: x\r\n"
GET = b"GET /hooks/smuggled HTTP/1.1\r\n"
POST = b"POST /hooks/smuggled HTTP/1.1\r\nContent-Type: text/plain\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
NEXT = b"GET /hooks/smuggled?smuggled=1 HTTP/1.1\r\nHost: x\r\n\r\n"
CASES = {
    "length and chunks": (POST + H + b"Content-Length: 4\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + NEXT, {400}),
    "unknown coding": (POST + H + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + NEXT, {400}),
    "chunked, identity": (POST + H + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + NEXT, {400}),
    "identity, chunked": (POST + H + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", {400, 415}),
    "two codings": (POST + H + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" + NEXT, {400}),
    "space before the colon": (POST + H + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + NEXT, {400}),
    "folded line": (POST + H + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + NEXT, {400}),
    "chunks in HTTP/1.0": (POST.replace(b"1.1", b"1.0") + H + CHUNKED + b"\r\n1\r\na\r\n0\r\n\r\n" + NEXT, {400, 415}),
    "two lengths": (POST + H + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde", {400}),
    "one length twice": (POST + H + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", {400}),
    "length +3": (POST + H + b"Content-Length: +3\r\n\r\nabc", {400}),
    "length -1": (POST + H + b"Content-Length: -1\r\n\r\n", {400}),
    "length 3_0": (POST + H + b"Content-Length: 3_0\r\n\r\nabc", {400}),
    "length 0x3": (POST + H + b"Content-Length: 0x3\r\n\r\nabc", {400}),
    "length beyond numbers": (POST + H + b"Content-Length: 99999999999999999999999\r\n\r\nabc", {400}),
    "chunk 0x1": (POST + H + CHUNKED + b"\r\n0x1\r\na\r\n0\r\n\r\n", {400, 415}),
    "chunk +1": (POST + H + CHUNKED + b"\r\n+1\r\na\r\n0\r\n\r\n", {400, 415}),
    "chunk without an end": (POST + H + CHUNKED + b"\r\n1\r\naXX0\r\n\r\n", {400, 415}),
    "chunk with bare line feeds": (POST + H + CHUNKED + b"\r\n1\na\n0\n\n", {400, 415}),
    "line feed in an extension": (POST + H + CHUNKED + b"\r\n1;a\nb\r\na\r\n0\r\n\r\n", {400, 415}),
    "headers with bare line feeds": (b"POST /hooks/smuggled HTTP/1.1\nHost: x\nContent-Length: 0\n\n", {400}),
    "carriage return in a value": (GET + H + b"X-A: a\rb\r\n\r\n", {400}),
    "NUL in a value": (GET + H + b"X-A: a\x00b\r\n\r\n", {400}),
    "NUL in a name": (GET + H + b"X\x00A: b\r\n\r\n", {400}),
    "no Host": (GET + b"\r\n", {400}),
    "two Hosts": (GET + b"Host: a\r\nHost: b\r\n\r\n", {400}),
    "a Host with a path": (GET + b"Host: a/b?x=\r\n\r\n", {400}),
    "absolute target": (b"GET http://evil/hooks/smuggled HTTP/1.1\r\nHost: a\r\n\r\n", {202}),
    "target @evil": (b"GET @evil/hooks/smuggled HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    "target //evil": (b"GET //evil/hooks/smuggled HTTP/1.1\r\nHost: a\r\n\r\n", {400, 404}),
    "target with %2e%2e": (b"GET /x/%2e%2e/hooks/smuggled HTTP/1.1\r\nHost: a\r\n\r\n", {404}),
    "target with %2f": (b"GET /hooks%2fnothing HTTP/1.1\r\nHost: a\r\n\r\n", {404}),
    "target with %00": (b"GET /hooks/smuggled%00 HTTP/1.1\r\nHost: a\r\n\r\n", {404}),
    "target beyond ASCII": (b"GET /hooks/\xff HTTP/1.1\r\nHost: a\r\n\r\n", {400, 404}),
    "query with bad escapes": (b"GET /hooks/smuggled?%ff%zz HTTP/1.1\r\nHost: a\r\n\r\n", {202, 400}),
    "underscore in a name": (GET + H + b"X_Hub_Signature: z\r\n\r\n", {202}),
    "HTTP/9.9": (b"GET /hooks/smuggled HTTP/9.9\r\nHost: a\r\n\r\n", {400}),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}),
    "method BREW": (b"BREW /hooks/smuggled HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    "GET with a body": (GET + H + b"Content-Type: application/json\r\nContent-Length: 4\r\n\r\nnull", {202}),
    "upgrade to h2c": (GET + H + b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n\r\n", {202}),
    "CONNECT": (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", {400, 404, 405}),
}  # fmt: skip


@pytest.fixture
def house(daemon: Daemon) -> Daemon:
    return start(daemon, idle_timeout="100ms", header_timeout="500ms", body_timeout="500ms")


@pytest.mark.timeout(600)
def test_every_malformed_request_is_refused_or_means_one_thing(house: Daemon) -> None:
    wrong = []
    with siege(house) as outcome:
        for name, (data, expected) in CASES.items():
            with connect(house.port) as door:
                door.sendall(data)
                answer = statuses(said(door))
            if not answer or answer[0] not in expected or len(answer) > 1:
                wrong.append((name, answer))

    assert wrong == []
    outcome[0].check(f"{len(CASES)} malformed requests")
    accepted = [record["event"] for record in records(house.log_dir) if record["type"] == "event.accepted"]
    assert [event for event in accepted if "smuggled" in (event.get("query") or {})] == []


@pytest.mark.timeout(600)
def test_a_caller_may_go_away_at_every_byte_of_a_request(house: Daemon) -> None:
    body = b'{"a": 1}'
    head = b"POST /hooks/honest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    data = head % len(body) + body
    with siege(house) as outcome:
        for end in range(len(data) + 1):
            with connect(house.port) as door:
                door.sendall(data[:end])

    outcome[0].check("abort at every byte")
    assert house.stop() == 0
    assert "ERROR" not in house.stderr.upper().replace("ERRORS", "")
