"""Callers who hold connections and never finish: slow headers, slow bodies, answers that nobody reads.

The long part opens 5,000 connections for half a minute; the test raises its own limit of file descriptors.
"""

from __future__ import annotations

import contextlib
import resource
import selectors
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.battery import IS_LONG
from tests.end_to_end.daemon import Daemon, records
from tests.hostile.siege import SECONDS, connect, said, siege, size, start, statuses

LINE = b"POST /hooks/honest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
HEADS = {
    "headers": LINE + b"X-A: ",
    "body": LINE + b"Content-Length: 99999\r\n\r\n{",
    "nothing": b"",
}
STRANGERS = tuple(f"127.0.0.{number}" for number in range(2, 42))


@pytest.fixture(autouse=True)
def _descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Loris:
    """Many connections that are kept open with a byte a second, and opened again when they are closed."""

    def __init__(self, port: int, addresses: tuple[str, ...], head: bytes, count: int) -> None:
        self.port = port
        self.addresses = addresses
        self.head = head
        self.doors = selectors.DefaultSelector()
        self.opened = self.closed = 0
        self.count = count

    def hold(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.monotonic()
            for _ in range(min(500, self.count - len(self.doors.get_map()))):
                self._open()
            for key, _ in self.doors.select(0.05):
                self._look(key.fileobj)
            for key in list(self.doors.get_map().values()):
                self._drip(key.fileobj)
            time.sleep(max(0.0, min(0.5, 0.5 - (time.monotonic() - began))))

    def end(self) -> None:
        for key in list(self.doors.get_map().values()):
            self._close(key.fileobj)
        self.doors.close()

    def _open(self) -> None:
        door = socket.socket()
        door.setblocking(False)
        door.bind((self.addresses[self.opened % len(self.addresses)], 0))
        with contextlib.suppress(BlockingIOError):
            door.connect(("127.0.0.1", self.port))
        self.opened += 1
        self.doors.register(door, selectors.EVENT_READ, [self.head])

    def _look(self, door: object) -> None:
        assert isinstance(door, socket.socket)
        try:
            data = door.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(door)

    def _drip(self, door: object) -> None:
        assert isinstance(door, socket.socket)
        waiting = self.doors.get_key(door).data
        try:
            door.send((waiting[0] or b"a") if waiting else b"a")
            waiting.clear()
        except BlockingIOError:
            return
        except OSError:
            self._close(door)

    def _close(self, door: object) -> None:
        assert isinstance(door, socket.socket)
        self.doors.unregister(door)
        door.close()
        self.closed += 1


@pytest.mark.parametrize(
    ("addresses", "what"),
    [
        pytest.param(addresses, what, id=f"{name}-{what}")
        for name, addresses in {"one": STRANGERS[:1], "forty": STRANGERS, "proxied": ("127.0.0.1",)}.items()
        for what in (HEADS if IS_LONG or name == "forty" else ["headers"])
    ],
)
@pytest.mark.timeout(600)
def test_callers_who_never_finish_keep_nobody_else_waiting(
    daemon: Daemon, addresses: tuple[str, ...], what: str
) -> None:
    start(daemon)
    loris = Loris(daemon.port, addresses, HEADS[what], size(5000, 700))

    with siege(daemon) as outcome:
        loris.hold(SECONDS * 2)
    loris.end()

    outcome[0].check(f"slow {what} from {len(addresses)} {addresses[0]}, opened {loris.opened}, closed {loris.closed}")
    assert loris.opened >= size(5000, 700)
    assert daemon.stop() == 0


@pytest.mark.timeout(600)
def test_callers_who_never_read_are_cut_off(daemon: Daemon) -> None:
    start(daemon, write_timeout="1s", idle_timeout="1s")
    assert daemon.process is not None
    pid = daemon.process.pid
    before = sockets(pid)

    with siege(daemon) as outcome:
        doors = [never_reading(daemon.port) for _ in range(size(200, 20))]
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            for door in doors:
                send_what_goes(door)
            time.sleep(0.01)

    outcome[0].check(f"never reading x {len(doors)}")
    deadline = time.monotonic() + 30
    while sockets(pid) > before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert sockets(pid) <= before
    for door in doors:
        door.close()
    assert daemon.stop() == 0


def sockets(pid: int) -> int:
    """Return how many sockets a process has open."""
    found = 0
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += descriptor.readlink().name.startswith("socket:")
    return found


def never_reading(port: int) -> socket.socket:
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    door.bind(("127.0.0.2", 0))
    door.connect(("127.0.0.1", port))
    door.setblocking(False)
    return door


def send_what_goes(door: socket.socket) -> None:
    with contextlib.suppress(OSError):
        door.send(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 10)


@pytest.mark.parametrize("what", list(HEADS))
def test_the_end_does_not_wait_for_those_who_never_finish(daemon: Daemon, what: str) -> None:
    start(daemon)
    doors = [connect(daemon.port) for _ in range(50)]
    for door in doors:
        door.sendall(HEADS[what])

    began = time.monotonic()
    assert daemon.stop() == 0

    assert time.monotonic() - began < 18
    assert "Traceback" not in daemon.stderr
    for door in doors:
        door.close()


def test_the_end_answers_what_was_asked(daemon: Daemon) -> None:
    daemon.write(
        {
            "slow.toml": """
                version = 1
                on      = "webhook:slow"

                [webhooks.slow]
                auth.type = "none"
                answer    = "wait:20s"

                [[steps]]
                sleep = "1s"

                [[steps]]
                respond = { well = "rested" }
                """
        }
    )
    start(daemon)
    with connect(daemon.port) as door:
        door.sendall(b"POST /hooks/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        deadline = time.monotonic() + 30
        while not any(record["type"] == "event.accepted" for record in records(daemon.log_dir)):
            assert time.monotonic() < deadline, "the request was not accepted"
            time.sleep(0.02)
        assert daemon.stop() == 0
        answer = said(door)

    assert statuses(answer) in ([200], [202])
    assert "Traceback" not in daemon.stderr
