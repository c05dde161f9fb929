from __future__ import annotations

from hooksd.expr.event import event_json, files_json, request_scope
from hooksd.expr.template import compile_template
from hooksd.model.event import Event
from hooksd.model.ids import EventId
from hooksd.model.received import ReceivedFile
from hooksd.model.trust import Trust

FILE = ReceivedFile(field="doc", name="a.pdf", filename="a.pdf", media="application/pdf", size=1, digest="sha256:abcd")
EVENT = Event(
    id=EventId("evt_1"),
    type="order.paid",
    source="webhook/shop",
    subject="7",
    time="2026-11-22T00:00:00.000Z",
    trust=Trust.TOKEN,
    headers={"x-a": "1"},
    query={"page": "2"},
    data={"id": 7},
    files={"doc": FILE},
    folder="/log",
)


def test_the_header_of_an_endpoint_reads_the_event_and_how_it_came() -> None:
    template = compile_template("{{ event.type }} {{ body.id }} {{ headers['x-a'] }} {{ query.page }}")

    assert template.text(request_scope(EVENT)) == "order.paid 7 1 2"


def test_the_files_of_an_event_are_told_with_their_paths() -> None:
    assert files_json(EVENT)["doc"]["path"] == "/log/blobs/ab/abcd"
    assert event_json(EVENT)["files"] == files_json(EVENT)
