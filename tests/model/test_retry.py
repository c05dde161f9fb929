from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.model.retry import JITTER, SCHEDULES, Retry, RetryRule, ScheduleName, longest_wait, wait_after


def waits(rule: RetryRule) -> list[float]:
    found = (wait_after(rule, attempt, 0.0) for attempt in itertools.count(1))
    return [wait for wait in itertools.takewhile(lambda wait: wait is not None, found) if wait is not None]


def test_the_standard_schedule_makes_twelve_attempts_in_75_hours() -> None:
    assert len(waits("standard")) == 11
    assert 75 <= sum(waits("standard")) / 3600 < 76


def test_none_never_tries_again() -> None:
    assert waits("none") == []


def test_a_retry_waits_longer_each_time_up_to_its_limit() -> None:
    rule = Retry.model_validate({"max": 5, "delay": "2s", "factor": 3, "max_delay": "10s"})

    assert waits(rule) == [2, 6, 10, 10]


def test_one_attempt_is_not_repeated() -> None:
    assert waits(Retry(max=1)) == []


@given(st.integers(1, 100), st.floats(0, 1), st.sampled_from([*SCHEDULES, Retry(max=100, factor=10)]))
def test_jitter_only_adds_and_at_most_its_share(attempt: int, jitter: float, rule: RetryRule) -> None:
    plain = wait_after(rule, attempt, 0.0)
    spread = wait_after(rule, attempt, jitter)

    assert (plain is None) is (spread is None)
    if plain is not None and spread is not None:
        assert plain <= spread <= plain * (1 + JITTER) + 1e-9


@pytest.mark.parametrize("name", SCHEDULES)
def test_waits_of_a_schedule_never_get_shorter(name: ScheduleName) -> None:
    assert waits(name) == sorted(waits(name))


@given(st.integers(1, 100), st.sampled_from([*SCHEDULES, Retry(max=100, factor=10, max_delay="7s")]))
def test_no_wait_is_longer_than_the_longest(attempt: int, rule: RetryRule) -> None:
    assert (wait_after(rule, attempt, 0.0) or 0.0) <= longest_wait(rule)
