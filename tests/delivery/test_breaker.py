from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hooksd.delivery.breaker import CLOSED, CONSECUTIVE, FIRST_REST, LONGEST_REST, WINDOW, Breaker, allows, begun, ended

NOW = 1_795_305_600.0


def after(*results: bool, breaker: Breaker = CLOSED, now: float = NOW) -> Breaker:
    for result in results:
        breaker = ended(begun(breaker), now, is_good=result)
    return breaker


def test_ten_failures_in_a_row_open_it() -> None:
    assert not after(*[False] * (CONSECUTIVE - 1)).is_open
    breaker = after(*[False] * CONSECUTIVE)

    assert breaker.is_open
    assert not allows(breaker, NOW + FIRST_REST - 1)
    assert allows(breaker, NOW + FIRST_REST)


def test_half_of_at_least_twenty_within_a_minute_open_it() -> None:
    assert not after(*[True, False] * 9, True).is_open
    assert after(*[True, False] * 10).is_open
    assert not after(*[True, True, False] * 20).is_open


def test_failures_of_an_earlier_minute_do_not_count() -> None:
    early = after(*[True, False] * 9)

    assert not after(True, False, breaker=early, now=NOW + 2 * WINDOW).is_open


def test_one_probe_at_a_time_closes_it_or_makes_it_rest_longer() -> None:
    breaker = after(*[False] * CONSECUTIVE)
    now = NOW + FIRST_REST
    probing = begun(breaker)

    assert allows(breaker, now)
    assert not allows(probing, now)
    assert ended(probing, now, is_good=True) == CLOSED
    again = ended(probing, now, is_good=False)
    assert (again.until, again.is_probing) == (now + 2 * FIRST_REST, False)


def test_it_rests_at_most_five_minutes() -> None:
    breaker = after(*[False] * (CONSECUTIVE + 20))

    assert breaker.until == NOW + LONGEST_REST


def test_attempts_that_began_before_it_opened_make_it_rest_no_longer() -> None:
    breaker = after(*[False] * CONSECUTIVE)

    assert ended(breaker, NOW + 1, is_good=False) == breaker
    assert ended(breaker, NOW + 1, is_good=True) == CLOSED


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100))))
def test_it_always_lets_somebody_through_again(happenings: list[tuple[bool, float]]) -> None:
    breaker, now = CLOSED, NOW
    for is_good, seconds in happenings:
        now += seconds
        if allows(breaker, now):
            breaker = ended(begun(breaker), now, is_good=is_good)

    assert allows(breaker, now + LONGEST_REST)
    assert len(breaker.counts) <= 7
