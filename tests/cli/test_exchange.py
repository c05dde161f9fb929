"""A delivery as curl -v would show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click
import orjson
import pytest

from hooksd.cli.exchange import SHOWN, body_of, end_of, told
from hooksd.model.record import AttemptEnded, DeliveryCreated, DeliveryEnded, Record
from hooksd.model.stored import StoredBody, store_body
from tests.cli.conftest import DELIVERY, STORY

CREATED = next(record for record in STORY if isinstance(record, DeliveryCreated))
ATTEMPT = next(record for record in STORY if isinstance(record, AttemptEnded))
ENDED = next(record for record in STORY if isinstance(record, DeliveryEnded))
EXCHANGE = replace(
    ATTEMPT.exchange,
    url="https://chat.example:8443/hook/***?a=1",
    request_headers={"Content-Type": "application/json", "Authorization": "***"},
    request_size=11,
    peer="192.0.2.7:8443",
    phases={"dns": 0.5, "connect": 1.0},
    response_headers={"x-evil": "\x1b[31m"},
    response_body="line 1\n\x1b]0;evil\x07line 2\n",
)
BLOBS: dict[str, bytes] = {}


def trees(*records: Record) -> list[Mapping[str, Any]]:
    return [orjson.loads(orjson.dumps(record)) for record in records]


def shown(*records: Record, whole: bool = False) -> list[str]:
    return [click.unstyle(line) for line in told(trees(*records), BLOBS.__getitem__, whole=whole)]


def sent(body: StoredBody, **exchange: Any) -> list[str]:
    created = replace(CREATED, body=body)
    return shown(created, replace(ATTEMPT, exchange=replace(EXCHANGE, request_size=body.size, **exchange)), ENDED)


def test_the_request_and_the_answer_stand_line_by_line() -> None:
    created = replace(CREATED, body=store_body("application/json", b'{"order":7}'))

    lines = shown(created, replace(ATTEMPT, exchange=EXCHANGE, retry_at="2026-11-22T05:00:00.000Z"))

    assert lines[0] == f"{DELIVERY}  to chat  under way after 1 attempt"
    assert lines[1].startswith("event evt_")
    assert "step on_failure[1] of run_" in lines[1]
    assert lines[3:] == [
        "attempt 1 (first) at 2026-11-22T04:00:00.000Z: http_5xx in 12ms",
        "* connected to 192.0.2.7:8443, dns 0.5 ms, connect 1 ms",
        "> POST /hook/***?a=1 HTTP/1.1",
        "> Host: chat.example:8443",
        "> Content-Type: application/json",
        "> Authorization: ***",
        "> Content-Length: 11",
        ">",
        '> {"order":7}',
        "< HTTP/1.1 503 Service Unavailable",
        r"< x-evil: \x1b[31m",
        "<",
        "< line 1",
        r"< \x1b]0;evil\x07line 2",
        "* 503 Service Unavailable",
        "* again at 2026-11-22T05:00:00.000Z",
    ]


def test_how_it_ended_is_said_first() -> None:
    assert shown(CREATED, ATTEMPT, ENDED)[0].endswith("exhausted after 1 attempt")


def test_one_that_began_anew_says_when_and_is_under_way() -> None:
    again = replace(CREATED, at="2026-11-22T06:00:00.000Z", attempts=1, again=DELIVERY)

    lines = shown(CREATED, ATTEMPT, ENDED, again, replace(ATTEMPT, number=2, reason="manual"))

    assert lines[0].endswith("under way after 2 attempts")
    assert lines.index("asked for again at 2026-11-22T06:00:00.000Z") < lines.index(
        "attempt 2 (manual) at 2026-11-22T04:00:00.000Z: http_5xx in 12ms"
    )


def test_one_by_subscription_has_no_step() -> None:
    assert "step" not in shown(replace(CREATED, run="", step=""))[1]


def test_a_request_that_was_not_made_has_an_error_alone() -> None:
    nothing = replace(EXCHANGE, method="", url="", request_headers={}, status=None, peer=None)

    lines = shown(CREATED, replace(ATTEMPT, outcome="config", exchange=nothing, error="the endpoint was removed"))

    assert lines[3:] == [
        "attempt 1 (first) at 2026-11-22T04:00:00.000Z: config in 12ms",
        "* the endpoint was removed",
    ]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (store_body("text/plain", b"two\nlines"), "> lines"),
        (store_body("image/png", b"\x00\xff"), "* 2 bytes that are no text"),
        (StoredBody(media="a/b", size=3, encoding="blob", content="sha256:gone"), "* 3 bytes, which are not beside"),
    ],
    ids=["text", "bytes", "gone"],
)
def test_a_body_is_shown_if_it_is_text_and_there(body: StoredBody, line: str) -> None:
    assert any(one.startswith(line) for one in sent(body))


def test_a_request_without_a_body_has_no_length() -> None:
    assert not any(one.startswith("> Content-Length") for one in sent(store_body("application/json", b"")))


def test_long_bodies_are_cut_unless_the_whole_is_wanted() -> None:
    created = replace(CREATED, body=store_body("text/plain", b"x" * (SHOWN + 7)))
    attempt = replace(ATTEMPT, exchange=replace(EXCHANGE, response_truncated=True))

    assert "* 7 more characters: --whole shows them" in shown(created, attempt)
    assert "> " + "x" * (SHOWN + 7) in shown(created, attempt, whole=True)
    assert "* the answer went on: no more of it was kept" in shown(created, attempt)


def test_an_answer_with_a_status_that_nobody_knows_is_shown_too() -> None:
    lines = sent(store_body("text/plain", b"x"), status=799)

    assert "< HTTP/1.1 799" in lines


@pytest.mark.parametrize("raw", [b"", b'{"a":1}', b"text", b"two\nlines", b"\xff\x00"])
def test_bodies_come_back_byte_for_byte(raw: bytes) -> None:
    media = "application/json" if raw.startswith(b"{") else "text/plain"
    (tree,) = trees(replace(CREATED, body=store_body(media, raw)))

    assert body_of(tree["body"], BLOBS.__getitem__) == raw


def test_the_end_is_that_of_the_last_life() -> None:
    again = replace(CREATED, attempts=1, again=DELIVERY)

    assert end_of(trees(CREATED, ENDED, again)) is None
    assert end_of(trees(CREATED)) is None
    found = end_of(trees(CREATED, ENDED, again, replace(ENDED, status="delivered")))
    assert found is not None
    assert found["status"] == "delivered"


def test_one_that_somebody_triggered_says_who() -> None:
    assert shown(replace(CREATED, event="", run="", step="", by="shop"))[1].startswith("asked for by shop, created ")
