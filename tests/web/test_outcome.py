from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.engine.ports import Accepted, Response
from hooksd.model.ids import EventId
from hooksd.web.outcome import accepted_alone, accepted_document, responded
from tests.web.doubles import plan


def respond(body: object = None, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(status=status, headers=headers or {}, body=body)


def test_an_event_that_starts_nothing_is_accepted_all_the_same() -> None:
    accepted = Accepted(event=EventId("evt_1"), runs=(), not_started=())

    assert accepted_document(accepted, "now", "") == {"event": "evt_1", "runs": []}
    assert accepted_alone(accepted.event) == orjson.dumps(accepted_document(accepted, "now", ""))


def test_runs_are_named_by_urls_below_the_base() -> None:
    accepted = Accepted(event=EventId("evt_1"), runs=(plan(),), not_started=())

    runs = accepted_document(accepted, "now", "https://h.example")["runs"]

    assert runs[0]["url"] == f"https://h.example/api/v1/runs/{plan().id}"


def test_an_answer_is_json_unless_it_says_otherwise() -> None:
    answer = responded(respond({"a": [1, None]}))

    assert answer.header("content-type") == "application/json"
    assert answer.body == b'{"a":[1,null]}'


def test_a_text_of_another_type_is_sent_as_it_is() -> None:
    answer = responded(respond("<Response/>", headers={"Content-Type": "text/xml; charset=utf-8"}))

    assert answer.header("content-type") == "text/xml; charset=utf-8"
    assert answer.body == b"<Response/>"


def test_a_text_without_a_type_is_a_json_text() -> None:
    assert responded(respond("hello")).body == b'"hello"'


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_status_without_content_has_none(status: int) -> None:
    assert responded(respond({"a": 1}, status=status)).body == b""


def test_a_caller_cannot_smuggle_headers_through_data() -> None:
    answer = responded(respond(headers={"X-Echo": "a\r\nSet-Cookie: b", "X Y": "1", "Transfer-Encoding": "chunked"}))

    assert answer.header("x-echo") == "a Set-Cookie: b"
    assert {name for name, _ in answer.headers} == {b"x-echo", b"content-type"}


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=4))
def test_whatever_headers_a_workflow_makes_can_be_sent(headers: dict[str, str]) -> None:
    answer = responded(Response(status=200, headers=headers, body=None))

    for name, value in answer.headers:
        assert name == name.lower()
        assert not any(byte < 32 and byte != 9 for byte in name + value)
