"""What was read in one turn of the event loop is heard together, in order, and nothing of it is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hooksd.web.guard_turn import MOST, SMALL, Turn
from tests.web.wire import House, get, post, settle


class Heard:
    """A connection that notes what it hears."""

    def __init__(self, name: str, story: list[str]) -> None:
        self.name = name
        self.story = story

    def hear(self, data: bytes) -> None:
        if data == b"bug":
            raise ValueError("a bug")
        self.story.append(f"{self.name} heard {len(data)}")

    def dismiss(self) -> None:
        self.story.append(f"{self.name} was closed")


@pytest.fixture
def story() -> list[str]:
    return []


async def test_all_that_is_read_in_a_turn_is_heard_at_its_end_in_order(story: list[str]) -> None:
    turn, one, two = Turn(), Heard("one", story), Heard("two", story)
    for hearer, data in ((one, b"a"), (two, b"ab"), (one, b"abc")):
        turn.put(hearer, data)
    before = list(story)

    await asyncio.sleep(0)

    assert before == []
    assert story == ["one heard 1", "two heard 2", "one heard 3"]


async def test_a_large_piece_does_not_wait_and_overtakes_nothing(story: list[str]) -> None:
    turn = Turn()
    turn.put(Heard("one", story), b"a")

    turn.put(Heard("two", story), bytes(SMALL + 1))

    assert story == ["one heard 1", f"two heard {SMALL + 1}"]


async def test_so_many_pieces_wait_and_no_more(story: list[str]) -> None:
    turn = Turn()
    for _ in range(MOST + 1):
        turn.put(Heard("one", story), b"a")
    heard = len(story)

    await asyncio.sleep(0)

    assert heard == MOST
    assert len(story) == MOST + 1


async def test_an_error_at_one_connection_closes_it_and_no_other(story: list[str]) -> None:
    turn, told = Turn(), list[Any]()
    asyncio.get_running_loop().set_exception_handler(lambda _, about: told.append(about["exception"]))
    turn.put(Heard("one", story), b"bug")
    turn.put(Heard("two", story), b"a")

    await asyncio.sleep(0)

    assert story == ["one was closed", "two heard 1"]
    assert [str(error) for error in told] == ["a bug"]


async def test_what_was_sent_before_the_end_is_heard_before_it() -> None:
    house = House()
    connection = house.connect()
    connection.protocol.data_received(get())

    connection.protocol.eof_received()
    await settle()

    assert connection.statuses == [200]


async def test_who_is_refused_is_not_heard_any_more_in_the_same_turn() -> None:
    house = House()
    connection = house.connect()
    connection.protocol.data_received(b"no request\r\n\r\n")
    connection.protocol.data_received(post(b"{}"))

    await settle()

    assert connection.statuses == [400]
    assert house.app.asked == []
