from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_binary, from_structured
from cloudevents.core.formats.json import JSONFormat

from hooksd.delivery.shape import MAX_HEADER, Message, shaped
from hooksd.model.body import parse
from hooksd.model.endpoint import Shape
from hooksd.model.event import Event
from hooksd.model.ids import EventId
from hooksd.model.trust import Trust

BODY = b'{"order": 7,  "by": "\xc3\xa9"}'


def event(raw: bytes = BODY, media: str = "application/json", **more: Any) -> Event:
    fields = {
        "id": EventId("evt_1"), "type": "order.paid", "source": "webhook/shop", "subject": "7",
        "time": "2026-11-22T08:00:00.250Z", "trust": Trust.SIGNED, "raw": raw, "media": media,
        "data": parse(media, raw), **more,
    }  # fmt: skip
    return Event(**fields)


def message(one: Event, shape: Shape, *, is_form: bool = False, has_entity: bool = True) -> Message:
    return shaped(one, shape=shape, endpoint="erp", delivery="dlv_1", is_form=is_form, has_entity=has_entity)


@pytest.mark.parametrize(
    ("raw", "media"),
    [(BODY, "application/json"), (b"a=1", "application/x-www-form-urlencoded"), (b"\x00\xff", "image/png")],
)
def test_json_is_the_body_as_it_came_byte_for_byte(raw: bytes, media: str) -> None:
    assert message(event(raw, media), "json") == Message(headers={}, media=media, body=raw)


@pytest.mark.parametrize("subject", [None, "7", 'a "b" 100 % é\r\n'])
@pytest.mark.parametrize(
    ("raw", "media", "data"),
    [
        (BODY, "application/json", {"order": 7, "by": "é"}),
        (b"hello", "text/plain", "hello"),
        (b"\x00\xff", "application/octet-stream", b"\x00\xff"),
    ],
)
def test_the_library_of_cloudevents_reads_both_modes(raw: bytes, media: str, data: object, subject: str | None) -> None:
    one = event(raw, media, subject=subject)

    binary, structured = message(one, "cloudevents"), message(one, "cloudevents-structured")
    read_binary = from_binary(HTTPMessage({**binary.headers, "content-type": binary.media}, binary.body), JSONFormat())
    read = from_structured(HTTPMessage({"content-type": structured.media}, structured.body), JSONFormat())

    for each in (read_binary, read):
        assert (each.get_id(), each.get_type(), each.get_source()) == ("evt_1", "order.paid", "webhook/shop")
        assert each.get_subject() == subject
        assert each.get_time().isoformat() == "2026-11-22T08:00:00.250000+00:00"  # type: ignore[union-attr] # it has one
        assert each.get_datacontenttype() == media
        assert each.get_data() == data


def test_a_cloudevent_without_its_entity_has_attributes_alone() -> None:
    binary = message(event(), "cloudevents", has_entity=False)

    assert (binary.media, binary.body) == ("", b"")
    assert binary.headers["ce-id"] == "evt_1"
    assert "data" not in orjson.loads(message(event(), "cloudevents-structured", has_entity=False).body)


ETLWORKS = {
    "eventId": "dlv_1", "eventType": "order.paid", "webhookId": "erp", "entityId": "7",
    "entity": {"order": 7, "by": "é"}, "timestamp": 1795334400250,
}  # fmt: skip


def test_etlworks_is_told_in_headers_and_in_the_body() -> None:
    made = message(event(), "etlworks")

    assert orjson.loads(made.body) == ETLWORKS
    assert made.media == "application/json"
    assert made.headers == {
        "X-Etl-Webhook-Event-Id": "dlv_1",
        "X-Etl-Webhook-Event": "order.paid",
        "X-Etl-Webhook-Id": "erp",
        "X-Etl-Webhook-Entity-Id": "7",
    }


def test_etlworks_takes_the_entity_from_a_body_that_names_it() -> None:
    flow = {"entityId": 11225, "entity": {"name": "nightly"}, "entityUrl": "https://etl.example/flows/1?auditId=11225"}

    made = message(event(orjson.dumps(flow)), "etlworks")

    assert orjson.loads(made.body) == {**ETLWORKS, **flow}
    assert made.headers["X-Etl-Webhook-Entity-Id"] == "11225"
    assert made.headers["X-Etl-Webhook-Entity-URL"] == flow["entityUrl"]


def test_etlworks_as_a_form_has_the_same_fields() -> None:
    made = message(event(), "etlworks", is_form=True, has_entity=False)

    assert made.media == "application/x-www-form-urlencoded"
    assert parse_qs(made.body.decode()) == {key: [str(value)] for key, value in ETLWORKS.items() if key != "entity"}


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "x" * 100_000, "\x00é"])
def test_what_a_body_says_cannot_break_out_of_a_header_or_fill_it(value: str) -> None:
    made = message(event(orjson.dumps({"entityId": value, "entityUrl": value})), "etlworks")

    for text in made.headers.values():
        assert text.isascii()
        assert text.isprintable()
        assert len(text) <= 3 * MAX_HEADER


def test_virtuoso_splits_the_type_and_lays_the_body_beside_it() -> None:
    execution = {"type": "mine", "execution": {"id": 1}, "goal": {}, "sender": {"id": 2}}
    one = event(orjson.dumps(execution), type="execution.finished")

    assert orjson.loads(message(one, "virtuoso").body) == {
        **execution, "type": "EXECUTION", "event": "FINISHED", "webhookId": "erp",
    }  # fmt: skip
    assert orjson.loads(message(one, "virtuoso", has_entity=False).body) == {
        "type": "EXECUTION", "event": "FINISHED", "webhookId": "erp", "sender": {"id": 2},
    }  # fmt: skip


def test_virtuoso_gets_a_body_that_is_no_object_as_data() -> None:
    assert orjson.loads(message(event(b"[1]", type="ping"), "virtuoso").body) == {
        "type": "PING", "data": [1], "webhookId": "erp",
    }  # fmt: skip


def test_a_cloudevent_that_was_published_goes_on_as_the_one_it_was() -> None:
    given = {
        "specversion": "1.0",
        "id": "o-1",
        "source": "https://shop.example/é",
        "type": "order.paid",
        "tenant": "a b",
    }
    headers = {**{f"ce-{name}": value for name, value in given.items()}, "x-hooksd-via": "0" * 16}
    one = event(publisher="shop", source=given["source"], headers=headers)

    binary, structured = message(one, "cloudevents"), message(one, "cloudevents-structured")
    read_binary = from_binary(HTTPMessage({**binary.headers, "content-type": binary.media}, binary.body), JSONFormat())
    read = from_structured(HTTPMessage({"content-type": structured.media}, structured.body), JSONFormat())

    for each in (read_binary, read):
        assert (each.get_id(), each.get_source(), each.get_extension("tenant")) == ("o-1", given["source"], "a b")
        assert each.get_data() == {"order": 7, "by": "é"}
    assert "x-hooksd-via" not in binary.headers


def test_a_ping_in_the_format_of_virtuoso_always_has_the_configuration() -> None:
    one = event(b'{"endpoint": "erp", "webhook": {"id": "erp"}}', type="ping", source="hooksd")

    assert orjson.loads(message(one, "virtuoso", has_entity=False).body) == {
        "endpoint": "erp",
        "webhook": {"id": "erp"},
        "type": "PING",
        "webhookId": "erp",
    }
