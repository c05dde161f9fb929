from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from hooksd.config.snapshot import Snapshot
from hooksd.delivery.dispatcher import Dispatcher
from hooksd.delivery.distributor import Distributor
from hooksd.expr.template import compile_template
from hooksd.journal.memory import MemoryJournal
from hooksd.journal.replay import PlannedDelivery, unfinished
from hooksd.model.chain import VIA, mark_of
from hooksd.model.effect import Deliver
from hooksd.model.outgoing import DeliveryPlan
from hooksd.model.record import DeliveryCreated, DeliveryEnded, EventAccepted
from hooksd.model.stored import StoredBody, restore
from hooksd.testing import FakeClock, FakeIds
from tests.delivery.house import FakeSender, endpoint, snapshot
from tests.journal import samples

PLAN = DeliveryPlan(id="dlv_planned", endpoint="shop")


class World:
    """A distributor before a dispatcher that nobody lets run."""

    def __init__(self, current: Snapshot) -> None:
        self.journal, clock = MemoryJournal(), FakeClock()
        self.dispatcher = Dispatcher(
            journal=self.journal,
            clock=clock,
            ids=FakeIds(clock.now),
            current=lambda: current,
            sender=FakeSender(),
            jitter=lambda: 0.0,
        )
        self.distributor = Distributor(
            dispatcher=self.dispatcher, journal=self.journal, clock=clock, current=lambda: current
        )


def planned(**more: object) -> PlannedDelivery:
    accepted: EventAccepted = samples.accepted(runs=(), **more)  # type: ignore[arg-type] # as the sample takes them
    return PlannedDelivery(plan=PLAN, accepted=accepted)


def test_what_was_planned_and_not_begun_is_under_way_after_a_restart_with_the_id_of_the_plan() -> None:
    world = World(snapshot(endpoint(shape="etlworks")))

    world.distributor.recover([planned()])

    assert world.dispatcher.pending == 1


def test_the_log_tells_what_was_planned_until_it_is_created_or_ended() -> None:
    accepted = samples.accepted(runs=())
    record = EventAccepted(
        at=accepted.at, revision=accepted.revision, event=accepted.event, origin=None, deliveries=(PLAN,)
    )
    created = samples.delivery_created(PLAN.id, "")
    ended = DeliveryEnded(at=samples.AT, delivery=PLAN.id, endpoint="shop", status="exhausted", attempts=0)

    assert [item.plan for item in unfinished([record]).planned] == [PLAN]
    assert isinstance(created, DeliveryCreated)
    assert unfinished([record, created]).planned == ()
    assert [item.created.delivery for item in unfinished([record, created]).deliveries] == [PLAN.id]
    assert unfinished([record, ended]).planned == ()


async def test_a_plan_whose_event_cannot_be_read_any_more_has_a_recorded_end() -> None:
    world = World(snapshot(endpoint()))
    gone = StoredBody(media="application/json", size=70_000, encoding="blob", content="sha256:" + "00" * 32)

    world.distributor.recover([planned(body=gone)])

    (ended,) = [record for record in world.journal.read() if isinstance(record, DeliveryEnded)]
    assert (ended.delivery, ended.status, ended.attempts) == (PLAN.id, "exhausted", 0)
    assert world.dispatcher.pending == 0


def test_an_event_carries_the_mark_of_its_endpoint_behind_those_that_it_brought() -> None:
    world = World(snapshot(endpoint(url="https://shop.example/hooks")))
    before = mark_of("other", "https://other.example/")
    event = restore(samples.accepted().event, world.journal.blob)
    came = replace(event, headers={VIA: before})

    effect = world.distributor._effect(came, PLAN)

    assert isinstance(effect, Deliver)
    assert effect.headers[VIA] == f"{before}, {mark_of('shop', 'https://shop.example/hooks')}"
    assert orjson.loads(effect.body) == {"ref": 1}


async def test_what_an_endpoint_cannot_take_has_a_recorded_end_and_is_not_sent() -> None:
    world = World(snapshot(endpoint(payload_encoding="base64")))

    world.distributor.recover([planned()])

    (ended,) = [record for record in world.journal.read() if isinstance(record, DeliveryEnded)]
    assert (ended.delivery, ended.status, ended.attempts) == (PLAN.id, "exhausted", 0)
    assert "it takes text" in str(ended.error)
    assert world.dispatcher.pending == 0


def test_an_event_is_sent_in_the_format_of_the_endpoint_with_headers_made_of_it() -> None:
    shop = replace(
        endpoint(content_type="form"), templates={"X-Type": compile_template("{{ event.type }} {{ body.ref }}")}
    )
    world = World(snapshot(shop))

    effect = world.distributor._effect(restore(samples.accepted().event, world.journal.blob), PLAN)

    assert isinstance(effect, Deliver)
    assert (effect.media, effect.body) == ("application/x-www-form-urlencoded", b"ref=1")
    assert effect.headers["X-Type"].endswith(" 1")


def test_no_event_is_taken_when_too_many_deliveries_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(snapshot(endpoint()))
    monkeypatch.setattr("hooksd.delivery.distributor.ROOM", 1)
    assert not world.distributor.is_full

    world.distributor.recover([planned()])

    assert world.distributor.is_full
