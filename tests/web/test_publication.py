from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import orjson
import pytest
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from hooksd.web.publication import (
    BATCH,
    EVENT,
    MAX_ATTRIBUTES,
    MAX_VALUE,
    MOST,
    Publication,
    Unfit,
    publications,
    single,
)

ATTRIBUTES = {"specversion": "1.0", "id": "o-1", "source": "/shop", "type": "order.paid"}
CE = [(f"ce-{name}", value) for name, value in ATTRIBUTES.items()]
JSON = ("content-type", "application/json")


def structured(tree: Any, media: str = EVENT) -> list[Publication]:
    return publications([("content-type", media)], orjson.dumps(tree))


def event(**more: Any) -> dict[str, Any]:
    return {**ATTRIBUTES, "data": {"order": 7}, **more}


def refused(headers: list[tuple[str, str]], raw: bytes) -> Unfit:
    with pytest.raises(Unfit) as caught:
        publications(headers, raw)
    return caught.value


# --- what producers send ---


@pytest.mark.parametrize(
    ("media", "data", "read"),
    [
        ("application/json", {"order": 7, "by": "é"}, {"order": 7, "by": "é"}),
        ("text/plain", "hello", "hello"),
        ("application/octet-stream", b"\x00\xff", None),
    ],
)
@pytest.mark.parametrize("mode", [to_binary, to_structured])
def test_what_the_library_of_cloudevents_writes_is_read_as_it_was_meant(
    mode: Any, media: str, data: Any, read: Any
) -> None:
    when = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
    given_ = {**ATTRIBUTES, "time": when, "subject": 'Euro € "😀" 100%', "datacontenttype": media, "tenant": "a b"}
    message = mode(CloudEvent(given_, data), JSONFormat())

    (one,) = publications([(name.lower(), value) for name, value in message.headers.items()], message.body)

    assert one.attributes == {
        **ATTRIBUTES, "time": "2026-11-22T09:00:00Z", "subject": 'Euro € "😀" 100%', "tenant": "a b",
    }  # fmt: skip
    assert (one.media, one.data) == (media, read)
    assert one.raw == (data if isinstance(data, bytes) else data.encode() if isinstance(data, str) else one.raw)


def test_a_batch_is_read_in_its_order() -> None:
    found = structured([event(id="1"), event(id="2")], BATCH)

    assert [one.attributes["id"] for one in found] == ["1", "2"]
    assert structured([], BATCH) == []


def test_binary_data_keeps_its_bytes() -> None:
    raw = b'{"order":   7}'

    (one,) = publications([JSON, *CE], raw)

    assert (one.raw, one.data) == (raw, {"order": 7})


def test_whoever_knows_nothing_of_cloudevents_sends_a_type_and_data() -> None:
    (one,) = publications([JSON], b'{"type": "order.paid", "data": [1], "subject": "7", "id": null}')

    assert one == Publication(
        attributes={"type": "order.paid", "subject": "7"}, media="application/json", raw=b"[1]", data=[1]
    )


def test_an_id_may_be_a_number() -> None:
    assert publications([JSON], b'{"type": "a.b", "id": 7}')[0].attributes["id"] == "7"


def test_an_event_may_have_no_data() -> None:
    (one,) = structured(dict(ATTRIBUTES))
    (bare,) = publications(CE, b"")

    assert (one.raw, one.data, one.media) == (bare.raw, bare.data, bare.media) == (b"", None, "application/json")


def test_extensions_are_texts_whatever_they_were_in_json() -> None:
    (one,) = structured(event(retries=3, urgent=True, late=False, nothing=None))

    assert {key: one.attributes[key] for key in ("retries", "urgent", "late")} == {
        "retries": "3", "urgent": "true", "late": "false",
    }  # fmt: skip
    assert "nothing" not in one.attributes


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("%e2%82%ac", "€"),
        ('"quoted \\" text"', 'quoted " text'),
        ('"a%20b"', "a b"),
        ("%2541", "%41"),
        ("a b", "a b"),
    ],
)
def test_headers_are_unquoted_and_then_percent_decoded_once(value: str, text: str) -> None:
    (one,) = publications([JSON, *CE, ("ce-subject", value)], b"1")

    assert one.attributes["subject"] == text


def test_data_may_be_base64_of_any_media_type() -> None:
    as_bytes = {**ATTRIBUTES, "datacontenttype": "image/png", "data_base64": base64.b64encode(b"\x89PNG").decode()}
    as_json = {**ATTRIBUTES, "data_base64": base64.b64encode(b'{"a": 1}').decode()}

    assert structured(as_bytes)[0].raw == b"\x89PNG"
    assert structured(as_json)[0].data == {"a": 1}


def test_headers_beside_a_structured_event_mean_nothing() -> None:
    (one,) = publications([("content-type", f"{EVENT}; charset=UTF-8"), ("ce-type", "evil")], orjson.dumps(event()))

    assert one.attributes["type"] == "order.paid"


# --- what is refused, and what is said ---


@pytest.mark.parametrize(
    ("headers", "raw", "status", "said"),
    [
        ([], b"{}", 415, "the media type none"),
        ([("content-type", "text/plain")], b"x", 415, "'text/plain'"),
        ([("content-type", "application/x-www-form-urlencoded")], b"a=1", 415, '{"type": "...", "data": ...}'),
        ([("content-type", "application/cloudevents+avro")], b"", 415, "not as 'application/cloudevents+avro'"),
        ([("content-type", "nonsense")], b"", 415, "no media type"),
        ([("content-type", "a/b\x00c")], b"", 415, "no media type"),
        ([("content-type", f"{EVENT}; charset=utf-16")], b"", 415, "not the charset 'utf-16'"),
        ([JSON, ("content-encoding", "gzip"), *CE], b"", 415, "'gzip'"),
        ([JSON, JSON, *CE], b"1", 400, "`content-type` stands there twice"),
        ([JSON, *CE, ("ce-id", "2")], b"1", 400, "`ce-id` stands there twice"),
        ([JSON, *CE, ("ce-datacontenttype", "a/b")], b"1", 400, "`Content-Type`"),
        ([JSON, *CE, ("ce-subject", "100 %")], b"1", 400, "percent-encoded"),
        ([JSON, *CE, ("ce-subject", "\xe9")], b"1", 400, "percent-encoded"),
        ([JSON, *CE, ("ce-subject", "%C0%A0")], b"1", 400, "not UTF-8"),
        ([JSON, *CE, ("ce-subject", "a%00b")], b"1", 422, "control characters"),
        ([JSON, *CE, ("ce-sub_ject", "a")], b"1", 422, "small letters"),
        ([JSON, *CE], b"{", 400, "not JSON"),
        ([JSON], b"{", 400, "not JSON"),
        ([JSON], b"[]", 422, BATCH),
        ([JSON], b'{"data": 1}', 422, "`type` is missing"),
        ([JSON], b'{"type": "a.b", "payload": 1}', 422, "unknown key 'payload'"),
        ([JSON], orjson.dumps(event()), 415, f"`Content-Type: {EVENT}`"),
        ([("content-type", BATCH)], b"{}", 422, "JSON array"),
        ([("content-type", EVENT)], b"[]", 422, "JSON object"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_send(
    headers: list[tuple[str, str]], raw: bytes, status: int, said: str
) -> None:
    problem = refused(headers, raw)

    assert problem.status == status
    assert said in str(problem)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"specversion": "0.3"}, "must be '1.0', not '0.3'"),
        ({"specversion": None}, "must be '1.0', not none"),
        ({"id": None}, "`id` is missing"),
        ({"id": ""}, "`id` is missing or empty"),
        ({"source": ""}, "`source` is missing or empty"),
        ({"type": None}, "`type` is missing"),
        ({"type": "a" * 513}, "`type` is 1 to 512 characters"),
        ({"id": "a" * 513}, "`id` is 1 to 512 characters"),
        ({"subject": "a" * 1025}, "`subject` is 1 to 1024 characters"),
        ({"subject": ""}, "`subject` is 1 to"),
        ({"tenant": "a" * (MAX_VALUE + 1)}, "`tenant` is 1 to"),
        ({"tenant": "\x1b[31m"}, "control characters"),
        ({"type": "a\r\nb"}, "control characters"),
        ({"time": "yesterday"}, "RFC 3339"),
        ({"time": "2026-11-22T09:00:00"}, "RFC 3339"),
        ({"Tenant": "a"}, "small letters"),
        ({"tenant": {"a": 1}}, "'tenant' is a text"),
        ({"tenant": 1.5}, "'tenant' is a text"),
        ({"data_base64": "AA=="}, "not both"),
        ({"data": None, "data_base64": "AA=="}, "not both"),
        ({"datacontenttype": "text/plain"}, "JSON string"),
        ({"source": "webhook/github"}, "hooksd calls its own"),
        ({"source": "workflow/deploy"}, "hooksd calls its own"),
        ({"source": "cli"}, "hooksd calls its own"),
        ({"source": "hooksd"}, "hooksd calls its own"),
        ({"source": "a b"}, "without spaces"),
        ({"type": "workflow.deploy.failed"}, "hooksd's own"),
        ({"type": "config.applied"}, "hooksd's own"),
        ({"type": "daemon.started"}, "hooksd's own"),
        ({"type": "log.damaged"}, "hooksd's own"),
        ({"type": "ping"}, "hooksd's own"),
        ({"type": "manual"}, "hooksd's own"),
        ({f"x{place}": "a" for place in range(MAX_ATTRIBUTES)}, "at most 64 attributes"),
    ],
)
def test_what_no_event_may_say_is_refused_in_every_form(change: dict[str, Any], said: str) -> None:
    problem = refused([("content-type", EVENT)], orjson.dumps(event(**change)))

    assert problem.status in (415, 422)
    assert said in str(problem)


@pytest.mark.parametrize("text", ["***", "AA", 7])
def test_what_is_not_base64_is_refused(text: Any) -> None:
    tree = {**ATTRIBUTES, "datacontenttype": "image/png", "data_base64": text}

    assert "`data_base64`" in str(refused([("content-type", EVENT)], orjson.dumps(tree)))


def test_of_a_batch_the_bad_one_is_named() -> None:
    problem = refused([("content-type", BATCH)], orjson.dumps([event(), event(type="")]))

    assert problem.status == 422
    assert str(problem).startswith("event 1 of the batch, counted from 0: the attribute `type` is missing")
    assert "none was accepted" in str(problem)


def test_a_batch_has_an_end() -> None:
    problem = refused([("content-type", BATCH)], orjson.dumps([1] * (MOST + 1)))

    assert (problem.status, "send it in parts" in str(problem)) == (413, True)


def test_where_one_event_is_wanted_a_batch_is_refused() -> None:
    assert single([("content-type", EVENT)], orjson.dumps(event())).attributes["id"] == "o-1"
    with pytest.raises(Unfit) as caught:
        single([("content-type", BATCH)], orjson.dumps([event()]))
    assert caught.value.status == 415


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["content-type", "ce-id", "ce-type", "ce-source", "ce-specversion", "ce-time", "ce-x", "x"]),
        st.sampled_from([EVENT, BATCH, "application/json", "1.0", "a", '"', "%", "%ff", "2026-11-22T09:00:00Z"])
        | st.text(st.characters(max_codepoint=255), max_size=8),
    ),
    max_size=8,
)


TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text("aé\x00", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*ATTRIBUTES, "data", "data_base64", "datacontenttype", "É"]), inner)
    ),
)


@given(HEADERS, st.binary(max_size=40) | TREES.map(orjson.dumps))
def test_every_request_is_published_or_refused(headers: list[tuple[str, str]], raw: bytes) -> None:
    try:
        found = publications(headers, raw)
    except Unfit as problem:
        status = problem.status
    else:
        status = 202 if all(one.attributes["type"] for one in found) else 500

    assert status in (202, 400, 413, 415, 422)
