from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.config.body_schema import BodySchema
from hooksd.config.endpoints import reads_event
from hooksd.config.snapshot import CompiledEndpoint
from hooksd.delivery.format import MAX_FILES, MAX_HEADER, Unfit, fit, fit_all, trigger_problem
from hooksd.delivery.multipart import MEDIA
from hooksd.expr.template import compile_template
from hooksd.model.effect import Deliver
from hooksd.model.endpoint import Endpoint
from hooksd.model.received import ReceivedFile
from tests.delivery.house import effect, endpoint


def formed(keys: dict[str, object], body: bytes, media: str = "application/json") -> tuple[str, bytes] | str:
    """Return what is sent of a body, or why nothing is."""
    found = fit(effect(body=body, media=media), endpoint(**keys))  # type: ignore[arg-type] # further keys
    return found.why.removeprefix("endpoint shop: ") if isinstance(found, Unfit) else (found.media, found.body)


def with_header(text: str, **more: object) -> CompiledEndpoint:
    template = compile_template(text)
    assert reads_event(template)
    return replace(endpoint(**more), templates={"X-Order": template})  # type: ignore[arg-type] # further keys


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("keys", "media", "body", "sent"),
    [
        # As it was given, byte for byte.
        ({}, "application/json", b'{ "a": 1 }', ("application/json", b'{ "a": 1 }')),
        ({"max_payload": "1KiB"}, "image/png", b"\xff\x00", ("image/png", b"\xff\x00")),
        ({"content_type": "json"}, "application/json", b'{ "a": 1 }', ("application/json", b'{ "a": 1 }')),
        ({"content_type": "json"}, "application/ld+json", b"[1]", ("application/ld+json", b"[1]")),
        ({"content_type": "json"}, FORM, b"a=1&a=2", ("application/json", b'{"a":["1","2"]}')),
        ({"content_type": "json"}, "text/plain", b"hi", ("application/json", b'"hi"')),
        ({"content_type": "form"}, "application/json", b'{"a":"x y","b":[1,true],"c":{"d":null},"e":null}',
         (FORM, b"a=x+y&b=1&b=true&c=%7B%22d%22%3Anull%7D&e=")),
        ({"content_type": "form"}, FORM, b"a=%41", (FORM, b"a=%41")),
        ({"content_type": "multipart"}, "multipart/form-data; boundary=x", b"--x--\r\n",
         ("multipart/form-data; boundary=x", b"--x--\r\n")),
        ({"content_type": "raw"}, "application/json", b'"<xml/>"', ("text/plain", b"<xml/>")),
        ({"content_type": "raw"}, "text/xml", b"<xml/>", ("text/xml", b"<xml/>")),
        ({"payload_encoding": "base64"}, "text/plain", b"/9j/", ("application/octet-stream", b"\xff\xd8\xff")),
        ({"payload_encoding": "base64"}, "application/json", b'"/9j/"', ("application/octet-stream", b"\xff\xd8\xff")),
        # Nothing is nothing, and GET has no body whatever it is given.
        ({"payload_encoding": "base64"}, "", b"", ("", b"")),
        ({"content_type": "form", "method": "GET"}, "text/plain", b"hi", ("text/plain", b"hi")),
    ],
)  # fmt: skip
def test_an_endpoint_gets_what_it_is_given_in_its_format(
    keys: dict[str, object], media: str, body: bytes, sent: tuple[str, bytes]
) -> None:
    assert formed(keys, body, media) == sent


@pytest.mark.parametrize(
    ("keys", "media", "body", "why"),
    [
        ({"payload_encoding": "base64"}, "text/plain", b"not base64!", "the text is not base64"),
        ({"payload_encoding": "base64"}, "text/plain", b"YQ", "the text is not base64"),
        ({"payload_encoding": "base64"}, "text/plain", b"Y\nQ==", "the text is not base64"),
        ({"payload_encoding": "base64"}, "text/plain", "YQ==é".encode(), "the text is not base64"),
        ({"payload_encoding": "base64"}, "application/json", b'{"a":1}', "it takes text"),
        ({"payload_encoding": "base64"}, "image/png", b"\xff", "it takes data, and this is image/png"),
        ({"content_type": "json"}, "text/plain", b"\xff", "the body is not text/plain"),
        ({"content_type": "form"}, "application/json", b"[1]", "give it an object"),
        ({"content_type": "form"}, "text/plain", b"a=1", "give it an object"),
        ({"content_type": "multipart"}, "application/json", b"1", "give it an object"),
        (
            {"content_type": "multipart"},
            "application/json",
            b'{"f":{"filename":"a","base64":"!"}}',
            "`f` is not base64",
        ),
        ({"content_type": "raw"}, "application/json", b'{"a":1}', "it takes text"),
        ({"max_payload": "0B"}, "text/plain", b"a", "it takes 0 at most"),
        ({"max_payload": "3B"}, "text/plain", b"abcd", "the body has 4 bytes, and it takes 3 at most"),
        ({"max_payload": "2B", "payload_encoding": "base64"}, "text/plain", b"/9j/", "the body has 3 bytes"),
    ],
)
def test_what_is_not_in_its_format_is_refused(keys: dict[str, object], media: str, body: bytes, why: str) -> None:
    found = formed(keys, body, media)

    assert isinstance(found, str)
    assert why in found


@given(st.binary(max_size=200))
def test_bytes_come_out_of_base64_as_they_went_in(data: bytes) -> None:
    sent = formed({"payload_encoding": "base64"}, base64.b64encode(data), "text/plain")

    assert sent == (("application/octet-stream", data) if data else ("text/plain", b""))


@given(st.binary(max_size=60), st.sampled_from(["json", "form", "multipart", "raw", None]))
def test_no_body_of_a_caller_breaks_anything(body: bytes, content_type: str | None) -> None:
    assert formed({"content_type": content_type, "max_payload": "1MiB"}, body, "application/json")


def with_files(media: str, body: bytes, size: int = 10) -> Deliver:
    file = ReceivedFile(
        field="doc", name="a.pdf", filename="a.pdf", media="application/pdf", size=size, digest="sha256:ab"
    )
    return replace(effect(media=media, body=body), files={"doc": file})


@pytest.mark.parametrize(
    ("media", "body", "fields"),
    [("application/json", b'{"a": "1"}', b'{"a":"1"}'), ("application/pdf", b"%PDF", b"{}"), ("", b"", b"{}")],
)
def test_an_endpoint_that_takes_forms_gets_the_files_of_the_event_too(media: str, body: bytes, fields: bytes) -> None:
    formed = fit(with_files(media, body), endpoint(content_type="multipart"))

    assert isinstance(formed, Deliver)
    assert (formed.media, formed.body, list(formed.files)) == (MEDIA, fields, ["doc"])


def test_any_other_gets_the_body_alone() -> None:
    for keys in ({}, {"content_type": "json"}, {"content_type": "multipart", "method": "GET"}):
        formed = fit(with_files("application/json", b"{}"), endpoint(**keys))  # type: ignore[arg-type] # further keys
        assert isinstance(formed, Deliver)
        assert formed.media == "application/json"


@pytest.mark.parametrize(("keys", "size"), [({"max_payload": "9B"}, 8), ({}, MAX_FILES)])
def test_files_count_and_are_bounded_even_if_nobody_says_so(keys: dict[str, object], size: int) -> None:
    shop = replace(endpoint(), value=Endpoint.model_validate({"url": "https://x", "content_type": "multipart", **keys}))

    refused = fit(with_files("", b"", size), shop)

    assert isinstance(refused, Unfit)
    assert "at most" in refused.why


LEAD = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("keys", "media", "body", "why"),
    [
        ({}, "application/json", b'{"name":"Ada"}', None),
        ({"content_type": "form"}, "application/json", b'{"name":"Ada"}', None),
        ({}, FORM, b"name=Ada", None),
        ({"method": "GET"}, "application/json", b"1", None),
        ({}, "application/json", b'{"name":1,"age":"x"}', "$.age: "),
        ({}, "application/json", b"{}", '$: "name" is a required property'),
        ({}, "text/plain", b"Ada", "$: "),
        ({}, "", b"", "$: null is not of type"),
        ({}, "image/png", b"x", "it takes data, and this is image/png"),
    ],
)
def test_what_is_given_must_fit_the_schema_before_anything_is_made_of_it(
    keys: dict[str, object], media: str, body: bytes, why: str | None
) -> None:
    value = Endpoint.model_validate({"url": "https://x", "schema": "schemas/lead.json", **keys})
    found = fit(effect(media=media, body=body), replace(endpoint(), value=value, schema=BodySchema(LEAD)))

    assert isinstance(found, Unfit) == (why is not None)
    assert not isinstance(found, Unfit) or (why or "") in found.why


def test_only_parameters_that_are_named_may_be_given() -> None:
    listed = endpoint(query_params=["pageNum", "sort"])

    given = fit(effect(query={"pageNum": "2"}), listed)
    assert isinstance(given, Deliver)
    assert given.query == {"pageNum": "2"}
    for wrong in ({"pagenum": "2"}, {"pageNum": "2", "x": ""}):
        refused = fit(effect(query=wrong), listed)
        assert isinstance(refused, Unfit)
        assert "takes `pageNum`, `sort`: leave" in refused.why
    closed = fit(effect(query={"x": "1"}), endpoint(query_params=[]))
    assert isinstance(closed, Unfit)
    assert "no parameters" in closed.why


def test_who_makes_the_body_says_what_it_is() -> None:
    refused = fit(effect(headers={"content-type": "text/plain"}), endpoint(content_type="form"))

    assert isinstance(refused, Unfit)
    assert "give no header Content-Type" in refused.why


def test_a_header_is_made_of_the_event() -> None:
    scope = {"event": {"type": "order.paid"}, "body": {"id": 7}}
    asked = replace(effect(headers={"X-A": "1"}), scope=lambda: scope)

    sent = fit(asked, with_header("{{ event.type }}/{{ body.id }}"))

    assert isinstance(sent, Deliver)
    assert sent.headers == {"X-Order": "order.paid/7", "X-A": "1"}


def test_a_header_that_is_given_replaces_one_that_would_be_made() -> None:
    sent = fit(effect(headers={"x-order": "9"}), with_header("{{ body.id }}"))

    assert isinstance(sent, Deliver)
    assert sent.headers == {"x-order": "9"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "`body.id` is missing"),
        ({"id": "a\r\nX-Evil: 1"}, "control character"),
        ({"id": "x" * (MAX_HEADER + 1)}, "longer than"),
    ],
)
def test_a_header_that_the_event_cannot_make_is_refused(body: dict[str, object], why: str) -> None:
    refused = fit(replace(effect(), scope=lambda: {"body": body}), with_header("{{ body.id }}"))

    assert isinstance(refused, Unfit)
    assert why in refused.why
    assert "Evil" not in refused.why


def test_endpoints_of_one_step_are_served_together_where_they_get_the_same() -> None:
    endpoints = {item.name: item for item in (endpoint("a"), endpoint("b", content_type="form"), endpoint("c"))}

    found = fit_all(effect("a", "b", "c", "gone"), endpoints, ())

    assert not isinstance(found, Unfit)
    assert [(one.endpoints, one.body) for one in found] == [
        (("a", "c", "gone"), b'{"order":1}'),
        (("b",), b"order=1"),
    ]


def test_one_that_is_not_fit_keeps_all_from_being_sent_but_not_what_is_sent_already() -> None:
    endpoints = {item.name: item for item in (endpoint("a"), endpoint("b", payload_encoding="base64"))}

    assert isinstance(fit_all(effect("a", "b"), endpoints, ()), Unfit)
    asked = effect("a", "b")
    assert fit_all(asked, endpoints, [("run_1", "send", "a"), ("run_1", "send", "b")]) == (asked,)


@pytest.mark.parametrize(
    ("keys", "headers", "query", "has_data", "problem"),
    [
        ({}, {"X-Trace": "1"}, {}, True, None),
        ({"query_params": ["page"]}, {}, {"page": "1"}, True, None),
        ({"method": "GET"}, {}, {}, False, None),
        ({}, {}, {"page": "1"}, True, "no parameters"),
        ({"query_params": ["page"]}, {}, {"Page": "1"}, True, "the query takes `page`"),
        ({"headers": {"X-Env": "prod"}}, {"x-env": "test"}, {}, True, "x-env is not for the caller"),
        ({}, {"Host": "evil.example"}, {}, True, "Host is not for the caller"),
        ({"method": "GET"}, {}, {}, True, "takes no data"),
    ],
)
def test_a_trigger_from_outside_says_less_than_a_step(
    keys: dict[str, object], headers: dict[str, str], query: dict[str, str], *, has_data: bool, problem: str | None
) -> None:
    shop = replace(endpoint(), value=Endpoint.model_validate({"url": "https://shop.example/", **keys}))

    found = trigger_problem(shop, headers, query, has_data=has_data)

    assert (found is None) if problem is None else (problem in str(found))
