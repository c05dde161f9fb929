"""The command that repeats a delivery, carried out."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from hooksd.cli.output import safe
from hooksd.cli.shell import LONGEST
from hooksd.model.record import AttemptEnded, AttemptStarted, DeliveryCreated, DeliveryEnded, Exchange
from hooksd.model.stored import StoredBody, store_body
from tests.cli.conftest import DELIVERY, STORY, Command, write_log

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

CREATED = next(record for record in STORY if isinstance(record, DeliveryCreated))
ATTEMPT = next(record for record in STORY if isinstance(record, AttemptEnded))
HEADERS = {"User-Agent": "hooksd", "Accept": "*/*", "Content-Type": "application/json", "webhook-id": DELIVERY}


class Receiver:
    """Remembers the requests that it got."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                requests.append((self.command, self.path, headers, body))
                self.send_response(204)
                self.end_headers()

            do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names are given

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        thread.join()
        receiver.server.server_close()


def exchange(url: str, body: bytes, method: str = "POST", headers: Mapping[str, str] | None = None) -> Exchange:
    digest = hashlib.sha256(body).hexdigest()
    given = HEADERS if headers is None else headers
    return Exchange(method=method, url=url, request_headers=given, request_size=len(body), request_sha256=digest)


def write(home: Path, body: bytes, *exchanges: Exchange, media: str = "application/json") -> None:
    (home / "hooks.d").mkdir(exist_ok=True)
    created = replace(CREATED, body=store_body(media, body))
    attempts = [replace(ATTEMPT, number=place, exchange=one) for place, one in enumerate(exchanges, 1)]
    write_log(
        home / ".hooksd" / "log",
        [created, AttemptStarted(at=CREATED.at, delivery=DELIVERY, number=1, reason="first"), *attempts],
    )


def carried_out(script: str, home: Path, **variables: str) -> None:
    subprocess.run(
        ["/bin/sh", "-eu"], input=script.encode(), check=True, timeout=30, cwd=home, capture_output=True,
        env={"PATH": "/usr/bin:/bin", "no_proxy": "*", **variables},
    )  # fmt: skip


BODIES = {
    "json": b'{"order":7}',
    "quotes": b'it\'s "quoted" `id` $(id) $HOME \\ !',
    "lines": b"a\n\tb\r\n",
    "at": b"@/etc/passwd",
    "nul": b"a\x00b",
    "escapes": b"\x1b]0;evil\x07",
    "bytes": bytes(range(256)),
    "long": b"x" * (LONGEST + 1),
    "much": bytes(range(256)) * 8000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_what_it_prints_sends_the_same_bytes_again(
    hooksd: Command, home: Path, receiver: Receiver, body: bytes
) -> None:
    write_blob = len(body) > LONGEST
    write(home, body if not write_blob else b"1", exchange(f"{receiver.url}/in?a=1", body), media="text/plain")
    file = ["--body", "body file"] if write_blob else []
    if write_blob:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("hooksd.cli.curl.body_of", lambda *_: body)
            result = hooksd("curl", DELIVERY)
            named = hooksd("curl", DELIVERY, *file)
        carried_out(named.out, home)
        assert receiver.requests.pop()[3] == body
    else:
        result = hooksd("curl", DELIVERY)

    assert all(safe(line) == line.replace("\t", "\\x09") for line in result.out.splitlines())
    carried_out(result.out, home)

    ((method, path, headers, sent),) = receiver.requests
    assert (method, path, sent) == ("POST", "/in?a=1", body)
    assert {name: headers[name.lower()] for name in HEADERS} == HEADERS
    assert result.err == ""


def test_secrets_are_asked_for_and_never_printed(hooksd: Command, home: Path, receiver: Receiver) -> None:
    headers = {**HEADERS, "Authorization": "***", "X-Key": "Token ***; ***"}
    write(home, b"1", exchange(f"{receiver.url}/***/in", b"1", headers=headers))

    script = hooksd("curl", DELIVERY).out

    with pytest.raises(subprocess.CalledProcessError):
        carried_out(script, home)
    assert receiver.requests == []
    carried_out(
        script, home, SECRET_URL="hidden", SECRET_AUTHORIZATION="Bearer t", SECRET_X_KEY="a'b", SECRET_X_KEY_2="c"
    )
    ((_, path, got, _),) = receiver.requests
    assert (path, got["authorization"], got["x-key"]) == ("/hidden/in", "Bearer t", "Token a'b; c")


@pytest.mark.parametrize(
    ("method", "body", "headers"),
    [
        ("GET", b"", {}),
        ("PUT", b"1", HEADERS),
        ("POST", b"", {}),
        ("POST", b"1", {}),
        ("POST", b"1", {**HEADERS, "X-Empty": "", "X-Odd": "'; id #"}),
    ],
    ids=["get", "put", "no body", "no type", "odd headers"],
)
def test_methods_and_headers_are_those_of_the_attempt(
    hooksd: Command, home: Path, receiver: Receiver, method: str, body: bytes, headers: dict[str, str]
) -> None:
    write(home, body, exchange(f"{receiver.url}/[a]{{b}}", body, method, headers))

    carried_out(hooksd("curl", DELIVERY).out, home)

    ((did, path, got, sent),) = receiver.requests
    assert (did, path, sent) == (method, "/[a]{b}", body)
    assert got.get("content-type") == headers.get("Content-Type")
    assert all(got[name.lower()] == value for name, value in headers.items())


def test_a_hostile_receiver_or_definition_prints_no_escapes(hooksd: Command, home: Path) -> None:
    headers = {"X-A": "a\x1b[31m\u202eb"}
    write(home, b"", exchange("http://127.0.0.1:9/\u202e", b"", headers=headers))

    out = hooksd("curl", DELIVERY).out

    assert all(safe(line) == line for line in out.splitlines())


def test_the_last_attempt_is_repeated_or_the_one_that_is_named(hooksd: Command, home: Path) -> None:
    write(home, b"1", exchange("http://a.example/", b"1"), exchange("http://b.example/", b"1"))

    assert "http://b.example/" in hooksd("curl", DELIVERY).out
    assert "http://a.example/" in hooksd("curl", DELIVERY, "--attempt", "1").out
    missing = hooksd("curl", DELIVERY, "--attempt", "9")
    assert (missing.status, missing.out) == (64, "")
    assert "there is no attempt 9: there are 1, 2" in missing.err


def test_a_body_is_written_to_a_new_file_only(hooksd: Command, home: Path, receiver: Receiver) -> None:
    write(home, b"\x00body", exchange(f"{receiver.url}/", b"\x00body"), media="a/b")

    first = hooksd("curl", DELIVERY, "--body", "it's")
    again = hooksd("curl", DELIVERY, "--body", "it's")
    nowhere = hooksd("curl", DELIVERY, "--body", "no/where")

    carried_out(first.out, home)
    assert (home / "it's").read_bytes() == receiver.requests[0][3] == b"\x00body"
    assert (again.status, nowhere.status) == (64, 64)
    assert "is there already" in again.err


def test_it_says_what_will_not_be_as_it_was(hooksd: Command, home: Path) -> None:
    signed = exchange("http://a.example/", b"other", headers={**HEADERS, "Webhook-Signature": "v1,x"})
    write(home, b"1", signed)

    result = hooksd("curl", DELIVERY)

    assert result.status == 0
    assert "takes it for a few minutes only" in result.err
    assert "made something else of this body" in result.err


def test_what_was_never_sent_cannot_be_repeated(hooksd: Command, home: Path) -> None:
    gone = replace(CREATED, body=StoredBody(media="a/b", size=3, encoding="blob", content="sha256:00"))
    write_log(home / ".hooksd" / "log", [gone])
    assert "no request has been made" in hooksd("curl", DELIVERY).err

    ended = DeliveryEnded(at=CREATED.at, delivery=DELIVERY, endpoint="chat", status="exhausted", attempts=1)
    write_log(home / "other", [gone, replace(ATTEMPT, exchange=exchange("http://a.example/", b"abc")), ended])
    missing = hooksd("curl", DELIVERY, "--log-dir", "other")
    assert (missing.status, "not beside the log" in missing.err) == (1, True)


SECRETIVE = """
version = 1
on      = "manual"
run_as  = "teller"

[[steps]]
send      = "chat"
json.pin  = "{{ secrets.pin }}"

[endpoints.chat]
url = "http://127.0.0.1:9/"
"""
ROLES = 'version = 1\n[roles.teller]\nallow = ["send:chat"]\nsecrets = ["pin"]\n'
PIN = 'pin "0123'


@pytest.fixture
def secretive(home: Path) -> Path:
    """Definitions that put a secret into a payload."""
    (home / "hooks.d").mkdir()
    (home / "hooks.d" / "tell.toml").write_text(SECRETIVE)
    (home / "hooks.d" / "roles.toml").write_text(ROLES)
    (home / "credentials").mkdir()
    (home / "credentials" / "pin").write_text(PIN)
    (home / "hooksd.toml").write_text('credentials_dir = "credentials"')
    return home


def test_a_secret_in_a_payload_is_a_variable_too(hooksd: Command, secretive: Path, receiver: Receiver) -> None:
    body = b'{"pin":"pin \\"0123","a":"b"}'
    write(secretive, body, exchange(f"{receiver.url}/", body))

    script = hooksd("curl", DELIVERY)
    shown = hooksd("deliveries", "show", DELIVERY)

    assert (script.err, shown.err) == ("", "")
    assert "0123" not in script.out + shown.out
    assert '> {"pin":"***","a":"b"}' in shown.out.splitlines()
    carried_out(script.out, secretive, SECRET_BODY='pin \\"0123')
    assert receiver.requests[0][3] == body


def test_a_secret_among_bytes_is_written_to_a_file_only_its_owner_reads(hooksd: Command, secretive: Path) -> None:
    body = b"\x00" + PIN.encode()
    write(secretive, body, exchange("http://127.0.0.1:9/", body), media="a/b")

    refused = hooksd("curl", DELIVERY)
    written = hooksd("curl", DELIVERY, "--body", "body")

    assert (refused.status, refused.out) == (1, "")
    assert "write it to a file with --body FILE" in refused.err
    assert "0123" not in written.out
    assert (secretive / "body").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("missing", ["credentials/pin", "hooks.d/roles.toml"])
def test_where_secrets_cannot_be_read_that_is_said(hooksd: Command, secretive: Path, missing: str) -> None:
    write(secretive, b"1", exchange("http://127.0.0.1:9/", b"1"))
    (secretive / missing).unlink()

    for arguments in (["curl", DELIVERY], ["deliveries", "show", DELIVERY]):
        result = hooksd(*arguments)
        assert result.status == 0
        assert "secrets that a step put into a payload are shown" in result.err
