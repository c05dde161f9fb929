from __future__ import annotations

import gzip

import httpx
import orjson
import pytest

from hooksd.errors import JournalFull
from hooksd.model.base import Json
from hooksd.web.answer import Answer
from tests.web.doubles import PEER, Listener, TokenVerifier, inbound, webhook

GZIP: dict[str, Json] = {"accept_encoding": ["gzip"]}


def form(**parts: object) -> tuple[bytes, dict[str, str]]:
    """Return the body and the header of a form as httpx sends it; what is a tuple is a file."""
    files = {name: part for name, part in parts.items() if isinstance(part, tuple)}
    data = {name: part for name, part in parts.items() if not isinstance(part, tuple)}
    request = httpx.Request("POST", "http://test", data=data, files=files or None)
    return request.read(), {"content-type": request.headers["content-type"]}


async def post_form(listener: Listener, hook: object = None, **parts: object) -> Answer:
    raw, headers = form(**parts)
    target = hook or webhook()
    return await listener.receive(
        target,  # type: ignore[arg-type] # a webhook of the tests
        inbound(raw, media="multipart/form-data", headers=headers),
        PEER,
    )


async def test_the_files_of_a_form_are_files_of_the_event_and_its_fields_are_the_body() -> None:
    listener = Listener()

    answer = await post_form(
        listener, sender="ada", doc=("../a.pdf", b"%PDF", "application/pdf"), note=("b.txt", b"hi")
    )

    event = listener.intake.events[0]
    assert answer.status == 202
    assert event.data == {"sender": "ada"}
    assert (event.media, event.raw) == ("application/json", b'{"sender":"ada"}')
    assert {key: (file.name, file.size) for key, file in event.files.items()} == {
        "doc": ("a.pdf", 4),
        "note": ("b.txt", 2),
    }
    assert listener.journal.blobs[event.files["doc"].digest] == b"%PDF"
    assert event.folder == listener.journal.folder


async def test_a_credential_in_a_field_is_hidden() -> None:
    listener = Listener()

    await post_form(listener, token="hunter2", doc=("a", b"1"))

    assert listener.intake.events[0].data == {"token": "***"}
    assert b"hunter2" not in listener.intake.events[0].raw


@pytest.mark.parametrize(
    ("limits", "status"),
    [({"files": 1}, 413), ({"fields": 0}, 413), ({"file": "3B"}, 413), ({"file": "4B", "files": 2, "fields": 1}, 202)],
)
async def test_a_form_has_no_more_than_the_webhook_allows(limits: Json, status: int) -> None:
    listener = Listener()

    answer = await post_form(listener, webhook(limits=limits), a="1", doc=("a", b"1234"), other=("b", b"1"))

    assert answer.status == status
    assert await listener.reasons() == ({"too_large": 1} if status == 413 else {})


async def test_what_is_no_form_is_unreadable() -> None:
    listener = Listener()
    request = inbound(
        b"hello", media="multipart/form-data", headers={"content-type": "multipart/form-data; boundary=x"}
    )

    assert (await listener.receive(webhook(), request, PEER)).status == 400
    assert await listener.reasons() == {"unreadable_body": 1}


async def test_without_room_for_a_file_the_caller_is_asked_to_come_again() -> None:
    listener = Listener()
    listener.journal.fail_with(JournalFull("full"))

    assert (await post_form(listener, doc=("a", b"1"))).status == 503
    assert listener.intake.events == []


async def test_the_same_form_with_the_same_key_is_a_duplicate_however_it_is_cut_up() -> None:
    listener = Listener()
    answers = []
    for content in (b"1", b"1", b"2"):
        raw, headers = form(doc=("a", content))
        request = inbound(raw, media="multipart/form-data", headers={**headers, "idempotency-key": "k"})
        answers.append(await listener.receive(webhook(), request, PEER))

    assert [answer.status for answer in answers] == [202, 200, 409]


async def test_a_body_that_is_no_text_is_a_file() -> None:
    listener = Listener()
    hook = webhook(accept=["application/octet-stream"])
    raw = b"\x89PNG\xff"

    answer = await listener.receive(hook, inbound(raw, media="application/octet-stream"), PEER)

    event = listener.intake.events[0]
    assert answer.status == 202
    assert (event.data, event.raw) == (None, raw)
    assert event.files["body"].size == len(raw)
    assert listener.journal.blobs[event.files["body"].digest] == raw


async def test_an_empty_body_is_no_file() -> None:
    listener = Listener()
    hook = webhook(accept=["application/octet-stream"])

    await listener.receive(hook, inbound(b"", media="application/octet-stream"), PEER)

    assert listener.intake.events[0].files == {}


@pytest.mark.parametrize("media", ["application/xml", "text/plain", "text/csv"])
async def test_xml_and_other_text_is_read_as_text(media: str) -> None:
    listener = Listener()

    await listener.receive(webhook(accept=[media]), inbound(b"<a>&b;</a>", media=media), PEER)

    assert listener.intake.events[0].data == "<a>&b;</a>"


async def test_a_compressed_body_is_read_where_it_is_asked_for() -> None:
    listener = Listener()
    packed = gzip.compress(b'{"a":1}')

    answer = await listener.receive(webhook(**GZIP), inbound(packed, headers={"content-encoding": "GZIP"}), PEER)

    assert answer.status == 202
    assert (listener.intake.events[0].data, listener.intake.events[0].raw) == ({"a": 1}, b'{"a":1}')


async def test_a_webhook_that_takes_compressed_bodies_takes_others_too() -> None:
    listener = Listener()

    assert (await listener.receive(webhook(**GZIP), inbound(b"{}"), PEER)).status == 202


@pytest.mark.parametrize(
    ("coding", "keys", "hint"), [("gzip", {}, "identity"), ("br", GZIP, "gzip"), ("gzip, gzip", GZIP, "gzip")]
)
async def test_another_coding_is_refused_and_the_caller_told_which_are_taken(
    coding: str, keys: dict[str, Json], hint: str
) -> None:
    listener = Listener()

    answer = await listener.receive(webhook(**keys), inbound(b"x", headers={"content-encoding": coding}), PEER)

    assert answer.status == 415
    assert answer.header("accept-encoding") == hint
    assert await listener.reasons() == {"content_coding": 1}


@pytest.mark.parametrize(
    ("packed", "status"),
    [(gzip.compress(b"1" * 101), 413), (gzip.compress(b"1")[:-3], 400)],
    ids=["too long", "cut"],
)
async def test_a_compressed_body_is_no_longer_than_a_body_may_be(packed: bytes, status: int) -> None:
    listener = Listener()
    hook = webhook(limits={"body": "100B"}, **GZIP)

    answer = await listener.receive(hook, inbound(packed, headers={"content-encoding": "gzip"}), PEER)

    assert answer.status == status


async def test_nothing_is_unpacked_for_callers_who_are_not_who_they_say() -> None:
    listener = Listener()
    hook = webhook(verifier=TokenVerifier(token="t"), **GZIP)

    answer = await listener.receive(hook, inbound(b"no gzip", headers={"content-encoding": "gzip"}), PEER)

    assert answer.status == 401


async def test_a_compressed_form_with_files_is_read() -> None:
    listener = Listener()
    raw, headers = form(doc=("a", b"1" * 1000))
    request = inbound(gzip.compress(raw), media="multipart/form-data", headers={**headers, "content-encoding": "gzip"})

    assert (await listener.receive(webhook(**GZIP), request, PEER)).status == 202
    assert listener.intake.events[0].files["doc"].size == 1000


async def test_over_http_a_form_is_read_while_it_comes_if_the_caller_is_known_by_the_head() -> None:
    listener = Listener(webhooks=(webhook(),))

    async with listener.client() as client:
        answer = await client.post("/hooks/github", data={"a": "1"}, files={"doc": ("x", b"1" * 300_000)})

    assert answer.status_code == 202
    assert listener.intake.events[0].files["doc"].size == 300_000


@pytest.mark.parametrize(
    ("keys", "status", "reason"),
    [
        ({"limits": {"body": "1KB"}}, 413, "too_large"),
        ({"limits": {"file": "1KB"}}, 413, "too_large"),
        ({"methods": ["PUT"]}, 405, "method"),
    ],
)
async def test_over_http_a_form_is_refused_like_any_body(keys: dict[str, Json], status: int, reason: str) -> None:
    listener = Listener(webhooks=(webhook(**keys),))

    async with listener.client() as client:
        answer = await client.post("/hooks/github", files={"doc": ("x", b"1" * 5000)})

    assert answer.status_code == status
    assert orjson.loads(answer.content)["status"] == status
    assert await listener.reasons() == {reason: 1}


async def test_over_http_a_stranger_is_refused_before_a_file_is_read() -> None:
    listener = Listener(webhooks=(webhook(verifier=TokenVerifier(token="t")),))

    async with listener.client() as client:
        answer = await client.post("/hooks/github", files={"doc": ("x", b"1" * 5000)})

    assert answer.status_code == 401
    assert listener.journal.blobs == {}
    assert await listener.reasons() == {"bad_token": 1}


async def test_the_bytes_of_a_file_stay_as_they_are_whatever_they_look_like() -> None:
    listener = Listener()
    data = b"a=1&token=looks-like-a-credential&b=2"

    await post_form(listener, doc=("x", data))
    hook = webhook(accept=["application/octet-stream"])
    await listener.receive(hook, inbound(data, media="application/octet-stream"), PEER)

    assert listener.journal.blobs[listener.intake.events[0].files["doc"].digest] == data
    assert listener.journal.blobs[listener.intake.events[1].files["body"].digest] == data


async def test_a_credential_in_a_compressed_body_is_hidden() -> None:
    listener = Listener()
    request = inbound(
        gzip.compress(b"token=hunter2&a=1"),
        media="application/x-www-form-urlencoded",
        headers={"content-encoding": "gzip"},
    )

    await listener.receive(webhook(**GZIP), request, PEER)

    assert listener.intake.events[0].data == {"token": "***", "a": "1"}
    assert b"hunter2" not in listener.intake.events[0].raw
