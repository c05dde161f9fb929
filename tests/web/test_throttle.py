from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hooksd.model.rate import Rate
from hooksd.testing import FakeClock
from hooksd.web.throttle import MOST_ADDRESSES, Throttle, network_of

ALL = (Rate(count=3, seconds=60),)
EACH = (Rate(count=1, seconds=10, per_address=True),)


async def test_so_many_may_call_at_once_and_then_one_for_each_share_of_the_time() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)

    waits = [throttle.wait("shop", ALL, "192.0.2.1", per_address=False) for _ in range(4)]
    await clock.advance(20)

    assert waits == [0, 0, 0, 20]
    assert throttle.wait("shop", ALL, "192.0.2.1", per_address=False) == 0
    assert throttle.wait("shop", ALL, "192.0.2.1", per_address=False) == 20


async def test_who_waits_as_long_as_it_was_told_is_let_in() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    rates = (Rate(count=7, seconds=10),)
    while not (wait := throttle.wait("shop", rates, "x", per_address=False)):
        pass

    await clock.advance(wait)

    assert throttle.wait("shop", rates, "x", per_address=False) == 0


def test_each_address_has_a_rate_for_itself() -> None:
    throttle = Throttle(FakeClock())

    assert throttle.wait("shop", EACH, "192.0.2.1", per_address=True) == 0
    assert throttle.wait("shop", EACH, "192.0.2.2", per_address=True) == 0
    assert throttle.wait("shop", EACH, "192.0.2.1", per_address=True) == 10


def test_webhooks_do_not_share_a_rate() -> None:
    throttle = Throttle(FakeClock())
    for _ in range(3):
        throttle.wait("shop", ALL, "x", per_address=False)

    assert throttle.wait("bank", ALL, "x", per_address=False) == 0
    assert throttle.wait("shop", ALL, "x", per_address=False) > 0


def test_of_several_rates_all_hold() -> None:
    throttle = Throttle(FakeClock())
    rates = (Rate(count=5, seconds=1), Rate(count=1, seconds=100))

    assert throttle.wait("shop", rates, "x", per_address=False) == 0
    assert throttle.wait("shop", rates, "x", per_address=False) == 100


def test_only_the_rates_that_were_asked_for_count() -> None:
    throttle = Throttle(FakeClock())

    assert [throttle.wait("shop", EACH, "x", per_address=False) for _ in range(3)] == [0, 0, 0]


def test_addresses_that_came_long_ago_are_forgotten_when_there_are_too_many() -> None:
    throttle = Throttle(FakeClock())
    for number in range(MOST_ADDRESSES + 1):
        throttle.wait("shop", EACH, f"host-{number}", per_address=True)

    assert throttle.wait("shop", EACH, f"host-{MOST_ADDRESSES}", per_address=True) > 0
    assert throttle.wait("shop", EACH, "host-0", per_address=True) == 0


def test_a_rate_that_a_webhook_has_no_more_is_forgotten() -> None:
    throttle = Throttle(FakeClock())
    for _ in range(3):
        throttle.wait("shop", ALL, "x", per_address=False)

    throttle.wait("shop", (Rate(count=9, seconds=1),), "x", per_address=False)

    assert throttle.wait("shop", ALL, "x", per_address=False) == 0


def test_one_caller_is_an_ipv4_address_or_half_an_ipv6_address() -> None:
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") == "2001:db8::/64"
    assert network_of("unix") == "unix"


@given(st.integers(1, 20), st.floats(0.5, 100), st.lists(st.floats(0, 50), max_size=60))
async def test_never_more_than_the_rate_and_one_burst_is_let_in(count: int, seconds: float, gaps: list[float]) -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    rates = (Rate(count=count, seconds=seconds),)
    let_in = 0
    for gap in gaps:
        await clock.advance(gap)
        let_in += throttle.wait("shop", rates, "x", per_address=False) == 0

    assert let_in <= count + clock.monotonic() * count / seconds + 1e-6
