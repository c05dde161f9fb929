from __future__ import annotations

import asyncio

import orjson
import pytest

from hooksd.config.snapshot import CompiledWebhook, Entry
from hooksd.errors import JournalFull
from hooksd.model.trust import Trust
from hooksd.web.answer import Answer
from hooksd.web.duplicates import Duplicates
from tests.web.doubles import PEER, Listener, TokenVerifier, inbound, webhook

FIRST = {"x-delivery": "d-1"}
KEYED = {"idempotency-key": '"k-1"'}


async def post(listener: Listener, hook: CompiledWebhook, headers: dict[str, str], body: bytes = b"{}") -> Answer:
    return await listener.receive(hook, inbound(body, headers=headers), PEER)


@pytest.mark.parametrize("headers", [FIRST, KEYED], ids=["provider", "caller"])
async def test_the_second_delivery_with_an_id_gets_200_and_the_first_event(headers: dict[str, str]) -> None:
    listener = Listener()
    hook = webhook()

    first = await post(listener, hook, headers)
    second = await post(listener, hook, headers)

    assert (first.status, second.status) == (202, 200)
    assert orjson.loads(second.body) == {"event": listener.intake.events[0].id, "duplicate": True}
    assert len(listener.intake.events) == 1
    assert await listener.reasons() == {"duplicate": 1}


async def test_another_id_or_another_webhook_is_no_duplicate() -> None:
    listener = Listener()

    answers = [
        await post(listener, webhook(), FIRST),
        await post(listener, webhook(), {"x-delivery": "d-2"}),
        await post(listener, webhook("gitlab"), FIRST),
        await post(listener, webhook(), {}),
        await post(listener, webhook(), {}),
    ]

    assert [answer.status for answer in answers] == [202] * 5


async def test_a_webhook_that_answers_nothing_says_nothing_of_duplicates() -> None:
    listener = Listener()
    hook = webhook(answer="none")

    assert [(await post(listener, hook, FIRST)).status for _ in range(2)] == [204, 204]
    assert len(listener.intake.events) == 1


async def test_a_webhook_may_take_every_delivery() -> None:
    listener = Listener()
    hook = webhook(dedupe=False)

    assert [(await post(listener, hook, {**FIRST, **KEYED})).status for _ in range(2)] == [202, 202]


async def test_a_redelivery_of_an_event_whose_runs_all_failed_is_accepted() -> None:
    listener = Listener()
    await post(listener, webhook(), FIRST)
    listener.duplicates.ended(listener.intake.events[0].id, "failed")

    answer = await post(listener, webhook(), FIRST)

    assert answer.status == 202
    assert len(listener.intake.events) == 2


async def test_a_template_may_say_what_tells_one_delivery_from_another() -> None:
    listener = Listener()
    hook = webhook(dedupe="{{ body.id }}-{{ headers['x-part'] }}")

    answers = [
        await post(listener, hook, {**FIRST, "x-part": "1"}, b'{"id": 7}'),
        await post(listener, hook, {"x-part": "1"}, b'{"id": 7, "again": true}'),
        await post(listener, hook, {**FIRST, "x-part": "2"}, b'{"id": 7}'),
    ]

    assert [answer.status for answer in answers] == [202, 200, 202]
    assert listener.intake.events[0].delivery_id == "7-1"


@pytest.mark.parametrize("body", [b"{}", b'{"id": ""}'])
async def test_a_request_from_which_the_template_makes_nothing_is_refused(body: bytes) -> None:
    listener = Listener()

    answer = await post(listener, webhook(dedupe="{{ body.id }}"), {}, body)

    assert answer.status == 422
    assert b"dedupe" in answer.body
    assert await listener.reasons() == {"unnamed_event": 1}


async def test_a_long_id_is_told_from_others_all_the_same() -> None:
    listener = Listener()
    hook = webhook(dedupe="{{ body.id }}")
    bodies = [orjson.dumps({"id": "x" * 5000 + end}) for end in ("1", "2", "1")]

    assert [(await post(listener, hook, {}, body)).status for body in bodies] == [202, 202, 200]


async def test_the_same_key_with_another_body_is_a_conflict() -> None:
    listener = Listener()
    await post(listener, webhook(), KEYED, b'{"a": 1}')

    answer = await post(listener, webhook(), KEYED, b'{"a": 2}')

    assert answer.status == 409
    assert b"Idempotency-Key" in answer.body
    assert len(listener.intake.events) == 1
    assert await listener.reasons() == {"key_reused": 1}


async def test_a_key_that_is_none_is_refused() -> None:
    listener = Listener()

    assert (await post(listener, webhook(), {"idempotency-key": "a b"})).status == 400
    assert await listener.reasons() == {"unreadable_body": 1}


async def test_who_signs_chooses_no_key_because_the_signature_does_not_cover_it() -> None:
    listener = Listener()
    hook = webhook(verifier=TokenVerifier(trust=Trust.SIGNED))

    assert [(await post(listener, hook, KEYED, body)).status for body in (b'{"a":1}', b'{"a":2}')] == [202, 202]


async def test_the_fingerprint_of_a_request_with_a_key_goes_into_the_log() -> None:
    listener = Listener()

    await post(listener, webhook(), KEYED)

    event = listener.intake.events[0]
    assert event.delivery_id == "k-1"
    assert event.fingerprint is not None
    assert len(event.fingerprint) == 16


async def test_duplicates_that_come_before_the_first_is_durable_wait_and_are_one_event() -> None:
    listener = Listener()
    listener.intake.gate.clear()
    requests = [asyncio.ensure_future(post(listener, webhook(), FIRST)) for _ in range(5)]
    await listener.clock.settle()
    assert not any(request.done() for request in requests)

    listener.intake.gate.set()
    answers = [await request for request in requests]

    assert sorted(answer.status for answer in answers) == [200, 200, 200, 200, 202]
    assert {orjson.loads(answer.body)["event"] for answer in answers} == {listener.intake.events[0].id}


async def test_when_the_first_cannot_be_durable_no_duplicate_is_told_that_it_is() -> None:
    listener = Listener()
    listener.intake.gate.clear()
    listener.intake.error = JournalFull("full")
    requests = [asyncio.ensure_future(post(listener, webhook(), FIRST)) for _ in range(3)]
    await listener.clock.settle()

    listener.intake.gate.set()
    answers = [await request for request in requests]
    listener.intake.error = None

    assert [answer.status for answer in answers] == [503, 503, 503]
    assert (await post(listener, webhook(), FIRST)).status == 202


async def test_when_a_caller_is_cut_off_nobody_is_told_that_its_event_is_durable() -> None:
    listener = Listener()
    listener.intake.gate.clear()
    first = asyncio.ensure_future(post(listener, webhook(), FIRST))
    await listener.clock.settle()
    second = asyncio.ensure_future(post(listener, webhook(), FIRST))
    await listener.clock.settle()

    first.cancel()
    answer = await second

    assert answer.status == 503
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_an_event_whose_caller_is_cut_off_while_it_is_written_is_known_when_it_is_durable() -> None:
    listener = Listener()
    first = asyncio.ensure_future(post(listener, webhook(), FIRST))
    await asyncio.sleep(0)
    assert len(listener.intake.events) == 1

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first

    assert (await post(listener, webhook(), FIRST)).status == 200
    assert len(listener.intake.events) == 1


async def test_an_error_of_ours_leaves_no_id_behind() -> None:
    listener = Listener()
    listener.intake.error = RuntimeError("bug")
    with pytest.raises(RuntimeError):
        await post(listener, webhook(), FIRST)
    listener.intake.error = None

    assert (await post(listener, webhook(), FIRST)).status == 202


def test_a_webhook_without_options_asks_nothing() -> None:
    assert webhook().entry is None
    assert webhook(dedupe=False).entry == Entry(takes_all=True)
    assert isinstance(Listener().duplicates, Duplicates)
