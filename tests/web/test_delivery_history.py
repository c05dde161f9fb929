from __future__ import annotations

from dataclasses import replace

from hooksd.web.delivery_history import deliveries_of, delivery_view, planned_view
from tests.web.records import ACCEPTED, ATTEMPT, CREATED, DELIVERED, trees

AGAIN = replace(CREATED, at="t8", attempts=2)
PLAN = {"id": "dlv_1", "endpoint": "slack"}


def test_a_delivery_is_what_its_last_record_says() -> None:
    pending = deliveries_of(trees(CREATED, ATTEMPT))["dlv_1"]
    delivered = deliveries_of(trees(CREATED, ATTEMPT, DELIVERED))["dlv_1"]

    assert (pending["status"], pending["attempts"], pending["error"]) == ("pending", 1, "500")
    assert (delivered["status"], delivered["attempts"], delivered["error"]) == ("delivered", 2, None)


def test_one_that_was_asked_for_again_is_under_way_again_with_the_attempts_it_had() -> None:
    state = deliveries_of(trees(CREATED, ATTEMPT, DELIVERED, AGAIN))["dlv_1"]

    assert (state["status"], state["attempts"], state["error"]) == ("pending", 2, None)


def test_a_delivery_is_shown_with_every_exchange() -> None:
    view = delivery_view("dlv_1", trees(ACCEPTED, CREATED, ATTEMPT, DELIVERED, AGAIN, replace(ATTEMPT, number=3)))

    assert view is not None
    assert (view["id"], view["event"], view["endpoint"], view["created_at"]) == ("dlv_1", "evt_1", "slack", "t5")
    assert [(one["number"], one["outcome"], one["method"]) for one in view["exchanges"]] == [
        (1, "http_5xx", "POST"), (3, "http_5xx", "POST"),
    ]  # fmt: skip
    assert (view["ended_at"], view["next_attempt_at"], view["body"]["content"]) == (None, "t8", {})


def test_a_delivery_that_ended_says_when() -> None:
    view = delivery_view("dlv_1", trees(CREATED, ATTEMPT, DELIVERED))

    assert view is not None
    assert (view["ended_at"], view["next_attempt_at"], view["status"]) == ("t7", None, "delivered")


def test_a_delivery_that_is_only_planned_is_pending() -> None:
    record = {**trees(ACCEPTED)[0], "deliveries": [PLAN]}

    view = delivery_view("dlv_1", [record])

    assert view is not None
    assert (view["status"], view["event"], view["endpoint"]) == ("pending", "evt_1", "slack")
    assert (view["created_at"], view["exchanges"], view["body"]) == (None, [], None)


def test_what_no_record_names_is_nothing() -> None:
    assert delivery_view("dlv_9", trees(ACCEPTED, CREATED)) is None


def test_planned_deliveries_are_shown_in_their_order() -> None:
    shown = planned_view([{"id": "dlv_0", "endpoint": "a"}, PLAN], trees(CREATED, DELIVERED))

    assert [(one["id"], one["status"]) for one in shown] == [("dlv_0", "pending"), ("dlv_1", "delivered")]


def test_an_exchange_says_when_its_request_was_made() -> None:
    exchange = replace(ATTEMPT.exchange, total_ms=250.0)
    tried = replace(ATTEMPT, at="2026-11-22T03:28:00.500Z", exchange=exchange)

    view = delivery_view("dlv_1", trees(CREATED, tried, ATTEMPT))

    assert view is not None
    assert [one["began_at"] for one in view["exchanges"]] == ["2026-11-22T03:28:00.250Z", None]


def test_one_that_somebody_triggered_has_no_event_and_says_who() -> None:
    view = delivery_view("dlv_1", trees(replace(CREATED, event="", run="", step="", by="shop"), DELIVERED))

    assert view is not None
    assert (view["event"], view["run"], view["by"]) == (None, None, "shop")
