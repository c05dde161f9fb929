from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.delivery.policy import (
    MAX_RETRY_AFTER,
    Over,
    TryAgain,
    next_step,
    outcome_of,
    patience,
    rule_from_json,
    rule_to_json,
)
from hooksd.model.record import Outcome
from hooksd.model.retry import JITTER, SCHEDULES, Retry, RetryRule

NOW = 1_795_305_600.0  # 2026-11-22T00:00:00Z, a Sunday

RULES = st.one_of(
    st.sampled_from(("none", "quick", "standard", "week")),
    st.builds(
        Retry.model_construct,
        max=st.integers(1, 100),
        delay=st.integers(0, 10**6).map(lambda n: n / 1000),
        factor=st.floats(1, 10),
        max_delay=st.integers(0, 10**8).map(lambda n: n / 1000),
    ),
)


def follows(
    outcome: Outcome,
    status: int | None = None,
    *,
    rule: RetryRule = "standard",
    attempt: int = 1,
    wait: float | None = None,
) -> Over | TryAgain:
    return next_step(outcome=outcome, status=status, rule=rule, attempt=attempt, jitter=0.0, patience=wait)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "ok"),
        (204, "ok"),
        (301, "redirect"),
        (304, "redirect"),
        (404, "http_4xx"),
        (410, "gone"),
        (503, "http_5xx"),
        (101, "protocol"),
        (700, "protocol"),
    ],
)
def test_an_answer_belongs_to_a_class(status: int, outcome: Outcome) -> None:
    assert outcome_of(status) == outcome


def test_a_success_ends_the_delivery() -> None:
    assert follows("ok", 204) == Over(status="delivered")


def test_410_ends_the_delivery_at_once() -> None:
    assert follows("http_4xx", 410) == Over(status="gone")


@pytest.mark.parametrize("outcome", ["http_4xx", "http_5xx", "redirect", "timeout_total", "dns", "tls", "config"])
def test_everything_else_is_tried_again(outcome: Outcome) -> None:
    assert follows(outcome, 404) == TryAgain(wait=2.0)


def test_the_last_attempt_of_a_schedule_ends_it() -> None:
    assert follows("http_5xx", 500, attempt=12) == Over(status="exhausted")
    assert follows("dns", rule="none") == Over(status="exhausted")


def test_a_receivers_wish_makes_the_wait_longer_and_never_shorter() -> None:
    assert follows("http_5xx", 503, wait=90) == TryAgain(wait=90, why="receiver")
    assert follows("http_5xx", 503, attempt=4, wait=90) == TryAgain(wait=300)


def test_a_receivers_wish_does_not_make_a_schedule_longer() -> None:
    assert follows("http_5xx", 503, attempt=12, wait=90) == Over(status="exhausted")


@given(
    RULES,
    st.integers(1, 120),
    st.floats(0, 1),
    st.none() | st.floats(0, MAX_RETRY_AFTER),
    st.sampled_from((None, 404, 500)),
)
def test_a_wait_is_the_rules_with_at_most_the_jitter_added_or_what_the_receiver_asked_for(
    rule: RetryRule, attempt: int, jitter: float, asked: float | None, status: int | None
) -> None:
    following = next_step(outcome="http_5xx", status=status, rule=rule, attempt=attempt, jitter=jitter, patience=asked)

    longest = max(SCHEDULES["week"]) if isinstance(rule, str) else rule.max_delay
    if isinstance(following, TryAgain):
        assert 0 <= following.wait <= max(longest * (1 + JITTER), asked or 0)
    else:
        assert following.status == "exhausted"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("999999", MAX_RETRY_AFTER),
        ("9" * 400, MAX_RETRY_AFTER),
        ("Sun, 22 Nov 2026 00:10:00 GMT", 600),
        ("Sun, 22 Nov 2026 00:10:00 -0000", 600),
        ("Sunday, 22-Nov-26 00:10:00 GMT", 600),
        ("Sat, 21 Nov 2026 00:00:00 GMT", 0),
        ("Sun, 22 Nov 2099 00:00:00 GMT", MAX_RETRY_AFTER),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\N{ARABIC-INDIC DIGIT ONE}", None),
        ("Sun, 99 Nov 2026 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_a_day(value: str, seconds: float | None) -> None:
    assert patience(503, {"retry-after": value}, NOW) == seconds


@given(st.text(max_size=40))
def test_no_header_breaks_the_reading_of_it(value: str) -> None:
    seconds = patience(503, {"retry-after": value}, NOW)

    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER


def test_an_answer_that_asks_for_nothing_asks_for_nothing() -> None:
    assert patience(503, {}, NOW) is None


@given(st.none() | RULES)
def test_a_rule_comes_back_from_the_log_as_it_was(rule: RetryRule | None) -> None:
    assert rule_from_json(rule_to_json(rule)) == rule


def test_a_rule_in_the_log_reads_as_in_a_file() -> None:
    rule = Retry.model_validate({"max": 5, "delay": "2s"})

    assert rule_to_json(rule) == {"max": 5, "delay": "2s", "factor": 2.0, "max_delay": "300s"}


@pytest.mark.parametrize("kept", ["fortnight", {"max": 0}, {"unknown": 1}, 7])
def test_what_is_no_rule_is_refused(kept: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        rule_from_json(kept)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"ratelimit-reset": "30"}, 30),
        (429, {"x-ratelimit-reset": str(int(NOW) + 60)}, 60),
        (429, {"retry-after": "10", "ratelimit-reset": "30"}, 30),
        (200, {"ratelimit-reset": "30", "ratelimit-remaining": "0"}, 30),
        (200, {"ratelimit-reset": "30", "ratelimit-remaining": "4"}, None),
        (500, {"x-ratelimit-reset": "30"}, None),
        (429, {"ratelimit-reset": "999999"}, MAX_RETRY_AFTER),
        (429, {"ratelimit-reset": "soon"}, 0),
        (200, {"retry-after": "10"}, None),
        (202, {"retry-after": "10"}, None),
    ],
)
def test_a_receiver_whose_limit_is_reached_is_left_alone_until_it_is_not(
    status: int, headers: dict[str, str], seconds: float | None
) -> None:
    assert patience(status, headers, NOW) == seconds


@pytest.mark.parametrize(
    ("outcome", "status", "end"),
    [
        ("ok", 200, "delivered"),
        ("gone", 410, "gone"),
        ("timeout_total", None, "indeterminate"),
        ("timeout_total", 200, "indeterminate"),
        ("reset", None, "indeterminate"),
        ("protocol", None, "indeterminate"),
        ("http_5xx", 500, "exhausted"),
        ("http_4xx", 404, "exhausted"),
        ("redirect", 302, "exhausted"),
        ("http_4xx", 429, None),
        ("http_5xx", 503, None),
    ],
)
def test_what_must_not_arrive_twice_is_sent_again_only_if_nobody_acted_on_it(
    outcome: Outcome, status: int | None, end: str | None
) -> None:
    following = next_step(outcome=outcome, status=status, rule="standard", attempt=1, jitter=0, may_have_arrived=True)

    assert following == (TryAgain(wait=2) if end is None else Over(status=end))  # type: ignore[arg-type]
