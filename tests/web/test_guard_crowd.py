"""Who may come in, and who must go for them."""

from __future__ import annotations

import asyncio

from hooksd.web.guard_crowd import SWEEP_SECONDS, Crowd
from hooksd.web.guard_limits import GuardReason, Limits


class Guest:
    """A connection that remembers what was asked of it."""

    def __init__(self, address: str = "127.0.0.1", *, since: float = 0.0, rank: int | None = 0) -> None:
        self.address = address
        self.since = since
        self.rank = rank
        self.checked: list[float] = []
        self.dismissed = False

    def standing(self) -> int | None:
        return self.rank

    def check(self, now: float) -> None:
        self.checked.append(now)

    def dismiss(self) -> None:
        self.dismissed = True


def nobody(*, webhook: str | None, reason: GuardReason, status: int, peer: str) -> None:
    raise AssertionError(webhook, reason, status, peer)


def test_the_one_that_has_waited_longest_goes_first_and_one_in_the_middle_of_a_body_last() -> None:
    crowd = Crowd(Limits(connections=3), nobody)
    sending, early, late = Guest(since=1, rank=1), Guest(since=2), Guest(since=3)
    assert all(crowd.enter(guest) for guest in (sending, early, late))

    gone = []
    for _ in range(3):
        assert crowd.enter(Guest(since=9, rank=None))
        gone.append([guest.dismissed for guest in (sending, early, late)])

    assert gone == [[False, True, False], [False, True, True], [True, True, True]]
    assert not crowd.enter(Guest())
    assert len(crowd) == 3


def test_those_who_fill_a_listener_with_slow_bodies_push_out_their_own_and_nobody_who_has_just_come() -> None:
    crowd = Crowd(Limits(connections=5), nobody)
    slow = [Guest(since=number, rank=1) for number in range(3)]
    idle, fresh = Guest(since=4), Guest(since=5)
    assert all(crowd.enter(guest) for guest in (*slow, idle, fresh))

    assert crowd.enter(Guest(since=6))

    assert [guest.dismissed for guest in (*slow, idle, fresh)] == [True, False, False, False, False]


def test_room_is_made_for_several_at_once() -> None:
    crowd = Crowd(Limits(connections=160), nobody)
    guests = [Guest(since=number) for number in range(160)]
    for guest in guests:
        crowd.enter(guest)

    assert crowd.enter(Guest(since=999))

    assert [guest.dismissed for guest in guests] == [True] * 10 + [False] * 150
    assert len(crowd) == 151


def test_an_address_is_forgotten_with_its_last_connection() -> None:
    crowd = Crowd(Limits(connections_per_address=1), nobody)
    first, second = Guest("192.0.2.1"), Guest("192.0.2.1")

    assert crowd.enter(first)
    assert not crowd.enter(second)
    crowd.leave(second)
    crowd.leave(first)
    crowd.leave(first)

    assert crowd.enter(second)


def test_callers_behind_a_proxy_on_this_machine_are_not_one_caller() -> None:
    crowd = Crowd(Limits(connections_per_address=1), nobody)

    assert all(crowd.enter(Guest(address)) for address in ("127.0.0.1", "127.0.0.1", "::1", "::1", "", ""))


async def test_all_look_at_the_time_again_and_again() -> None:
    crowd = Crowd(Limits(), nobody)
    guest = Guest()
    crowd.enter(guest)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        sweeping = group.create_task(crowd.run())
        while len(guest.checked) < 2:
            await asyncio.sleep(SWEEP_SECONDS)
        sweeping.cancel()

    assert guest.checked == sorted(guest.checked)
