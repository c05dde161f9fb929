from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooksd.clock import unix
from hooksd.delivery import dispatcher as dispatching
from hooksd.delivery.attempt import Attempted, exchange_of
from hooksd.delivery.bell import NAP
from hooksd.delivery.entry import Entry
from hooksd.delivery.gate import EACH
from hooksd.delivery.request import Prepared
from hooksd.delivery.state import begin
from hooksd.errors import JournalBroken, JournalFull
from hooksd.journal.memory import MemoryJournal
from hooksd.journal.protocol import Durable
from hooksd.journal.receipt import Receipt
from hooksd.journal.replay import Unfinished, UnfinishedDelivery
from hooksd.model.arrival import EventLine
from hooksd.model.effect import Deliver, Performed
from hooksd.model.holding import EndpointHeld, EndpointReleased
from hooksd.model.identity import Grant
from hooksd.model.ids import DeliveryId, RunId
from hooksd.model.record import AttemptEnded, AttemptStarted, DeliveryCreated, DeliveryEnded, Outcome, Record
from hooksd.model.retry import SCHEDULES, Retry
from hooksd.model.secret import Secret
from hooksd.testing import FakeClock
from tests.delivery.house import FakeSender, House, answered, effect, endpoint, snapshot

HOUR = 3600.0


def attempts(house: House) -> list[AttemptEnded]:
    return [record for record in house.journal.records if isinstance(record, AttemptEnded)]


def starts(house: House) -> list[AttemptStarted]:
    return [record for record in house.journal.records if isinstance(record, AttemptStarted)]


def ends(house: House) -> list[DeliveryEnded]:
    return [record for record in house.journal.records if isinstance(record, DeliveryEnded)]


# --- delivering


async def test_a_delivery_is_created_attempted_and_ended_in_that_order(house: House) -> None:
    async with house.at_work():
        done = await house.dispatcher.deliver(effect())

    assert house.kinds() == ["delivery.created", "attempt.started", "attempt.ended", "delivery.ended"]
    assert (done.ok, done.code, done.error, done.kind) == (True, 200, None, "")
    created = house.journal.records[0]
    assert isinstance(created, DeliveryCreated)
    assert done.output == {
        "shop": {"delivery": created.delivery, "status": "delivered", "attempts": 1, "code": 200, "error": None}
    }
    assert house.dispatcher.pending == 0


async def test_the_start_of_an_attempt_is_in_the_log_before_the_request_leaves(house: House) -> None:
    seen: list[list[str]] = []

    def look(prepared: Prepared) -> Attempted:
        seen.append(house.kinds())
        return answered(prepared, 200)

    house.sender.answers = [look]

    async with house.at_work():
        await house.dispatcher.deliver(effect())

    assert seen == [["delivery.created", "attempt.started"]]


async def test_the_id_stays_and_the_signature_is_new_in_every_attempt(house: House) -> None:
    house.sender.answers = [500, 500]

    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.advance(100)
        await task

    headers = [dict(prepared.headers) for prepared in house.sender.sent]
    assert len({header["webhook-id"] for header in headers}) == 1
    assert len({header["webhook-timestamp"] for header in headers}) == 3
    assert len({header["webhook-signature"] for header in headers}) == 3


async def test_several_endpoints_get_a_delivery_each_and_one_twice_named_gets_one(house: House) -> None:
    async with house.at_work():
        done = await house.dispatcher.deliver(effect("shop", "ledger", "shop"))

    assert (done.ok, done.code) == (True, None)
    assert set(done.output) == {"shop", "ledger"}
    assert len(house.sender.sent) == 2


async def test_every_attempt_carries_where_its_endpoint_is_defined_and_the_revision(house: House) -> None:
    async with house.at_work():
        await house.dispatcher.deliver(effect())

    (ended,) = attempts(house)
    assert ended.origin is not None
    assert (ended.origin.file, ended.origin.line, ended.revision) == ("shop.toml", 3, "abababababab")


# --- the schedule


async def test_the_standard_schedule_makes_twelve_attempts_in_75_hours(house: House) -> None:
    house.sender.answers = [503] * 20

    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.advance(76 * HOUR)
        done = await task

    times = [unix(record.at) for record in starts(house)]
    assert [round(b - a) for a, b in itertools.pairwise(times)] == list(SCHEDULES["standard"])
    assert 75 * HOUR < times[-1] - times[0] < 76 * HOUR
    assert [record.reason for record in starts(house)] == ["first", *["retry"] * 11]
    assert [record.number for record in starts(house)] == list(range(1, 13))
    assert (done.ok, done.kind, done.error) == (False, "exhausted", "shop: answered 503 (12 attempts)")
    assert ends(house)[0].status == "exhausted"
    assert attempts(house)[-1].retry_at is None
    assert attempts(house)[0].retry_at == starts(house)[1].at


async def test_a_step_replaces_the_schedule_of_the_endpoint(house: House) -> None:
    house.sender.answers = [500] * 5

    async with house.at_work() as group:
        rule = Retry.model_validate({"max": 2, "delay": "30s"})
        task = group.create_task(house.dispatcher.deliver(effect(retry=rule)))
        await house.clock.advance(29)
        assert len(house.sender.sent) == 1
        await house.clock.advance(2)
        done = await task

    assert done.output["shop"]["attempts"] == 2


async def test_a_receiver_that_asks_for_patience_gets_it(house: House) -> None:
    house.sender.answers = [lambda prepared: answered(prepared, 429, {"retry-after": "600"})]

    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.advance(599)
        assert len(house.sender.sent) == 1
        await house.clock.advance(2)
        assert (await task).ok


async def test_gone_means_never_again(house: House) -> None:
    house.sender.answers = [410]

    async with house.at_work():
        done = await house.dispatcher.deliver(effect())

    assert (done.ok, done.kind, done.code) == (False, "http", 410)
    assert done.error == "shop: answered 410, which means never again"
    assert ends(house)[0].status == "gone"


async def test_a_redirect_is_a_failure_and_nobody_follows_it(house: House) -> None:
    house.sender.answers = [lambda prepared: answered(prepared, 302, {"location": "https://evil.example/"})]

    async with house.at_work():
        done = await house.dispatcher.deliver(effect(retry="none"))

    assert (done.ok, done.code) == (False, 302)
    assert [prepared.url for prepared in house.sender.sent] == ["https://shop.example/hooks"]
    assert attempts(house)[0].outcome == "redirect"


async def test_one_of_two_that_fails_fails_the_step_and_names_itself(house: House) -> None:
    house.sender.answers = [200, 410]

    async with house.at_work():
        done = await house.dispatcher.deliver(effect("shop", "ledger"))

    assert (done.ok, done.kind) == (False, "http")
    assert str(done.error).startswith("ledger: ")


# --- definitions that change


async def test_the_next_attempt_goes_where_the_definitions_then_say(house: House) -> None:
    house.sender.answers = [500]

    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        house.snapshot = snapshot(endpoint("shop", url="https://new.example/"))
        await house.clock.advance(3)
        await task

    assert house.sender.sent[-1].url == "https://new.example/"


async def test_a_removed_endpoint_is_waited_for_by_its_schedule(house: House) -> None:
    before = house.snapshot
    house.snapshot = snapshot()

    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        assert attempts(house)[0].outcome == "config"
        assert attempts(house)[0].error == "no endpoint is called shop: it was removed from the definitions"
        assert attempts(house)[0].origin is None
        house.snapshot = before
        await house.clock.advance(3)
        assert (await task).ok

    assert len(house.sender.sent) == 1


async def test_an_endpoint_that_cannot_be_asked_fails_the_attempt_without_asking(house: House) -> None:
    house.snapshot = snapshot(endpoint("shop", headers={"X-A": "a\r\nb"}, retry="none"))

    async with house.at_work():
        done = await house.dispatcher.deliver(effect())

    assert done.error == "shop: the header X-A holds a control character, such as the end of a line (1 attempt)"
    assert house.sender.sent == []


# --- secrets


async def test_no_secret_of_an_endpoint_reaches_the_log(house: House) -> None:
    secret = "k3y/with odd&chars"
    house.snapshot = snapshot(
        endpoint(
            "shop",
            url="https://user:k3y%2Fwith%20odd%26chars@shop.example/k3y%2Fwith%20odd%26chars",
            headers={"X-Key": secret, "Authorization": "Bearer other"},
            hidden=[secret],
        )
    )
    house.sender.answers = [lambda prepared: answered(prepared, 200, {"x-echo": secret}, f"you sent {secret}")]

    async with house.at_work():
        await house.dispatcher.deliver(effect())

    text = repr(house.journal.records)
    assert "k3y" not in text
    assert "Bearer" not in text
    assert "you sent ***" in text
    assert dict(house.sender.sent[0].headers)["X-Key"] == secret


@pytest.mark.parametrize(
    ("headers", "query", "error"),
    [
        ({"authorization": "x"}, {}, "the header authorization holds a credential"),
        ({"X-A": "has topsecret inside"}, {}, "the header X-A holds a credential"),
        ({}, {"key": "topsecret"}, "the parameter key holds a secret"),
        ({"X-A": "a\nb"}, {}, "the header X-A holds a control character"),
        ({"Content-Length": "4"}, {}, "the header Content-Length is set by hooksd alone"),
    ],
    ids=["name", "value", "query", "injection", "framing"],
)
async def test_what_a_step_may_not_add_fails_before_anything_is_written(
    house: House, headers: dict[str, str], query: dict[str, str], error: str
) -> None:
    house.snapshot = snapshot(endpoint("shop"), secrets={"token": Secret(b"topsecret")})

    done = await house.dispatcher.deliver(effect(headers=headers, query=query))

    assert not done.ok
    assert str(done.error).startswith(error)
    assert house.journal.records == []


# --- who waits


async def test_a_delivery_goes_on_when_the_run_that_waits_is_cancelled(house: House) -> None:
    house.sender.answers = [500]

    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        task.cancel()
        await house.clock.advance(3)

    assert ends(house)[0].status == "delivered"


async def test_who_asks_again_gets_the_same_delivery_whether_it_goes_on_or_has_ended(house: House) -> None:
    house.sender.hold()

    async with house.at_work() as group:
        first = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        second = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        first.cancel()
        second.cancel()
        house.sender.release()
        await house.clock.settle()
        done = await house.dispatcher.deliver(effect())

    assert done.ok
    assert len(house.sender.sent) == 1


async def test_another_step_is_another_delivery(house: House) -> None:
    async with house.at_work():
        await house.dispatcher.deliver(effect(step="a"))
        await house.dispatcher.deliver(effect(step="b"))

    assert len(house.sender.sent) == 2


async def test_ends_that_nobody_asks_for_do_not_fill_the_memory(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatching, "UNTOLD", 2)

    async with house.at_work() as group:
        for number in range(5):
            task = group.create_task(house.dispatcher.deliver(effect(run=f"run_{number}")))
            await asyncio.sleep(0)
            task.cancel()
        await house.clock.settle()

    assert len(house.sender.sent) == 5
    assert len(house.dispatcher._by_key) == 2


async def test_what_was_told_is_forgotten(house: House) -> None:
    async with house.at_work():
        await house.dispatcher.deliver(effect())

    assert house.dispatcher._by_key == {}


async def test_a_delivery_may_be_asked_for_before_the_dispatcher_serves(house: House) -> None:
    async with asyncio.TaskGroup() as group:
        early = group.create_task(house.dispatcher.deliver(effect()))
        await asyncio.sleep(0)
        async with house.at_work():
            assert (await early).ok


# --- many


async def test_one_endpoint_gets_eight_at_once_and_holds_up_no_other(house: House) -> None:
    house.sender.hold()

    async with house.at_work() as group:
        for number in range(20):
            group.create_task(house.dispatcher.deliver(effect("shop", run=f"run_{number}")))
        group.create_task(house.dispatcher.deliver(effect("ledger")))
        await house.clock.settle()
        assert house.sender.under_way == 9
        house.sender.release()
        await house.clock.settle()

    assert house.sender.most_under_way == 9
    assert len(ends(house)) == 21


async def test_at_most_256_attempts_are_under_way(house: House) -> None:
    names = [f"e{number}" for number in range(40)]
    house.snapshot = snapshot(*(endpoint(name) for name in names))
    house.sender.hold()

    async with house.at_work() as group:
        for number in range(10):
            group.create_task(house.dispatcher.deliver(effect(*names, run=f"run_{number}")))
        await house.clock.settle()
        assert house.sender.under_way == 256
        house.sender.release()
        await house.clock.settle()

    assert len(ends(house)) == 400


async def test_thousands_that_wait_cost_no_task_each(house: House) -> None:
    house.snapshot = snapshot(*(endpoint(f"e{number}") for number in range(3000)))
    house.sender.answers = [500] * 3000

    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect(*(f"e{number}" for number in range(3000)))))
        while len(attempts(house)) < 3000:
            await house.clock.settle()
        assert house.dispatcher.pending == 3000
        assert len(asyncio.all_tasks()) < 10
        await house.clock.advance(3)
        while not task.done():
            await house.clock.settle()

    assert task.result().ok


async def test_one_alarm_sleeps_for_all_and_an_earlier_delivery_sets_it_anew(house: House) -> None:
    house.sender.answers = [lambda prepared: answered(prepared, 503, {"retry-after": "50"}), 200, 500]

    async with house.at_work() as group:
        late = group.create_task(house.dispatcher.deliver(effect(run="late")))
        await house.clock.settle()
        await house.dispatcher.deliver(effect("ledger", run="between"))
        assert house.clock.sleeping == 1
        early = group.create_task(house.dispatcher.deliver(effect("ledger", run="early")))
        await house.clock.advance(3)
        assert (early.done(), late.done()) == (True, False)
        assert house.clock.sleeping == 1
        await house.clock.advance(50)
        assert late.done()


# --- crashes


async def test_an_attempt_that_a_crash_cut_off_is_made_again_with_the_same_id(house: House) -> None:
    house.sender.hold()
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        task.cancel()
    assert house.kinds() == ["delivery.created", "attempt.started"]

    again = house.reborn()
    assert again.dispatcher.pending == 1
    async with again.at_work():
        done = await again.dispatcher.deliver(effect())

    assert done.output["shop"]["attempts"] == 2
    assert [record.reason for record in starts(again)] == ["first", "recovery"]
    ids = {dict(prepared.headers)["webhook-id"] for prepared in house.sender.sent + again.sender.sent}
    assert len(ids) == 1
    assert {prepared.body for prepared in house.sender.sent + again.sender.sent} == {b'{"order":1}'}


async def test_a_crash_does_not_cost_a_place_in_the_schedule(house: House) -> None:
    house.snapshot = snapshot(endpoint("shop", retry={"max": 2, "delay": "5s"}))
    house.sender.hold()
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        task.cancel()

    again = house.reborn(500, 200)
    async with again.at_work() as group:
        waiting = group.create_task(again.dispatcher.deliver(effect()))
        await again.clock.advance(6)
        assert (await waiting).ok


async def test_a_wait_goes_on_where_the_crash_was(house: House) -> None:
    house.sender.answers = [500, 500]
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.advance(3)
        task.cancel()
    await house.clock.advance(5)

    again = house.reborn()
    async with again.at_work() as group:
        waiting = group.create_task(again.dispatcher.deliver(effect()))
        await again.clock.advance(3)
        assert again.sender.sent == []
        await again.clock.advance(1)
        assert (await waiting).ok

    assert starts(again)[-1].reason == "retry"


async def test_an_end_in_the_log_is_told_to_the_step_that_asks_again(house: House) -> None:
    house.sender.answers = [500, 410]
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.advance(3)
        first = await task
    accepted = house.journal.records
    again = House(clock=house.clock, journal=MemoryJournal(accepted), sender=FakeSender(), snapshot=house.snapshot)
    created, *records = accepted
    assert isinstance(created, DeliveryCreated)
    past = Unfinished(
        events={},
        runs=(),
        deliveries=(),
        finished_deliveries=(UnfinishedDelivery(created=created, records=tuple(records)),),
    )
    again.dispatcher.recover(past)

    async with again.at_work():
        second = await again.dispatcher.deliver(effect())

    assert second == first
    assert again.sender.sent == []


async def test_an_end_that_a_crash_cut_off_is_written_without_asking_again(house: House) -> None:
    async with house.at_work():
        await house.dispatcher.deliver(effect())
    house.journal.records.pop()
    assert house.kinds()[-1] == "attempt.ended"

    again = house.reborn()
    async with again.at_work():
        done = await again.dispatcher.deliver(effect())

    assert done.ok
    assert again.sender.sent == []
    assert again.kinds().count("delivery.ended") == 1


@pytest.mark.parametrize("kept", range(5))
async def test_wherever_a_crash_cuts_the_log_there_is_one_end_and_one_id(house: House, kept: int) -> None:
    house.sender.answers = [500]
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.advance(3)
        await task
    assert len(house.journal.records) == 6
    del house.journal.records[kept + 1 :]

    again = house.reborn(500)
    async with again.at_work() as group:
        waiting = group.create_task(again.dispatcher.deliver(effect()))
        await again.clock.advance(60)
        assert (await waiting).ok

    assert [end.status for end in ends(again)] == ["delivered"]
    assert again.kinds().count("delivery.created") == 1
    ids = {dict(prepared.headers)["webhook-id"] for prepared in house.sender.sent + again.sender.sent}
    assert len(ids) == 1
    numbers = [record.number for record in starts(again)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert again.dispatcher.pending == 0


async def test_a_long_body_is_kept_beside_the_log_and_sent_whole_after_a_restart(house: House) -> None:
    body = b'{"x": "' + b"y" * 100_000 + b'"}'
    house.sender.answers = [500]
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect(body=body)))
        while not attempts(house):
            await asyncio.sleep(0.001)
        task.cancel()
    created = house.journal.records[0]
    assert isinstance(created, DeliveryCreated)
    assert created.body.encoding == "blob"

    again = house.reborn()
    await again.clock.advance(3)
    async with again.at_work():
        assert (await again.dispatcher.deliver(effect(body=body))).ok

    assert again.sender.sent[0].body == body


async def test_a_body_that_was_lost_fails_with_its_digest(house: House) -> None:
    house.snapshot = snapshot(endpoint("shop", retry="none"))
    house.sender.hold()
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect(body=b"x" * 70_000, media="text/plain")))
        while not house.sender.sent:
            await asyncio.sleep(0.001)
        task.cancel()
    house.journal.blobs.clear()

    again = house.reborn()
    async with again.at_work():
        done = await again.dispatcher.deliver(effect())

    assert str(done.error).startswith("shop: the body is not beside the log any more: blob sha256:")


async def test_a_schedule_that_this_version_cannot_read_is_replaced_by_the_endpoints(house: House) -> None:
    house.sender.hold()
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        task.cancel()
    created = house.journal.records[0]
    assert isinstance(created, DeliveryCreated)
    house.journal.records[0] = replace(created, retry="fortnight")

    again = house.reborn(500)
    async with again.at_work() as group:
        waiting = group.create_task(again.dispatcher.deliver(effect()))
        await again.clock.advance(3)
        assert (await waiting).ok


# --- what the log promises already


def take(house: House, number: int = 1) -> None:
    """Ask for a delivery that the record of its event has planned."""
    house.dispatcher.take(DeliveryId(f"dlv_{number}"), effect(run="", step=""))


ALL = ["delivery.created", "attempt.started", "attempt.ended", "delivery.ended"]


async def test_a_planned_delivery_leaves_before_its_own_records_are_durable(house: House) -> None:
    house.journal.fail_with(JournalFull("no room"))

    async with house.at_work():
        take(house)
        await house.clock.settle()
        assert (len(house.sender.sent), house.dispatcher.pending) == (1, 1)
        house.journal.fail_with(None)
        await house.clock.advance(31)

    assert house.kinds() == ALL
    assert house.dispatcher.pending == 0


async def test_a_planned_delivery_that_must_not_come_twice_waits_for_its_records(house: House) -> None:
    house.snapshot = snapshot(endpoint(at_most_once=True))
    house.journal.fail_with(JournalFull("no room"))

    async with house.at_work():
        take(house)
        await house.clock.advance(100)
        assert house.sender.sent == []
        house.journal.fail_with(None)
        await house.clock.advance(31)

    assert (house.kinds(), len(house.sender.sent)) == (ALL, 1)


async def test_a_planned_delivery_is_in_the_log_while_it_waits_for_its_turn(house: House) -> None:
    house.snapshot = snapshot(endpoint(max_in_flight=1))
    house.sender.hold()

    async with house.at_work():
        for number in (1, 2):
            take(house, number)
        await house.clock.settle()
        assert sorted(house.kinds()) == ["attempt.started", "delivery.created", "delivery.created"]
        house.sender.release()
        await house.clock.settle()

    assert [record.delivery for record in ends(house)] == ["dlv_1", "dlv_2"]


async def test_a_planned_delivery_that_a_full_log_refused_while_it_waited_is_written_in_its_order(house: House) -> None:
    house.snapshot = snapshot(endpoint(max_in_flight=1))
    house.sender.hold()

    async with house.at_work():
        take(house, 1)
        await house.clock.settle()
        house.journal.fail_with(JournalFull("no room"))
        take(house, 2)
        await house.clock.settle()
        house.sender.release()
        await house.clock.advance(100)
        assert house.kinds() == ["delivery.created", "attempt.started"]
        house.journal.fail_with(None)
        await house.clock.advance(31)

    assert [record.type for record in house.journal.records if getattr(record, "delivery", "") == "dlv_2"] == ALL


async def test_what_cannot_be_sent_holds_up_nobody_however_much_of_it_is_due(house: House) -> None:
    house.snapshot = snapshot(endpoint(retry="none", enabled=False))
    turns = 0

    async with house.at_work(), asyncio.timeout(20):
        for number in range(400):
            call = replace(effect(run="", step=""), is_call=True)
            house.dispatcher.take(DeliveryId(f"dlv_{number}"), call)
        while house.dispatcher.pending:
            turns += 1
            await asyncio.sleep(0)

    assert house.sender.sent == []
    assert turns >= 400 / EACH


async def test_what_ended_when_the_dispatcher_is_stopped_is_on_its_way_to_the_log(house: House) -> None:
    house.sender.hold()

    async with house.at_work():
        take(house)
        await house.clock.settle()
        house.sender.release()
        for _ in range(100):
            if not house.sender.under_way:
                break
            await asyncio.sleep(0)

    assert house.kinds() == ALL


# --- a log in trouble


async def test_a_full_log_holds_attempts_back_and_loses_nothing(house: House) -> None:
    house.journal.fail_with(JournalFull("no room"))

    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect(body=b"z" * 70_000, media="text/plain")))
        await house.clock.advance(100)
        assert house.sender.sent == []
        house.journal.fail_with(None)
        await house.clock.advance(31)
        while not task.done():
            await asyncio.sleep(0.001)
            await house.clock.settle()

    assert task.result().ok
    assert house.kinds() == ["delivery.created", "attempt.started", "attempt.ended", "delivery.ended"]


async def test_an_outcome_is_kept_until_the_full_log_takes_it(house: House) -> None:
    house.sender.hold()

    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        house.journal.fail_with(JournalFull("no room"))
        house.sender.release()
        await house.clock.advance(20)
        assert not task.done()
        house.journal.fail_with(None)
        await house.clock.advance(31)
        assert (await task).ok

    assert len(house.sender.sent) == 1


async def test_a_broken_log_ends_the_dispatcher(house: House) -> None:
    house.journal.fail_with(JournalBroken("input/output error"))

    async def serve() -> None:
        async with house.at_work() as group:
            group.create_task(house.dispatcher.deliver(effect()))
            await house.clock.settle()

    with pytest.raises(ExceptionGroup) as caught:
        await serve()

    assert caught.group_contains(JournalBroken)


# --- stopping


async def test_draining_lets_attempts_under_way_end_and_starts_no_more(house: House) -> None:
    house.sender.hold()

    async with house.at_work() as group:
        first = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        draining = group.create_task(house.dispatcher.drain(5))
        await house.clock.settle()
        assert not draining.done()
        second = group.create_task(house.dispatcher.deliver(effect(run="run_2")))
        await house.clock.settle()
        house.sender.release()
        await draining
        assert (await first).ok
        second.cancel()

    assert len(house.sender.sent) == 1
    assert house.kinds().count("delivery.created") == 2, "what was asked for meanwhile is durable"


async def test_draining_is_bounded(house: House) -> None:
    house.sender.hold()

    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        await house.dispatcher.drain(0.01)
        assert not task.done()
        task.cancel()


async def test_draining_an_idle_dispatcher_is_done_at_once(house: House) -> None:
    await house.dispatcher.drain(60)

    assert house.dispatcher.pending == 0


async def test_a_clock_that_is_set_forward_makes_due_within_a_minute(house: House) -> None:
    house.sender.answers = [lambda prepared: answered(prepared, 503, {"retry-after": "7200"})]

    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        set_forward(house.clock, 3 * HOUR)
        await house.clock.advance(NAP + 1)
        assert (await task).ok


async def test_a_clock_that_is_set_back_between_two_lives_makes_nothing_wait_longer_than_it_was_to(
    house: House,
) -> None:
    house.sender.answers = [500, 500]
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.advance(3)
        task.cancel()
    set_forward(house.clock, -48 * HOUR)

    again = house.reborn()
    async with again.at_work() as group:
        waiting = group.create_task(again.dispatcher.deliver(effect()))
        await again.clock.advance(3)
        assert again.sender.sent == []
        await again.clock.advance(20)
        assert waiting.done()
        assert waiting.result().ok


def set_forward(clock: FakeClock, seconds: float) -> None:
    """Set the wall clock, without time passing for those who sleep."""
    clock._now += seconds
    clock._sleepers = [(due + seconds, order, woken) for due, order, woken in clock._sleepers]


# --- what waits


def held(house: House) -> list[tuple[str, str]]:
    records = [record for record in house.journal.records if isinstance(record, EndpointHeld | EndpointReleased)]
    return [(record.type, record.reason) for record in records]


async def test_a_receiver_that_asks_for_patience_is_left_alone_by_all_deliveries(house: House) -> None:
    house.sender.answers = [lambda prepared: answered(prepared, 429, {"retry-after": "600"})]

    async with house.at_work() as group:
        first = group.create_task(house.dispatcher.deliver(effect(run="first")))
        await house.clock.settle()
        second = group.create_task(house.dispatcher.deliver(effect(run="second")))
        other = group.create_task(house.dispatcher.deliver(effect("ledger", run="other")))
        await house.clock.advance(590)
        assert (first.done(), second.done(), other.done()) == (False, False, True)
        await house.clock.advance(20)
        assert first.result().ok
        assert second.result().ok

    assert attempts(house)[0].retry_why == "receiver"
    assert held(house) == [("endpoint.held", "receiver"), ("endpoint.released", "receiver")]


async def test_410_suspends_the_endpoint_and_a_changed_definition_resumes_it(house: House) -> None:
    house.sender.answers = [410]

    async with house.at_work() as group:
        assert not (await house.dispatcher.deliver(effect(run="first"))).ok
        waiting = group.create_task(house.dispatcher.deliver(effect(run="second")))
        await house.clock.advance(30 * 24 * HOUR)
        standing = house.dispatcher.standings(["shop"])["shop"]
        assert standing.hold is not None
        assert (standing.hold.reason, standing.waiting) == ("suspended", 1)
        house.snapshot = snapshot(replace(endpoint("shop"), digest="sha256:new"))
        house.dispatcher.reloaded()
        assert (await waiting).ok

    assert len(house.sender.sent) == 2


async def test_somebody_may_resume_a_suspended_endpoint(house: House) -> None:
    house.sender.answers = [410]

    async with house.at_work() as group:
        await house.dispatcher.deliver(effect(run="first"))
        waiting = group.create_task(house.dispatcher.deliver(effect(run="second")))
        await house.clock.settle()
        house.dispatcher.resume("shop")
        assert (await waiting).ok


async def test_a_disabled_endpoint_holds_deliveries_and_drops_none(house: House) -> None:
    house.snapshot = snapshot(endpoint("shop", enabled=False))

    async with house.at_work() as group:
        waiting = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.advance(100 * HOUR)
        assert house.sender.sent == []
        house.snapshot = snapshot(endpoint("shop"))
        house.dispatcher.reloaded()
        assert (await waiting).ok


async def test_a_dead_endpoint_is_probed_with_the_oldest_delivery_and_all_arrive_when_it_is_back(house: House) -> None:
    house.sender.answers = [500] * 20

    async with house.at_work() as group:
        tasks = [group.create_task(house.dispatcher.deliver(effect(run=f"run_{number}"))) for number in range(30)]
        await house.clock.settle()
        assert len(house.sender.sent) < 30
        began = len(house.sender.sent)
        await house.clock.advance(29)
        assert len(house.sender.sent) == began
        await house.clock.advance(HOUR)
        assert all(task.done() and task.result().ok for task in tasks)

    assert ("endpoint.held", "breaker") in held(house)
    assert held(house)[-1] == ("endpoint.released", "breaker")


async def test_after_a_restart_a_dead_endpoint_gets_one_probe_and_the_other_deliveries_wait(house: House) -> None:
    house.sender.answers = [500] * 20
    async with house.at_work() as group:
        tasks = [group.create_task(house.dispatcher.deliver(effect(run=f"run_{number}"))) for number in range(30)]
        await house.clock.settle()
        for task in tasks:
            task.cancel()

    again = house.reborn(500)
    async with again.at_work():
        await house.clock.advance(29)
        assert again.sender.sent == []
        await house.clock.advance(2)
        assert len(again.sender.sent) == 1
        await house.clock.advance(HOUR)

    assert len({dict(request.headers)["webhook-id"] for request in again.sender.sent}) == 30
    assert again.dispatcher.pending == 0
    assert held(again)[-1] == ("endpoint.released", "breaker")


async def test_a_rate_lets_so_many_begin_and_holds_the_others(house: House) -> None:
    house.snapshot = snapshot(endpoint("shop", rate="2/10s"))

    async with house.at_work() as group:
        tasks = [group.create_task(house.dispatcher.deliver(effect(run=f"run_{number}"))) for number in range(5)]
        await house.clock.settle()
        assert len(house.sender.sent) == 2
        await house.clock.advance(5.01)
        assert len(house.sender.sent) == 3
        await house.clock.advance(10)
        assert all(task.done() for task in tasks)


async def test_an_endpoint_says_how_many_attempts_it_takes_at_the_same_time(house: House) -> None:
    house.snapshot = snapshot(endpoint("shop", max_in_flight=2))
    house.sender.hold()

    async with house.at_work() as group:
        for number in range(5):
            group.create_task(house.dispatcher.deliver(effect(run=f"run_{number}")))
        await house.clock.settle()
        assert house.sender.under_way == 2
        house.sender.release()
        await house.clock.settle()

    assert house.sender.most_under_way == 2


# --- order


async def test_deliveries_of_one_subject_go_one_after_the_other_and_those_of_others_meanwhile(house: House) -> None:
    house.snapshot = snapshot(endpoint("shop", ordered=True))
    house.sender.answers = [500, 200]

    async with house.at_work() as group:
        for body, subject in ((b"1", "order 7"), (b"2", "order 7"), (b"3", "order 8"), (b"4", "order 7")):
            asked = replace(effect(run=f"run_{body!r}", body=body), subject=subject)
            group.create_task(house.dispatcher.deliver(asked))
            await house.clock.settle()
        assert [prepared.body for prepared in house.sender.sent] == [b"1", b"3"]
        await house.clock.advance(3)

    assert [prepared.body for prepared in house.sender.sent] == [b"1", b"3", b"1", b"2", b"4"]


async def test_the_order_holds_over_a_restart(house: House) -> None:
    house.snapshot = snapshot(endpoint("shop", ordered=True))
    house.sender.answers = [500]
    async with house.at_work() as group:
        tasks = []
        for number in range(3):
            asked = effect(run=f"run_{number}", body=b"%d" % number)
            tasks.append(group.create_task(house.dispatcher.deliver(asked)))
            await house.clock.settle()
        for task in tasks:
            task.cancel()

    again = house.reborn()
    async with again.at_work():
        await again.clock.advance(10)

    assert [prepared.body for prepared in again.sender.sent] == [b"0", b"1", b"2"]


# --- what must not arrive twice


async def test_an_attempt_that_a_crash_cut_off_is_not_made_again_where_nothing_may_arrive_twice(house: House) -> None:
    house.snapshot = snapshot(endpoint("shop", at_most_once=True))
    house.sender.hold()
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        task.cancel()
    assert starts(house)[0].is_once

    again = house.reborn()
    async with again.at_work():
        done = await again.dispatcher.deliver(effect())

    assert again.sender.sent == []
    assert ends(again)[0].status == "indeterminate"
    assert (done.ok, done.kind) == (False, "exhausted")
    assert "nobody knows whether it arrived" in str(done.error)


class SlowJournal(MemoryJournal):
    """Takes its time with the start of an attempt."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Receipt] = []

    def append(self, records: Sequence[Record | EventLine]) -> Durable:
        receipt = super().append(records)
        if not any(isinstance(record, AttemptStarted) for record in records):
            return receipt
        self.waiting.append(Receipt())
        return self.waiting[-1]


@pytest.mark.parametrize("once", [True, False])
async def test_only_where_nothing_may_arrive_twice_a_request_waits_until_the_log_would_know_of_it_after_a_crash(
    *, once: bool
) -> None:
    journal = SlowJournal()
    house = House(
        clock=FakeClock(),
        journal=journal,
        sender=FakeSender(),
        snapshot=snapshot(endpoint("shop", at_most_once=once)),
    )
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        assert len(house.sender.sent) == (0 if once else 1)
        for receipt in journal.waiting:
            receipt.settle(None)
        assert (await task).ok

    assert len(house.sender.sent) == 1


async def test_a_broken_connection_is_the_end_where_nothing_may_arrive_twice_unless_nothing_had_left(
    house: House,
) -> None:
    house.snapshot = snapshot(endpoint("shop", at_most_once=True))

    def fails(*, is_sent: bool) -> Callable[[Prepared], Attempted]:
        return lambda prepared: replace(answered(prepared, 500), outcome="reset", is_sent=is_sent)

    house.sender.answers = [fails(is_sent=False), fails(is_sent=True)]
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.advance(3)
        assert not (await task).ok

    assert ends(house)[0].status == "indeterminate"
    assert len(house.sender.sent) == 2


# --- again


async def test_an_attempt_that_somebody_asks_for_takes_no_place_in_the_schedule(house: House) -> None:
    house.sender.answers = [500, 500, 500, 200]

    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.advance(5)
        created = house.journal.records[0]
        assert isinstance(created, DeliveryCreated)
        due = attempts(house)[-1].retry_at
        await house.dispatcher.redeliver(created, 2)
        await house.clock.settle()
        assert [record.reason for record in starts(house)] == ["first", "retry", "manual"]
        assert attempts(house)[-1].retry_at == due
        await house.clock.advance(10)
        assert (await task).ok

    assert [record.number for record in starts(house)] == [1, 2, 3, 4]


async def test_somebody_may_ask_although_the_endpoint_is_held(house: House) -> None:
    house.sender.answers = [410]

    async with house.at_work() as group:
        await house.dispatcher.deliver(effect(run="first"))
        waiting = group.create_task(house.dispatcher.deliver(effect(run="second")))
        await house.clock.settle()
        created = [record for record in house.journal.records if isinstance(record, DeliveryCreated)][-1]
        await house.dispatcher.redeliver(created, 0)
        assert (await waiting).ok

    assert house.dispatcher.pending == 0


async def test_a_delivery_that_had_its_end_begins_again_under_the_same_id(house: House) -> None:
    house.sender.answers = [500, 500, 200]
    async with house.at_work():
        await house.dispatcher.deliver(effect(retry="none"))
        created = house.journal.records[0]
        assert isinstance(created, DeliveryCreated)
        await house.dispatcher.redeliver(replace(created, retry=None), 1)
        await house.clock.advance(3)

    assert [record.reason for record in starts(house)] == ["first", "manual", "retry"]
    assert [record.number for record in starts(house)] == [1, 2, 3]
    assert [record.status for record in ends(house)] == ["exhausted", "delivered"]
    assert len({dict(prepared.headers)["webhook-id"] for prepared in house.sender.sent}) == 1


async def test_an_attempt_that_was_asked_for_survives_a_crash(house: House) -> None:
    house.sender.answers = [410]
    async with house.at_work():
        await house.dispatcher.deliver(effect())
    created = house.journal.records[0]
    assert isinstance(created, DeliveryCreated)
    await house.dispatcher.redeliver(created, 1)

    again = house.reborn()
    again.dispatcher.resume("shop")
    async with again.at_work():
        await again.clock.settle()

    assert len(again.sender.sent) == 1
    assert starts(again)[-1].reason == "manual"
    assert again.dispatcher.pending == 0


async def test_asking_twice_while_an_attempt_is_under_way_is_asking_once(house: House) -> None:
    house.sender.hold()
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        created = house.journal.records[0]
        assert isinstance(created, DeliveryCreated)
        await house.dispatcher.redeliver(created, 1)
        await house.dispatcher.redeliver(created, 1)
        await house.clock.settle()
        house.sender.release()
        await task

    assert len(house.sender.sent) == 1


# --- where to


async def test_a_pinned_delivery_goes_where_it_was_meant_to_go_over_a_restart(house: House) -> None:
    house.snapshot = snapshot(endpoint("shop", url="https://old.example/", retry_target="pinned"))
    house.sender.answers = [500]
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        task.cancel()

    house.snapshot = snapshot(endpoint("shop", url="https://new.example/"))
    again = house.reborn()
    async with again.at_work():
        await again.clock.advance(5)
        async with asyncio.timeout(10):
            while not again.sender.sent:  # the pinned definition is read in a thread
                await asyncio.sleep(0.001)

    assert [prepared.url for prepared in again.sender.sent] == ["https://old.example/"]


async def test_a_token_is_had_for_the_attempt_hidden_everywhere_and_had_anew_when_it_is_refused(house: House) -> None:
    grant = Grant(token_url="https://login.example/", client_id="me", client_secret=Secret(b"client-secret"))
    house.snapshot = snapshot(replace(endpoint("shop"), grant=grant))

    def grants(token: str) -> Callable[[Prepared], Attempted]:
        return lambda prepared: answered(prepared, 200, body=f'{{"access_token": "{token}"}}')

    house.sender.answers = [
        grants("token-1"),
        lambda prepared: answered(prepared, 401, body="token-1 is over"),
        grants("token-2"),
        200,
    ]
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.advance(3)
        assert (await task).ok

    sent = [dict(prepared.headers) for prepared in house.sender.sent]
    assert [headers["Authorization"] for headers in (sent[1], sent[3])] == ["Bearer token-1", "Bearer token-2"]
    first = attempts(house)[0].exchange
    assert (first.request_headers["Authorization"], first.response_body) == ("***", "*** is over")


# --- calls


def call(*, body: bytes = b"{}", run: str = "run_1") -> Deliver:
    return replace(effect(run=run, body=body, retry="none"), is_call=True)


def says(status: int, body: str, media: str = "application/json") -> Callable[[Prepared], Attempted]:
    return lambda prepared: answered(prepared, status, {"content-type": media}, body)


async def test_any_answer_to_a_call_is_data(house: House) -> None:
    house.sender.answers = [says(200, '{"a": [1]}'), says(404, "no such page", "text/plain"), says(500, "{broken")]

    async with house.at_work():
        done = [await house.dispatcher.deliver(call(run=f"run_{number}")) for number in range(3)]

    created = [record for record in house.journal.records if isinstance(record, DeliveryCreated)]
    assert [item.ok for item in done] == [True] * 3
    assert [item.code for item in done] == [200, 404, 500]
    assert done[0].output == {
        "referenceId": created[0].delivery, "status": 200, "data": {"a": [1]}, "error": False, "message": None,
    }  # fmt: skip
    assert (done[1].output["data"], done[1].output["error"]) == ("no such page", True)
    assert done[1].output["message"] == "answered 404"
    assert done[2].output["data"] == "{broken"
    assert len(house.sender.sent) == 3


def unanswered(outcome: Outcome, error: str) -> Callable[[Prepared], Attempted]:
    return lambda prepared: Attempted(outcome=outcome, exchange=exchange_of(prepared), error=error)


async def test_that_nobody_answers_a_call_is_data_too(house: House) -> None:
    house.sender.answers = [unanswered("refused", "the connection was refused")]

    async with house.at_work():
        done = await house.dispatcher.deliver(call())

    assert done.ok
    assert (done.output["status"], done.output["data"], done.output["error"]) == (None, None, True)
    assert done.output["message"] == "the connection was refused"


async def test_a_call_is_made_at_once_whatever_is_held_against_the_endpoint(house: House) -> None:
    house.sender.answers = [410]

    async with house.at_work():
        await house.dispatcher.deliver(effect(run="first"))
        assert house.dispatcher.standings(["shop"])["shop"].hold is not None
        assert (await house.dispatcher.deliver(call())).code == 200


async def test_a_call_to_a_disabled_endpoint_says_so(house: House) -> None:
    house.snapshot = snapshot(endpoint("shop", enabled=False))

    async with house.at_work():
        done = await house.dispatcher.deliver(call())

    assert (done.ok, done.output["error"], done.output["message"]) == (True, True, "the endpoint shop is disabled")
    assert house.sender.sent == []


@pytest.mark.parametrize(("method", "sent"), [("POST", 0), ("GET", 1)])
async def test_a_call_that_a_crash_cut_off_is_made_again_only_if_twice_is_once(
    house: House, method: str, sent: int
) -> None:
    house.snapshot = snapshot(endpoint("shop", method=method))
    house.sender.hold()
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(call()))
        await house.clock.settle()
        task.cancel()

    again = house.reborn()
    async with again.at_work():
        done = await again.dispatcher.deliver(call())

    assert len(again.sender.sent) == sent
    assert (done.ok, done.output["error"]) == (True, sent == 0)


async def test_what_a_call_says_of_a_failure_names_no_host(house: House) -> None:
    house.sender.answers = [
        unanswered("blocked", "shop.internal (10.0.0.3) may not be called: a private address"),
    ]

    async with house.at_work():
        done = await house.dispatcher.deliver(call())

    assert done.output["message"] == "it may not be called"
    # The log does: whoever reads it has the definitions too.
    assert "shop.internal" in str(attempts(house)[0].error)


async def test_whoever_asks_over_the_api_gets_a_delivery_of_its_own_each_time(house: House) -> None:
    asked = replace(call(), run=RunId(""), step="", by="plugin")

    async with house.at_work() as group:
        tasks = [group.create_task(house.dispatcher.deliver(asked)) for _ in range(2)]
        await house.clock.settle()

    references = [task.result().output["referenceId"] for task in tasks]
    created = [record for record in house.journal.records if isinstance(record, DeliveryCreated)]
    assert len(house.sender.sent) == len(set(references)) == 2
    assert [(record.delivery, record.by) for record in created] == [(one, "plugin") for one in references]


@pytest.mark.parametrize("is_call", [True, False])
async def test_what_does_not_fit_an_endpoint_is_refused_before_anything_is_written(
    house: House,
    is_call: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    house.snapshot = snapshot(endpoint("shop", payload_encoding="base64"), endpoint("erp"))
    asked = replace(call(), endpoints=("shop",) if is_call else ("erp", "shop"), is_call=is_call)

    async with house.at_work():
        done = await house.dispatcher.deliver(asked)

    assert (done.ok, done.error) == (False, "endpoint shop: it takes text, and this is another kind of data")
    assert (house.journal.records, house.sender.sent, house.dispatcher.pending) == ([], [], 0)


async def test_what_was_judged_before_a_crash_is_not_judged_again(house: House) -> None:
    house.snapshot = snapshot(endpoint("shop", content_type="form", method="PUT"))
    house.sender.hold()
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(call(body=b'{"a":1}')))
        await house.clock.settle()
        task.cancel()
    again = house.reborn()
    again.snapshot = snapshot(endpoint("shop", payload_encoding="base64", method="PUT"))

    async with again.at_work():
        done = await again.dispatcher.deliver(call(body=b'{"a":1}'))

    assert done.ok
    assert [prepared.body for prepared in again.sender.sent] == [b"a=1"]


async def test_many_that_are_asked_for_again_wait_for_their_turn(house: House) -> None:
    house.snapshot = snapshot(endpoint("shop", max_in_flight=2))
    async with house.at_work():
        for number in range(6):
            await house.dispatcher.deliver(effect(run=f"run_{number}"))
        created = [record for record in house.journal.records if isinstance(record, DeliveryCreated)]
        house.sender.hold()
        for record in created:
            await house.dispatcher.redeliver(record, 1, in_turn=True)
        await house.clock.settle()
        under_way = house.dispatcher.standings(["shop"])["shop"]
        house.sender.release()
        await house.clock.settle()

    assert (under_way.in_flight, under_way.waiting, under_way.pending) == (2, 4, 6)
    assert [record.reason for record in starts(house)][6:] == ["manual"] * 6
    assert house.dispatcher.pending == 0


async def test_one_that_is_asked_for_in_its_turn_is_held_with_the_others(house: House) -> None:
    house.sender.answers = [410]
    async with house.at_work():
        await house.dispatcher.deliver(effect())
        created = house.journal.records[0]
        assert isinstance(created, DeliveryCreated)
        await house.dispatcher.redeliver(created, 1, in_turn=True)
        await house.dispatcher.redeliver(created, 1, in_turn=True)
        await house.clock.settle()
        assert house.dispatcher.is_open(created.delivery)
        assert len(house.sender.sent) == 1
        house.dispatcher.resume("shop")
        await house.clock.settle()

    assert len(house.sender.sent) == 2
    assert not house.dispatcher.is_open(created.delivery)


async def test_one_that_begins_anew_names_itself_in_the_log(house: House) -> None:
    async with house.at_work():
        await house.dispatcher.deliver(effect())
        created = house.journal.records[0]
        assert isinstance(created, DeliveryCreated)
        await house.dispatcher.redeliver(created, 1)
        await house.clock.settle()

    again = [record for record in house.journal.records if isinstance(record, DeliveryCreated)]
    assert [record.again for record in again] == [None, created.delivery]


async def test_how_things_stand_with_an_endpoint_is_told(house: House) -> None:
    house.snapshot = snapshot(endpoint("shop"), endpoint("other"))
    house.sender.answers = [500]
    async with house.at_work() as group:
        task = group.create_task(house.dispatcher.deliver(effect()))
        await house.clock.settle()
        told = house.dispatcher.standings(["shop", "other"])
        task.cancel()

    shop, other = told["shop"], told["other"]
    assert (shop.breaker, shop.failures, shop.pending, shop.hold) == ("closed", 1, 1, None)
    assert shop.last is not None
    assert (shop.last.outcome, shop.last.status) == ("http_5xx", 500)
    assert (other.last, other.pending, other.in_flight) == (None, 0, 0)


# --- the short way and the long one


def with_a_state_at_once(patch: pytest.MonkeyPatch) -> None:
    """Let every delivery have its state from the beginning, and fold every record: the way that others take."""
    create = Entry.create

    def created(entry: Entry, record: DeliveryCreated) -> None:
        create(entry, record)
        entry._state, entry.is_fresh = begin(record), False  # as `know` does, which calls this

    patch.setattr(Entry, "create", created)
    patch.setattr(Entry, "arrival", property(lambda _entry: None, lambda _entry, _arrival: None))


Asked = tuple[str, str, str | None]
"""How it is asked for, for which endpoint, and about what."""


async def lived_through(asked: Sequence[Asked], answers: Sequence[int]) -> tuple[list[Record], list[Performed | None]]:
    """Return what the log has of some deliveries after an hour, and what steps were told that wait no longer."""
    house = House(clock=FakeClock(), journal=MemoryJournal(), sender=FakeSender(*answers), snapshot=SEVERAL)
    tasks: list[asyncio.Task[Performed]] = []
    async with house.at_work() as group:
        for number, (how, name, subject) in enumerate(asked):
            wanted = replace(effect(name, step=f"s{number}"), subject=subject, is_call=how == "call")
            if how == "plan":
                house.dispatcher.take(DeliveryId(f"dlv_{number}"), wanted)
            else:
                tasks.append(group.create_task(house.dispatcher.deliver(wanted)))
            if number % 3 == 2:
                await house.clock.settle()
        await house.clock.advance(HOUR)
        told = [task.result() if task.done() else None for task in tasks]
        for task in tasks:
            task.cancel()
    return list(house.journal.read()), told


SEVERAL = snapshot(
    endpoint("shop", retry="quick"),
    endpoint("ledger", ordered=True, retry="quick"),
    endpoint("bank", at_most_once=True, max_in_flight=1, retry="quick"),
    endpoint("post", rate="2/1m", retry="quick"),
)


@settings(max_examples=25)
@given(
    asked=st.lists(
        st.tuples(
            st.sampled_from(("plan", "step", "call")),
            st.sampled_from(("shop", "ledger", "bank", "post")),
            st.sampled_from((None, "a", "b")),
        ),
        max_size=12,
    ),
    answers=st.lists(st.sampled_from((200, 200, 204, 500, 503, 404, 410)), max_size=20),
)
async def test_the_log_and_what_is_told_are_the_same_whether_a_delivery_has_a_state_from_the_beginning_or_not(
    asked: list[Asked], answers: list[int]
) -> None:
    short = await lived_through(asked, answers)
    with pytest.MonkeyPatch.context() as patch:
        with_a_state_at_once(patch)
        long = await lived_through(asked, answers)

    assert short == long
