from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hooksd.journal.lasting import Lasting
from hooksd.model.holding import EndpointHeld, EndpointReleased
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import ConfigApplied, Record
from tests.journal import samples


def lasting(*records: Record) -> Lasting:
    found = Lasting()
    for record in records:
        found.note(record)
    return found


def pinged(endpoint: str, fingerprint: str | None) -> Record:
    plan = DeliveryPlan(id="dlv_1", endpoint=endpoint, fingerprint=fingerprint)
    return replace(samples.accepted(runs=()), deliveries=(plan,))


def applied(*, changed: tuple[str, ...] = (), removed: tuple[str, ...] = ()) -> Record:
    return ConfigApplied(
        at=samples.AT, revision="ab", commit=None, dirty=False, counts={}, changed=changed, removed=removed
    )


def test_the_last_ping_of_a_definition_counts_and_those_by_hand_do_not() -> None:
    found = lasting(pinged("shop", "aa"), pinged("shop", "bb"), pinged("shop", None), pinged("bank", None))

    assert found.pinged == {"shop": "bb"}


def test_a_definition_that_changes_or_goes_is_to_be_pinged_when_it_comes() -> None:
    before = (pinged("shop", "aa"), pinged("bank", "bb"), pinged("post", "cc"))

    assert lasting(
        *before, applied(changed=("endpoint/shop", "webhook/post"), removed=("endpoint/bank", "role/post"))
    ).pinged == {"post": "cc"}


def test_of_one_endpoint_several_reasons_may_hold_at_once() -> None:
    breaker = EndpointHeld(at=samples.AT, endpoint="shop", reason="breaker")
    patience = EndpointHeld(at=samples.AT, endpoint="shop", reason="receiver")
    found = lasting(breaker, patience, EndpointHeld(at=samples.AT, endpoint="shop", reason="disabled"))
    assert [held.reason for held in found.held] == ["breaker", "receiver"]

    found.note(EndpointReleased(at=samples.AT, endpoint="shop", reason="receiver"))
    assert [held.reason for held in found.held] == ["breaker"]


def test_nothing_stands_in_a_log_that_says_nothing() -> None:
    found = lasting(samples.accepted(), samples.refused())

    assert not found.is_any
    assert found.carried(samples.AT) is None


@given(st.lists(samples.records(), max_size=20), st.lists(samples.records(), max_size=20))
def test_what_was_carried_over_stands_for_everything_before_it(before: list[Record], after: list[Record]) -> None:
    carried = lasting(*before).carried(samples.AT)
    from_there = lasting(*after) if carried is None else lasting(carried, *after)
    from_the_beginning = lasting(*before, *after)

    assert from_there.held == from_the_beginning.held
    assert from_there.pinged == from_the_beginning.pinged
