from __future__ import annotations

from hooksd.delivery.transport_wire import Wire
from hooksd.testing import FakeClock


async def test_a_second_connection_begins_without_what_the_first_one_left() -> None:
    clock = FakeClock()
    wire = Wire(clock.monotonic, 100, 60)
    await clock.advance(1)
    wire.reached.update(dict.fromkeys(("dns", "connect", "tls", "request"), wire.now()))
    wire.peer = "127.0.0.1:80"

    wire.restart()

    assert wire.reached == {}
    assert not wire.peer
    assert (wire.began, wire.now(), wire.keeps) == (0.0, 1.0, 100)


async def test_it_tells_how_much_of_its_time_is_left() -> None:
    clock = FakeClock()
    wire = Wire(clock.monotonic, 100, 60)

    await clock.advance(59)
    assert wire.left == 1
    await clock.advance(59)
    assert wire.left == 0
