"""Talking to the daemon, and what is said when it does not answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from hooksd.cli.client import Client, TooLate, problem_text
from hooksd.config.settings import TcpAddress, UnixAddress
from hooksd.errors import Unreachable
from hooksd.model.secret import Secret
from tests.cli.conftest import FakeDaemon

SOCKET = UnixAddress(path=Path(".hooksd/state/admin.sock"))


def test_a_question_and_its_answer(daemon: FakeDaemon) -> None:
    daemon.says("POST /api/v1/reload", 409, {"state": "HELD"})

    answer = Client(SOCKET).post("/api/v1/reload", {"accept": "abc"}, patience=5)

    assert (answer.status, answer.ok, answer.data) == (409, False, {"state": "HELD"})
    assert daemon.asked == [("POST /api/v1/reload", {"accept": "abc"})]


def test_an_answer_that_is_not_json_is_shown_as_text(daemon: FakeDaemon) -> None:
    daemon.says("GET /x", 500, b"<html>\xff")

    assert Client(SOCKET).get("/x").data == {"title": "<html>\ufffd"}


def test_nobody_there(home: Path) -> None:
    with pytest.raises(Unreachable, match=r"no daemon answers on unix:\.hooksd/state/admin\.sock \(no such file"):
        Client(SOCKET).get("/x")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_daemon_that_does_not_answer_in_time_is_there_but_late(listener: socket.socket) -> None:
    address = TcpAddress(host="127.0.0.1", port=listener.getsockname()[1])

    with pytest.raises(TooLate, match=r"did not answer within 0\.2 s") as error:
        Client(address).post("/x", None, patience=0.2)

    assert error.value.exit_status == 75


def test_the_token_is_sent_over_tcp_only(listener: socket.socket) -> None:
    address = TcpAddress(host="127.0.0.1", port=listener.getsockname()[1])
    with pytest.raises(TooLate):
        Client(address, Secret(b"open sesame")).post("/x", None, patience=0.2)

    peer, _ = listener.accept()
    with peer:
        assert b"authorization: Bearer open sesame\r\n" in peer.recv(4096)
    assert Client(SOCKET, Secret(b"open sesame"))._token is None


def test_a_daemon_that_hangs_up_is_told(listener: socket.socket) -> None:
    def hang_up() -> None:
        listener.accept()[0].close()

    thread = Thread(target=hang_up)
    thread.start()
    with pytest.raises(Unreachable, match="hung up"):
        Client(TcpAddress(host="127.0.0.1", port=listener.getsockname()[1])).get("/x")
    thread.join()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"title": "Not Found", "detail": "there is no workflow"}, "there is no workflow"),
        ({"title": "Not Found"}, "Not Found"),
        (["\x1b"], r"['\x1b']"),
    ],
    ids=["detail", "title", "nonsense"],
)
def test_a_problem_is_one_line(data: object, text: str) -> None:
    assert problem_text(data) == text
