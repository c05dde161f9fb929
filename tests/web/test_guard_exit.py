from __future__ import annotations

from hooksd.web.guard_exit import Exit
from tests.web.wire import Wire


def test_answers_reach_the_transport_and_closing_does_not() -> None:
    wire, closed = Wire("192.0.2.7"), []
    exit_ = Exit(wire, lambda: closed.append(True))

    exit_.write(b"answer")
    exit_.close()

    assert wire.written == b"answer"
    assert closed == [True]
    assert not wire.closed
    assert not exit_.is_closing()


def test_after_leaving_nothing_arrives() -> None:
    wire, closed = Wire("192.0.2.7"), []
    exit_ = Exit(wire, lambda: closed.append(True))
    exit_.leave()

    exit_.write(b"answer")
    exit_.close()

    assert exit_.is_closing()
    assert wire.written == b""
    assert closed == []
