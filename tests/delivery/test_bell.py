from __future__ import annotations

from hooksd.delivery.bell import NAP, Bell
from hooksd.testing import FakeClock


class Listener:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.heard: list[float] = []
        self.bell = Bell(self.clock, lambda: self.heard.append(self.clock.monotonic()))

    def at(self, seconds: float) -> float:
        return self.clock.now() + seconds


async def test_it_rings_once_when_the_time_has_come() -> None:
    one = Listener()

    one.bell.set(one.at(5))
    await one.clock.advance(100)

    assert (one.heard, one.bell.due) == ([5.0], None)


async def test_what_is_set_last_counts_alone() -> None:
    one = Listener()

    one.bell.set(one.at(9))
    one.bell.set(one.at(3))
    await one.clock.advance(100)
    one.bell.set(one.at(3))
    one.bell.set(None)
    await one.clock.advance(100)

    assert one.heard == [3.0]


async def test_who_sets_it_to_the_same_time_again_changes_nothing() -> None:
    one = Listener()
    due = one.at(5)

    one.bell.set(due)
    one.bell.set(due)

    assert one.clock.sleeping == 1


async def test_it_rings_after_a_minute_at_the_latest_because_the_time_may_be_set() -> None:
    one = Listener()

    one.bell.set(one.at(86_400))
    await one.clock.advance(NAP)

    assert one.heard == [NAP]
