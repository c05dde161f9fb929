"""What tests of commands share: a command line without a process, definitions, a log, and a daemon that obeys."""

from __future__ import annotations

import asyncio
import os
import pty
import socketserver
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest

from hooksd.cli.main import main
from hooksd.journal.file import FileJournal
from hooksd.model.record import (
    AttemptEnded,
    AttemptStarted,
    DeliveryCreated,
    DeliveryEnded,
    EventAccepted,
    Exchange,
    NotStarted,
    Origin,
    Record,
    RequestRefused,
    RunEnded,
    RunPlan,
    RunStarted,
    StepEnded,
    StepStarted,
)
from hooksd.model.stored import StoredBody, StoredCause, StoredEvent

AT = "2026-11-22T04:00:00.000Z"
EVENT = "evt_01a20177-423b-7893-b564-e2d45adda24d"
EMITTED = "evt_01a20177-4241-7206-9903-1341f4d2e81a"
RUN = "run_01a20177-423d-75ca-9cff-61ba77738d15"
OTHER_RUN = "run_01a20177-4242-78db-ae18-4690db2a9a5a"
DELIVERY = "dlv_01a20177-4243-7000-8000-000000000001"
ORIGIN = Origin(file="deploy.toml", line=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command left behind."""

    status: int
    out: str
    err: str

    def objects(self) -> list[Any]:
        return [orjson.loads(line) for line in self.out.splitlines()]


Command = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory, and no setting in the environment."""
    for name in [name for name in os.environ if name.startswith("HOOKSD_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def hooksd(home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command as `hooksd ARGUMENTS` does, in `home`."""

    def run(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        return Result(status=int(ended.value.code or 0), out=out, err=err)

    return run


Terminal = Callable[..., list[str]]


@pytest.fixture
def terminal(home: Path) -> Terminal:
    """Run a command in `home` on a terminal of some columns, and return what it showed, line by line."""

    def run(*arguments: str, columns: int = 80, **environment: str) -> list[str]:
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, columns))
        known = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES", "NO_COLOR")}
        done = subprocess.Popen(
            [sys.executable, "-m", "hooksd", *arguments],
            cwd=home,
            env={**known, **environment},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        try:
            shown = b"".join(_until_hung_up(ours))
        finally:
            done.kill()
            done.wait()
            os.close(ours)
        return shown.decode().replace("\r\n", "\n").splitlines()

    return run


def _until_hung_up(descriptor: int) -> Iterator[bytes]:
    """Yield what comes until nobody writes any more, which Linux tells of as an error."""
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:
            return
        if not part:
            return
        yield part


Write = Callable[..., Path]


@pytest.fixture
def write(home: Path) -> Write:
    """Write a file of definitions."""

    def file(name: str, text: str) -> Path:
        path = home / "hooks.d" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return file


def event_of(
    identifier: str, kind: str, *, webhook: str | None = "github", cause: StoredCause | None = None
) -> StoredEvent:
    return StoredEvent(
        id=identifier,
        type=kind,
        source=f"webhook/{webhook}" if webhook else "workflow/deploy",
        subject=None,
        time=AT,
        trust="signed",
        hop=0,
        cause=cause,
        webhook=webhook,
        delivery_id=None,
        headers={},
        query={},
        body=StoredBody(media="application/json", size=2, encoding="json", content={}),
    )


def plan(identifier: str, workflow: str) -> RunPlan:
    return RunPlan(id=identifier, workflow=workflow, definition="sha256:0", origin=ORIGIN, concurrency=None)


EXCHANGE = Exchange(
    method="POST",
    url="https://chat.example/\x1b[31mhook",
    request_headers={},
    request_size=2,
    request_sha256="0",
    status=503,
    total_ms=12.0,
)

STORY: tuple[Record, ...] = (
    EventAccepted(
        at=AT,
        revision="abc",
        event=event_of(EVENT, "github.push"),
        origin=ORIGIN,
        runs=(plan(RUN, "deploy"),),
        not_started=(
            NotStarted(
                workflow="release",
                reason="condition_false",
                detail="",
                condition="body.ref == 'refs/tags/v1'",
                values={"body.ref": "refs/heads/\x1b]0;evil\x07main"},
            ),
        ),
    ),
    RunStarted(at=AT, run=RUN, workflow="deploy", revision="abc"),
    StepStarted(at=AT, run=RUN, step="build", attempt=1),
    StepEnded(
        at=AT, run=RUN, step="build", verb="run", status="failed", attempts=1, ms=350.0, code=3, error="exit status 3"
    ),
    EventAccepted(
        at=AT,
        revision="abc",
        event=event_of(
            EMITTED, "deploy.failed", webhook=None, cause=StoredCause(event=EVENT, run=RUN, step="on_failure[0]")
        ),
        origin=None,
        runs=(plan(OTHER_RUN, "alert"),),
    ),
    DeliveryCreated(
        at=AT,
        delivery=DELIVERY,
        endpoint="chat",
        event=EVENT,
        run=RUN,
        step="on_failure[1]",
        revision="abc",
        headers={},
        query={},
        body=StoredBody(media="application/json", size=2, encoding="json", content={}),
    ),
    AttemptStarted(at=AT, delivery=DELIVERY, number=1, reason="first"),
    AttemptEnded(
        at=AT,
        delivery=DELIVERY,
        endpoint="chat",
        number=1,
        reason="first",
        outcome="http_5xx",
        exchange=EXCHANGE,
        revision="abc",
        origin=ORIGIN,
        error="503 Service Unavailable",
    ),
    DeliveryEnded(at=AT, delivery=DELIVERY, endpoint="chat", status="exhausted", attempts=1, error="503"),
    RunEnded(
        at=AT,
        run=RUN,
        workflow="deploy",
        event=EVENT,
        status="failed",
        ms=400.0,
        revision="abc",
        origin=ORIGIN,
        step="build",
        error="exit status 3",
    ),
    RunStarted(at=AT, run=OTHER_RUN, workflow="alert", revision="abc"),
    RunEnded(
        at=AT,
        run=OTHER_RUN,
        workflow="alert",
        event=EMITTED,
        status="succeeded",
        ms=1.0,
        revision="abc",
        origin=ORIGIN,
    ),
    RequestRefused(at=AT, webhook="github", reason="bad_signature", status=401, peer="192.0.2.7", count=3),
)
"""A push whose deploy failed, with what came of it."""


def write_log(directory: Path, records: Sequence[Record]) -> None:
    async def go() -> None:
        journal = FileJournal(directory, sync=False)
        journal.open()
        list(journal.read())
        for record in records:
            await journal.append([record])
        await journal.close()

    asyncio.run(go())


@pytest.fixture
def log(home: Path) -> Path:
    """The log of `STORY`."""
    directory = home / ".hooksd" / "log"
    write_log(directory, STORY)
    return directory


@dataclass(slots=True, kw_only=True)
class FakeDaemon:
    """Answers on the admin socket as it is told, and remembers what it was asked."""

    answers: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def says(self, request: str, status: int, data: Any) -> None:
        """Answer a request like `GET /api/v1/status`; told several times, in that order, the last one for ever.

        A function makes an answer of what it was sent.
        """
        self.answers.setdefault(request, []).append((status, data))

    def answer(self, request: str, body: bytes) -> tuple[int, Any]:
        self.asked.append((request, _content(body)))
        waiting = self.answers.get(request, [(404, {"title": "Not Found", "detail": f"nothing at {request}"})])
        status, data = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return status, data(_content(body)) if callable(data) else data


def _content(body: bytes) -> Any:
    """What was sent: JSON, or text."""
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return body.decode()


@pytest.fixture
def daemon(home: Path) -> Iterator[FakeDaemon]:
    """A daemon on the default admin socket of `home`."""
    fake = FakeDaemon()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            status, data = fake.answer(f"{self.command} {self.path}", body)
            text = data if isinstance(data, bytes) else orjson.dumps(data)
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the names are given

        def address_string(self) -> str:
            return "unix"

        def log_message(self, *_: Any) -> None:
            pass

    state = home / ".hooksd" / "state"
    state.mkdir(parents=True)
    server = socketserver.ThreadingUnixStreamServer(str(state / "admin.sock"), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
