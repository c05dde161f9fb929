from __future__ import annotations

from collections.abc import Mapping

import pytest

from hooksd.config.snapshot import CompiledEndpoint
from hooksd.engine.distribution import Distribution, distribute
from hooksd.model.chain import MAX_MARKS, VIA, mark_of
from hooksd.model.ids import DeliveryId
from hooksd.model.outgoing import DeliveryPlan, NotSent
from hooksd.model.trust import Trust
from tests.delivery.house import endpoint

URL = "https://shop.example/hooks"
SENT = Distribution(plans=(DeliveryPlan(id="dlv_1", endpoint="shop"),))


def judged(
    *receivers: CompiledEndpoint, trust: Trust = Trust.SIGNED, headers: Mapping[str, str] | None = None
) -> Distribution:
    numbers = iter(range(1, 100))
    return distribute(
        receivers, trust=trust, headers=headers or {}, new_delivery=lambda: DeliveryId(f"dlv_{next(numbers)}")
    )


def test_every_endpoint_that_subscribes_gets_a_delivery_of_its_own() -> None:
    assert judged(endpoint("a"), endpoint("b")).plans == (
        DeliveryPlan(id="dlv_1", endpoint="a"),
        DeliveryPlan(id="dlv_2", endpoint="b"),
    )


@pytest.mark.parametrize("trust", [Trust.TOKEN, Trust.SIGNED, Trust.LOCAL])
def test_who_proved_who_he_is_may_cause_a_delivery(trust: Trust) -> None:
    assert judged(endpoint(), trust=trust) == SENT


def test_what_anybody_may_have_caused_is_not_sent_unless_the_endpoint_says_so() -> None:
    refused = judged(endpoint(), trust=Trust.ANONYMOUS)

    assert refused == Distribution(not_sent=(NotSent(endpoint="shop", reason="trust"),))
    assert judged(endpoint(allow_anonymous=True), trust=Trust.ANONYMOUS) == SENT


def test_an_event_that_was_sent_to_an_endpoint_and_came_back_is_not_sent_there_again() -> None:
    back = {VIA: mark_of("shop", URL)}

    assert judged(endpoint(), headers=back) == Distribution(not_sent=(NotSent(endpoint="shop", reason="loop"),))
    assert judged(endpoint("other"), headers=back).plans == (DeliveryPlan(id="dlv_1", endpoint="other"),)


def test_a_chain_of_endpoints_ends() -> None:
    chain = {VIA: ", ".join(mark_of(str(number), URL) for number in range(MAX_MARKS))}

    assert judged(endpoint(), headers=chain) == Distribution(not_sent=(NotSent(endpoint="shop", reason="loop"),))
