from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.delivery.breaker import CONSECUTIVE
from hooksd.delivery.gate import OPEN, Gate, Hold, Limits, hold, learned, passed
from hooksd.model.rate import parse_rate
from hooksd.model.record import Outcome

NOW = 1_795_305_600.0
FREE = Limits()


def told(gate: Gate, outcome: Outcome, status: int | None = None, patience: float | None = None) -> Gate:
    return learned(passed(gate, FREE, NOW), NOW, outcome=outcome, status=status, patience=patience)


def test_an_endpoint_of_which_nothing_is_known_may_be_called() -> None:
    assert hold(OPEN, FREE, NOW) is None


@given(st.lists(st.sampled_from([("ok", 200), ("http_4xx", 422), ("http_5xx", 500), ("gone", 410)]), max_size=15))
def test_what_neither_probes_nor_has_a_rate_is_as_it_was_when_an_attempt_has_passed(
    answers: list[tuple[Outcome, int]],
) -> None:
    gate = OPEN
    for outcome, status in answers:
        gate = told(gate, outcome, status)

    assert (passed(gate, FREE, NOW) == gate) or gate.breaker.is_open


def test_a_disabled_endpoint_is_not_called() -> None:
    assert hold(OPEN, Limits(is_enabled=False), NOW) == Hold(reason="disabled")


def test_410_suspends_the_endpoint_until_somebody_does_something() -> None:
    held = hold(told(OPEN, "gone", 410), FREE, NOW + 1e9)

    assert held is not None
    assert (held.reason, held.until) == ("suspended", None)
    assert held.error == "the receiver answered 410, which means never again"


def test_a_receiver_that_asks_for_patience_gets_it_for_all_deliveries() -> None:
    gate = told(OPEN, "http_4xx", 429, patience=60)

    assert hold(gate, FREE, NOW + 59) == Hold(reason="receiver", until=NOW + 60)
    assert hold(gate, FREE, NOW + 60) is None
    assert hold(told(gate, "http_4xx", 429, patience=10), FREE, NOW) == Hold(reason="receiver", until=NOW + 60)


def test_an_endpoint_that_fails_and_fails_is_left_alone_and_asked_with_one_delivery() -> None:
    gate = OPEN
    for _ in range(CONSECUTIVE):
        gate = told(gate, "timeout_connect")

    held = hold(gate, FREE, NOW)
    assert held is not None
    assert held.reason == "breaker"
    assert held.until is not None
    assert hold(gate, FREE, held.until) is None
    assert hold(passed(gate, FREE, held.until), FREE, held.until) == Hold(reason="breaker")


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_answers_about_the_payload_say_that_the_endpoint_works(status: int) -> None:
    gate = OPEN
    for _ in range(5 * CONSECUTIVE):
        gate = told(gate, "http_4xx", status)

    assert hold(gate, FREE, NOW) is None


def test_a_rate_is_a_bucket_that_fills_evenly() -> None:
    limits = Limits(rates=(parse_rate("2/10s"),))
    gate = passed(passed(OPEN, limits, NOW), limits, NOW)

    assert hold(gate, limits, NOW) == Hold(reason="rate", until=NOW + 5)
    assert hold(gate, limits, NOW + 5) is None
    assert hold(passed(gate, limits, NOW + 5), limits, NOW + 5) == Hold(reason="rate", until=NOW + 10)
    assert hold(gate, FREE, NOW) is None


def test_of_several_rates_the_strictest_holds() -> None:
    limits = Limits(rates=(parse_rate("1/1s"), parse_rate("2/1m")))
    gate = passed(OPEN, limits, NOW)

    assert hold(gate, limits, NOW) == Hold(reason="rate", until=NOW + 1)
    held = hold(passed(gate, limits, NOW + 1), limits, NOW + 2)
    assert held is not None
    assert held.until == pytest.approx(NOW + 30)


@given(st.integers(1, 20), st.integers(1, 100), st.lists(st.floats(0, 30), max_size=60))
def test_no_more_begin_than_the_rate_says(count: int, seconds: int, pauses: list[float]) -> None:
    limits = Limits(rates=(parse_rate(f"{count}/{seconds}s"),))
    gate, now, begun = OPEN, NOW, []
    for pause in pauses:
        now += pause
        if hold(gate, limits, now) is None:
            gate = passed(gate, limits, now)
            begun.append(now)

    for place, moment in enumerate(begun):
        within = sum(moment <= other <= moment + seconds for other in begun[place:])
        assert within <= 2 * count + 1
    elapsed = now - NOW
    assert len(begun) <= count + elapsed * count / seconds + 1
