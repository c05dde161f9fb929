from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.auth.refusal import Refusal
from hooksd.auth.sources import MAX_WORD, Examined, finder, first_of, identity, spoken, word, worder
from hooksd.model.base import Json
from hooksd.model.body import MAX_FIELDS, Document
from tests.auth.requests import document, inbound

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("header:X-One", b"1"),
        ("header:x-none", None),
        ("query:a", b"x y"),
        ("query:none", None),
        ("json:a.b.1", b"z"),
        ("json:a.b.9", None),
        ("json:a.b.x", None),
        ("json:a.n", b"7"),
        ("json:a.t", b"true"),
        ("json:a.null", None),
        ("json:a.b.0.deeper", None),
        ("json?:nope", b""),
        ("json?:a.n", b"7"),
        ("const:it is", b"it is"),
        ("method", b"POST"),
        ("url", b"https://a.example/?q=%3A%20"),
        ("plain_url", b"https://a.example/?q=:%20"),
    ],
)
def test_a_source_finds_its_value(source: str, found: bytes | None) -> None:
    body = b'{"a": {"b": ["y", "z"], "n": 7, "t": true, "null": null}}'
    request = inbound(body, query="a=x+y", x_one="1").changed(url="https://a.example/?q=%3A%20")

    assert finder(source)(Examined(request)) == found


def test_a_request_is_parsed_only_once() -> None:
    seen = Examined(inbound(b"a=1&b=2", query="a=3&b=4"))

    assert [finder(source)(seen) for source in ("form:a", "form:b", "query:a", "query:b")] == [b"1", b"2", b"3", b"4"]


def test_a_form_field_is_found_in_the_body() -> None:
    assert finder("form:a")(Examined(inbound(b"a=%C3%A9&b=2", media=FORM))) == "é".encode()


@pytest.mark.parametrize(
    ("source", "reason"),
    [("header:x-a", "duplicate_header"), ("query:a", "duplicate_parameter"), ("form:a", "duplicate_parameter")],
)
def test_what_is_given_twice_is_refused(source: str, reason: str) -> None:
    request = inbound(b"a=1&a=2", query="a=1&a=2").changed(headers=(("x-a", "1"), ("x-a", "1")))

    with pytest.raises(Refusal, match=reason):
        finder(source)(Examined(request))


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("json:a", b"{"), ("json:a", b"[" * 5000), ("json:a", b"\xff"), ("json:a", b""), ("form:a", b"\xff"),
        ("form:a", b"a=%ff"), ("form:a", b"&".join([b"a=1"] * (MAX_FIELDS + 1))),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused(source: str, body: bytes) -> None:
    with pytest.raises(Refusal, match="malformed_body"):
        finder(source)(Examined(inbound(body)))


def test_an_unknown_source_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="no source"):
        finder("cookie:x")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("push", "push"), (" Push Hook ", "Push Hook"), ("", None), ("a\x1b[31m", None), ("a\nb", None),
        ("a" * 201, None),
        ("a" * MAX_WORD, "a" * MAX_WORD), ("\xff", None), ("é".encode().decode("latin-1"), "é"),
    ],
    ids=["plain", "spaces", "empty", "escape", "lines", "long", "longest", "no UTF-8", "UTF-8"],
)  # fmt: skip
def test_words_of_callers_are_short_and_printable_or_left_out(value: str, said: str | None) -> None:
    assert word(finder("header:x-event"), Examined(inbound(x_event=value))) == said


def test_a_word_that_is_given_twice_is_left_out() -> None:
    request = inbound().changed(headers=(("x-event", "a"), ("x-event", "b")))

    assert word(finder("header:x-event"), Examined(request)) is None


@given(st.binary(max_size=60), st.sampled_from(["json:a.b", "json?:0", "form:a", "query:a", "header:x"]))
def test_any_body_gives_bytes_nothing_or_a_refusal(body: bytes, source: str) -> None:
    try:
        found = finder(source)(Examined(inbound(body, query=body.decode("latin-1"))))
    except Refusal:
        return
    assert found is None or isinstance(found, bytes)


@pytest.mark.parametrize("value", ["push", " push\t", "", "caf\xe9", "caf\xc3\xa9", "a\x07b", "x" * 201, "two words"])
def test_a_word_of_a_header_is_the_same_however_it_is_read(value: str) -> None:
    once = inbound(x_event=value)
    twice = once.changed(headers=once.pairs * 2)

    assert worder("header:X-Event")(once, document(None)) == word(finder("header:X-Event"), Examined(once))
    assert worder("header:X-Event")(twice, document(None)) is None
    assert worder("header:X-Other")(once, document(None)) is None


def test_only_some_escapes_of_a_url_are_read_plainly_and_each_once() -> None:
    url = "https://a.example/%2Fx%2fy?a=%3A%3F%40%21%24%27%28%29%2A%2C%3B&b=%20%26%3D%25%23%2B%253A"
    plain = "https://a.example//x%2fy?a=:?@!$'()*,;&b=%20%26%3D%25%23%2B%253A"

    assert finder("plain_url")(Examined(inbound().changed(url=url))) == plain.encode()
    assert finder("plain_url")(Examined(inbound())) is None


def test_several_sources_make_one_identity_and_none_when_one_is_missing() -> None:
    read = identity(("header:ce-source", "header:ce-id"))

    assert read(inbound(ce_source="/shops/7", ce_id="1"), document(None)) == "/shops/7 1"
    assert read(inbound(ce_source="/shops/7"), document(None)) is None
    assert read(inbound(ce_id="1"), document(None)) is None
    assert read(inbound(ce_source="/" * MAX_WORD, ce_id="1"), document(None)) is None


def test_of_several_sources_those_that_are_there_make_one_word() -> None:
    read = spoken(("header:x-event", "json:action"))

    assert read(inbound(x_event="pr"), document({"action": "opened"})) == "pr.opened"
    assert read(inbound(), document({"action": "opened"})) == "opened"
    assert read(inbound(x_event="pr"), document({})) == "pr"
    assert read(inbound(), document({})) is None


WORDS = st.recursive(
    st.none() | st.sampled_from(["push", "7", 7, 1.5, True]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "0", "*", '"']), inner),
    max_leaves=5,
)


@given(st.sampled_from(["json:a", "json:a.a", "json:a.*.a", "json:*.a", "json:0", 'json:"', "json?:a.0"]), WORDS)
def test_a_word_of_a_body_is_the_same_whether_somebody_has_read_the_body(source: str, data: Json) -> None:
    raw = orjson.dumps(data)
    read = worder(source)

    assert read(inbound(raw), Document("application/json", raw)) == read(inbound(raw), document(data))


def test_of_several_words_the_first_that_is_there_counts() -> None:
    read = first_of((worder("header:a"), worder("header:b")))

    assert read(inbound(a="1", b="2"), document(None)) == "1"
    assert read(inbound(b="2"), document(None)) == "2"
    assert read(inbound(), document(None)) is None
    assert first_of(())(inbound(a="1"), document(None)) is None
