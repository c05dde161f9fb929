from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hooksd.journal import codec
from hooksd.model import body
from hooksd.model.arrival import Arrival, frame_of, line_of
from hooksd.model.ids import EventId
from hooksd.model.outgoing import DeliveryPlan, NotSent
from hooksd.model.record import EventAccepted, NotStarted, Origin, RunPlan
from hooksd.model.stored import store
from hooksd.model.trust import Trust

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ORIGINS = st.builds(Origin, file=TEXT, line=st.integers(1, 10**6))
PLANS = st.builds(RunPlan, id=TEXT, workflow=TEXT, definition=TEXT, origin=ORIGINS, concurrency=st.none() | TEXT)
REFUSALS = st.builds(
    NotStarted,
    workflow=TEXT,
    reason=st.sampled_from(["condition_false", "trust"]),
    detail=TEXT,
    condition=st.none() | TEXT,
    values=st.dictionaries(TEXT, JSON, max_size=2),
)


@st.composite
def arrivals(draw: st.DrawFn) -> Arrival:
    media, raw = draw(
        st.tuples(st.sampled_from(["application/json", "text/plain", "image/png"]), st.binary(max_size=20))
        | st.tuples(st.just("application/json"), JSON.map(orjson.dumps))
        | st.tuples(st.just("a/b+json"), JSON.map(lambda value: orjson.dumps(value, option=orjson.OPT_INDENT_2)))
        | st.tuples(st.just(body.FORM), TEXT.map(str.encode))
    )
    try:
        body.read(media, raw)
    except ValueError:  # such a request was refused
        media = "application/octet-stream"
    return Arrival(
        id=EventId(draw(TEXT)),
        type=draw(TEXT),
        subject=draw(st.none() | TEXT),
        time="2026-11-22T03:28:00.123Z",
        trust=draw(st.sampled_from(Trust)),
        webhook=draw(TEXT),
        delivery_id=draw(st.none() | TEXT),
        headers=draw(st.dictionaries(TEXT, TEXT, max_size=3)),
        query=draw(st.dictionaries(TEXT, TEXT, max_size=3)),
        document=body.Document(media, raw),
        key=draw(st.none() | st.integers(0, 3)),
        observed=draw(st.none() | TEXT),
    )


@given(
    arrivals(),
    ORIGINS,
    st.lists(PLANS, max_size=2).map(tuple),
    st.lists(REFUSALS, max_size=2).map(tuple),
    st.lists(st.builds(DeliveryPlan, id=TEXT, endpoint=TEXT), max_size=2).map(tuple),
)
def test_the_line_is_what_the_log_makes_of_the_record(
    arrival: Arrival,
    origin: Origin,
    runs: tuple[RunPlan, ...],
    not_started: tuple[NotStarted, ...],
    deliveries: tuple[DeliveryPlan, ...],
) -> None:
    not_sent = tuple(NotSent(endpoint=plan.endpoint, reason="loop") for plan in deliveries)
    line = line_of(
        arrival,
        revision="abc",
        origin=origin,
        runs=runs,
        not_started=not_started,
        deliveries=deliveries,
        not_sent=not_sent,
    )

    record = EventAccepted(
        at=arrival.time,
        revision="abc",
        event=store(arrival.event()),
        origin=origin,
        runs=runs,
        not_started=not_started,
        deliveries=deliveries,
        not_sent=not_sent,
    )
    assert line.text == codec.dump(record)
    framed = replace(arrival, frame=frame_of(arrival.webhook, arrival.trust, origin))
    made = line_of(
        framed, revision="abc", origin=origin, runs=runs, not_started=not_started, deliveries=deliveries,
        not_sent=not_sent,
    )  # fmt: skip
    assert made == line
    assert (line.runs, line.deliveries) == (runs, deliveries)


@pytest.mark.parametrize("odd", [{"subject": "\ud800"}, {"headers": {"a": object()}}])
def test_what_json_cannot_hold_is_refused(odd: dict[str, Any]) -> None:
    arrival = Arrival(
        id=EventId("evt_1"), type="a", subject=None, time="t", trust=Trust.TOKEN, webhook="w", delivery_id=None,
        headers={}, query={}, document=body.Document("application/json", b"1"),
    )  # fmt: skip

    with pytest.raises(ValueError, match=r"event\.accepted"):
        line_of(replace(arrival, **odd), revision="abc", origin=Origin(file="a", line=1))


@given(arrivals())
def test_what_is_kept_light_is_the_same_and_its_body_is_read_again(arrival: Arrival) -> None:
    data = arrival.data

    light = arrival.light()

    assert light == arrival
    assert light.data == data
