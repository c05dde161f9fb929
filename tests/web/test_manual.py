from __future__ import annotations

import pytest

from hooksd.model.base import Json
from hooksd.model.endpoint import Endpoint
from hooksd.model.ids import EventId
from hooksd.model.trust import Trust
from hooksd.web.manual import NotMeant, PublishEvent, StartWorkflow, manual_event, ping_event, read_trigger


def test_a_workflow_is_started_by_name() -> None:
    trigger = read_trigger({"workflow": "deploy", "data": {"ref": "main"}})

    assert trigger == StartWorkflow(workflow="deploy", data={"ref": "main"})


def test_an_event_is_published_by_its_type() -> None:
    assert read_trigger({"event": "gitlab.Push Hook"}) == PublishEvent(event_type="gitlab.Push Hook", data=None)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (None, "JSON object"),
        ([], "JSON object"),
        ({}, "either"),
        ({"workflow": "a", "event": "b"}, "either"),
        ({"workflow": 7}, "either"),
        ({"event": ""}, "1 to 512"),
        ({"event": "a\nb"}, "1 to 512"),
        ({"event": "x" * 513}, "1 to 512"),
        ({"workflow": "a", "dta": 1}, "unknown key 'dta'"),
    ],
)
def test_what_means_nothing_is_told_what_to_send(document: Json, said: str) -> None:
    with pytest.raises(NotMeant, match=said):
        read_trigger(document)


def test_an_operator_is_trusted_as_the_machine_itself() -> None:
    event = manual_event(EventId("evt_1"), StartWorkflow(workflow="deploy", data={"a": 1}), 0.0)

    assert event.trust is Trust.LOCAL
    assert event.type == "manual"
    assert event.source == "cli"
    assert event.time == "1970-01-01T00:00:00.000Z"
    assert (event.raw, event.data) == (b'{"a":1}', {"a": 1})


def test_an_event_without_data_has_no_body() -> None:
    event = manual_event(EventId("evt_1"), PublishEvent(event_type="a.b", data=None), 0.0)

    assert event.type == "a.b"
    assert (event.raw, event.data) == (b"", None)


def test_a_ping_says_what_the_endpoint_gets_and_no_address() -> None:
    endpoint = Endpoint.model_validate({"url": "https://erp.example/{{ secrets.path }}", "subscribe": "order.*"})

    event = ping_event(EventId("evt_1"), "erp", endpoint, 0.0)

    assert (event.type, event.source, event.trust) == ("ping", "hooksd", Trust.LOCAL)
    assert event.data["endpoint"] == "erp"
    assert event.data["webhook"]["subscribe"] == ["order.*"]
    assert b"erp.example" not in event.raw
    assert "sender" not in event.data


def test_a_ping_names_who_asked_for_it() -> None:
    endpoint = Endpoint.model_validate({"url": "https://erp.example/"})

    assert ping_event(EventId("evt_1"), "erp", endpoint, 0.0, sender="ada").data["sender"] == {"name": "ada"}
