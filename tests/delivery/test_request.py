from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd import __version__
from hooksd.delivery.egress import rules_of
from hooksd.delivery.head import start_of, written
from hooksd.delivery.place import place_of
from hooksd.delivery.request import Payload, Prepared, RequestProblem, prepare, prepare_request, step_problem
from hooksd.delivery.signing import sign
from hooksd.delivery.transport_wire import Way
from hooksd.model.effect import MakeRequest
from hooksd.model.secret import Secret
from tests.delivery.house import KEY, endpoint

NOW = 1_700_000_000


def payload(
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    media: str = "application/json",
    body: bytes = b"{}",
) -> Payload:
    return Payload(delivery="dlv_1", headers=headers or {}, query=query or {}, media=media, body=body)


def headers_of(prepared: Prepared) -> dict[str, str]:
    return {name.lower(): value for name, value in prepared.headers.items()}


def asks(url: str = "https://a.example/", headers: dict[str, str] | None = None) -> MakeRequest:
    return MakeRequest(method="POST", url=url, headers=headers or {}, body=b"", timeout=1)


def test_a_delivery_says_who_sends_it_what_it_is_and_when() -> None:
    prepared = prepare(endpoint(secrets=[KEY]), payload(), 1_700_000_000)

    headers = headers_of(prepared)
    assert headers.pop("webhook-signature").startswith("v1,")
    assert headers == {
        "user-agent": f"hooksd/{__version__}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "webhook-id": "dlv_1",
        "webhook-timestamp": "1700000000",
    }
    assert (prepared.method, prepared.url, prepared.body) == ("POST", "https://shop.example/hooks", b"{}")


def test_an_unsigned_delivery_still_has_its_id_so_that_receivers_know_it_again() -> None:
    headers = headers_of(prepare(endpoint(), payload(), 7))

    assert headers["webhook-id"] == "dlv_1"
    assert "webhook-signature" not in headers


def test_headers_of_the_step_win_over_those_of_the_endpoint_and_both_over_ours() -> None:
    one = endpoint(headers={"X-A": "endpoint", "X-B": "endpoint", "user-agent": "shop"})

    headers = headers_of(prepare(one, payload(headers={"x-a": "step", "Content-Type": "text/x"}), 7))

    assert (headers["x-a"], headers["x-b"], headers["user-agent"]) == ("step", "endpoint", "shop")
    assert headers["content-type"] == "text/x"


@pytest.mark.parametrize("name", ["webhook-id", "Webhook-Timestamp", "WEBHOOK-SIGNATURE"])
def test_no_header_of_a_step_or_an_endpoint_replaces_the_signatures(name: str) -> None:
    one = endpoint(secrets=[KEY], headers={name: "forged"})

    prepared = prepare(one, payload(headers={name: "forged"}), 7)

    assert "forged" not in repr(prepared)


def test_the_parameters_of_a_step_are_added_to_those_of_the_url() -> None:
    one = endpoint(url="https://a.example?x=1&y=%20#part")

    assert (
        prepare(one, payload(query={"q": "a b&c=d", "x": "2"}), 7).url
        == "https://a.example/?x=1&y=%20&q=a+b%26c%3Dd&x=2"
    )


def test_a_user_in_the_url_becomes_a_header() -> None:
    prepared = prepare(endpoint(url="https://me:p%40ss@a.example:8443/x"), payload(), 7)

    assert prepared.url == "https://a.example:8443/x"
    assert headers_of(prepared)["authorization"] == "Basic bWU6cEBzcw=="


def test_a_get_has_no_body_and_no_type_and_the_signature_is_over_no_bytes() -> None:
    with_body = prepare(endpoint(secrets=[KEY], method="GET"), payload(), 7)
    without = prepare(endpoint(secrets=[KEY], method="GET"), payload(body=b""), 7)

    assert with_body == without
    assert with_body.body == b""
    assert "content-type" not in headers_of(with_body)


def test_space_around_a_value_is_taken_off() -> None:
    assert headers_of(prepare_request(asks(headers={"X-A": " \t a b "})))["x-a"] == "a b"


def test_a_request_of_a_step_keeps_its_own_headers_and_is_not_signed() -> None:
    headers = headers_of(prepare_request(asks(headers={"Accept": "text/html", "Authorization": "Bearer x"})))

    assert (headers["accept"], headers["authorization"]) == ("text/html", "Bearer x")
    assert "webhook-id" not in headers


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://a.example/", "must begin with https"),
        ("https:///x", "must begin with https"),
        ("a.example", "must begin with https"),
        ("", "must begin with https"),
        ("https://a.example/a b", "holds a space or a control character"),
        ("https://a.example/\r\nX-A: b", "holds a space or a control character"),
        ("https://a.example:99999/", "the URL is not one"),
        ("https://a.example:x/", "the URL is not one"),
        ("https://a.example:0/", "port 0"),
        ("https://[::1/", "the URL is not one"),
    ],
)
def test_what_is_not_a_url_to_ask_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(RequestProblem, match=reason):
        prepare_request(asks(url))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("X-A", "a\r\nX-B: c", "control character"),
        ("X-A", "a\0", "control character"),
        ("X-A", "\ud800", "surrogate"),
        ("X A", "a", "cannot be the name of a header"),
        ("", "a", "cannot be the name of a header"),
        ("X-A\n", "a", "cannot be the name of a header"),
        ("Transfer-Encoding", "chunked", "set by hooksd alone"),
    ],
)
def test_a_header_that_could_break_out_is_refused(name: str, value: str, reason: str) -> None:
    with pytest.raises(RequestProblem, match=reason):
        prepare(endpoint(headers={name: value}), payload(), 7)
    assert reason in str(step_problem({name: value}, {}, ()))


def test_a_secret_that_does_not_fit_the_scheme_names_the_endpoint() -> None:
    with pytest.raises(RequestProblem, match="cannot sign for endpoint shop: the secret is not base64"):
        prepare(endpoint(secrets=[b"whsec_***"]), payload(), 7)


def test_a_short_secret_is_not_found_in_everything() -> None:
    assert step_problem({"X-Env": "prod"}, {"page": "1"}, [Secret(b"prod"), Secret(b"1"), Secret(b"")]) is None


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=4))
def test_whatever_a_step_renders_no_line_can_be_added_to_a_request(headers: dict[str, str]) -> None:
    try:
        prepared = prepare(endpoint(), payload(headers=headers), 7)
    except RequestProblem:
        return

    for name, value in prepared.headers.items():
        assert not set("\r\n\0") & set(name + value)


# --- signatures, credentials and rules


def test_several_ways_to_sign_go_with_one_request() -> None:
    made = prepare(endpoint(secrets=[KEY], sign=["standard-webhooks", "github", "hmac-sha1:X-Etl"]), payload(), NOW)

    assert {"webhook-signature", "X-Hub-Signature-256", "X-Etl"} <= dict(made.headers).keys()


def test_an_old_secret_signs_until_its_time_is_over() -> None:
    rotating = endpoint(secrets=[KEY, b"old"], secret_not_after="2026-12-01T00:00:00Z")
    end = 1_796_083_200

    for moment, count in ((end, 2), (end + 1, 1)):
        made = prepare(rotating, payload(), moment)
        assert len(dict(made.headers)["webhook-signature"].split(" ")) == count


def test_credentials_of_the_endpoint_are_a_header_and_one_had_anew_replaces_them() -> None:
    shop = replace(endpoint(), authorization="Basic abc")

    assert dict(prepare(shop, payload(), NOW).headers)["Authorization"] == "Basic abc"
    assert dict(prepare(shop, payload(), NOW, "Bearer t").headers)["Authorization"] == "Bearer t"


def test_a_request_carries_the_rules_of_its_endpoint() -> None:
    shop = replace(endpoint(egress={"ports": [443]}, at_most_once=True), is_literal=False)
    made = prepare(shop, payload(), NOW)

    assert isinstance(made.way, Way)
    assert made.way.rules is rules_of(shop.value.egress)
    assert (made.way.is_literal, made.way.may_repeat, made.way.is_fresh) == (False, True, True)


# --- what is worked out once for an endpoint

NAMES = st.sampled_from(
    [
        "X-A",
        "x-a",
        "Host",
        "User-Agent",
        "Content-Type",
        "Webhook-Id",
        "webhook-signature",
        "X-Hub-Signature-256",
        "X-Sig",
    ]
)
LAYERS = st.dictionaries(NAMES, st.sampled_from(["a", "b c", "\N{SNOWMAN}", ""]), max_size=4)
SIGNS = st.sampled_from(
    [
        ("standard-webhooks",),
        ("standard-webhooks", "github"),
        ("stripe",),
        ("hmac-sha1:X-Sig", "hmac-sha256:x-sig"),
        ("hmac-sha256:webhook-id",),
    ]
)
KEYS = st.sampled_from([(), (KEY,), (KEY, b"another key of ours"), (b"plain text of a key",)])


@given(LAYERS, LAYERS, SIGNS, KEYS, st.sampled_from(["GET", "POST"]), st.sampled_from([b"", b"{}"]))
def test_headers_are_those_of_each_layer_over_those_before_and_the_signatures_over_all(
    own: dict[str, str],
    brought: dict[str, str],
    signs: tuple[str, ...],
    keys: tuple[bytes, ...],
    method: str,
    body: bytes,
) -> None:
    one = endpoint(headers=own, secrets=keys, sign=signs, method=method)
    sent = b"" if method == "GET" else body
    for layer in ({}, brought, {}):  # what brings nothing of its own is asked for twice: the second time it is known
        ours = {"webhook-id": "dlv_1", "webhook-timestamp": str(NOW)}
        for scheme in signs if keys else ():
            ours.update(sign(scheme, keys, id="dlv_1", timestamp=NOW, body=sent))
        content = {"content-type": "application/json"} if sent else {}
        expected = {"user-agent": f"hooksd/{__version__}", "accept": "*/*", "accept-encoding": "identity", **content}
        for over in (own, layer, ours):
            expected.update({name.lower(): value for name, value in over.items()})

        assert headers_of(prepare(one, payload(headers=layer, body=body), NOW)) == expected


@given(LAYERS, LAYERS, SIGNS, KEYS, st.sampled_from(["GET", "POST"]))
def test_what_is_written_of_a_head_already_says_what_the_headers_say(
    own: dict[str, str], given_: dict[str, str], signs: tuple[str, ...], keys: tuple[bytes, ...], method: str
) -> None:
    one = endpoint(headers=own, secrets=keys, sign=signs, method=method)
    for made in (payload(), payload(headers=given_, query={"a": "b"})):
        prepared = prepare(one, made, NOW)

        start = start_of(method, place_of(prepared.url), prepared.headers.items())
        assert prepared.written == written(start, (), method, prepared.body)
        names = [name.lower() for name in prepared.headers]
        assert len(names) == len(set(names)), "each name once"


def test_a_place_that_is_none_is_for_whoever_sends_to_find() -> None:
    assert "1.2.3 ends in a number" in str(prepare(endpoint(url="http://1.2.3/"), payload(), NOW).way)


def test_what_was_worked_out_for_an_endpoint_stays_with_it_and_is_bounded() -> None:
    first = endpoint(secrets=[KEY])
    asked = [prepare(first, payload(media=f"text/x{number}"), NOW) for number in range(100)]
    moved = replace(first, url="https://elsewhere.example/")

    assert [headers_of(prepared)["content-type"] for prepared in asked] == [f"text/x{number}" for number in range(100)]
    assert len(first.plans) < 10
    assert prepare(moved, payload(media="text/x0"), NOW).url == "https://elsewhere.example/"
