from __future__ import annotations

from typing import Any

import pytest

from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Authentic, Observed, Refused
from hooksd.clock import unix
from hooksd.config.snapshot import CompiledWebhook
from hooksd.model.arrival import Arrival, frame_of
from hooksd.model.body import Document
from hooksd.model.trust import Trust
from hooksd.testing import FakeIds
from hooksd.web.arriving import arrival_of
from hooksd.web.bodies import Content
from hooksd.web.body import Unreadable
from hooksd.web.naming import Unnamed
from tests.web.doubles import ORIGIN, inbound, webhook

NOW = unix("2026-11-22T03:28:00.123Z")
FIRST = Authentic(key=1)


def arrived(request: Inbound, hook: CompiledWebhook | None = None, verdict: Any = FIRST) -> Arrival:
    return arrival_of(hook or webhook(), request, verdict, NOW, None, FakeIds().event)


def test_an_arrival_says_what_came_when_from_whom_and_how_it_is_called() -> None:
    found = arrived(inbound(b'{"a": 1}', headers={"x-event": "push", "x-delivery": "d-1"}, query="b=2"))

    assert found == Arrival(
        id=found.id, type="github.push", subject=None, time="2026-11-22T03:28:00.123Z", trust=Trust.TOKEN,
        webhook="github", delivery_id="d-1", headers={"x-event": "push", "x-delivery": "d-1"}, query={"b": "2"},
        document=Document("application/json", b'{"a": 1}'), key=1,
        frame=frame_of("github", Trust.TOKEN, ORIGIN),
    )  # fmt: skip


def test_what_no_media_type_is_said_of_is_empty_and_called_json() -> None:
    found = arrived(inbound(b"", media=""))

    assert (found.media, found.raw, found.data) == ("application/json", b"", None)


def test_credentials_are_hidden_wherever_they_stand() -> None:
    request = inbound(
        b"token=abc&a=1", media="application/x-www-form-urlencoded", headers={"x-token": "abc"}, query="token=abc"
    )

    found = arrived(request)

    assert (found.headers, found.query, found.data) == (
        {"x-token": "***"}, {"token": "***"}, {"token": "***", "a": "1"},
    )  # fmt: skip


def test_a_body_that_was_read_elsewhere_is_taken_as_it_is() -> None:
    content = Content("image/png", b"\x89", None, {})

    found = arrival_of(webhook(), inbound(b"", media="image/png"), FIRST, NOW, content, FakeIds().event)

    assert (found.media, found.raw, found.data) == ("image/png", b"\x89", None)


@pytest.mark.parametrize(
    ("verdict", "key", "observed"),
    [
        (FIRST, 1, None),
        (Observed(found=FIRST), 1, "accepted"),
        (Observed(found=Refused(reason="bad_token")), None, "bad_token"),
    ],
)
def test_what_only_observes_tells_what_it_would_have_said(verdict: Any, key: int | None, observed: str | None) -> None:
    found = arrived(inbound(), verdict=verdict)

    assert (found.key, found.observed) == (key, observed)


def test_templates_read_body_headers_and_query_and_the_type_is_asked_for_first() -> None:
    hook = webhook(event="{{ body.kind }}", subject="{{ query.s }}", dedupe="{{ headers['x-part'] }}")

    found = arrived(inbound(b'{"kind": "paid"}', headers={"x-part": "7"}, query="s=order"), hook)

    assert (found.type, found.subject, found.delivery_id) == ("paid", "order", "7")
    for missing, request in (
        ("event", inbound(b"{}")),
        ("subject", inbound(b'{"kind": "paid"}')),
        ("dedupe", inbound(b'{"kind": "paid"}', query="s=order")),
    ):
        with pytest.raises(Unnamed, match=f"`{missing}`"):
            arrived(request, hook)


@pytest.mark.parametrize("request_", [inbound(b"{"), inbound(query="&".join(["a=1"] * 1001))], ids=["body", "query"])
def test_what_is_not_what_it_says_is_unreadable(request_: Inbound) -> None:
    with pytest.raises(Unreadable):
        arrived(request_)
