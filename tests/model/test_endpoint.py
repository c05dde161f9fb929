from __future__ import annotations

import pytest
from pydantic import ValidationError

from hooksd.model.endpoint import Endpoint


def endpoint(**keys: object) -> Endpoint:
    return Endpoint.model_validate({"url": "https://shop.example/", **keys})


def test_one_way_to_sign_may_be_written_without_a_list() -> None:
    assert endpoint().sign == ("standard-webhooks",)
    assert endpoint(sign="github").sign == ("github",)
    assert endpoint(sign=["stripe", "hmac-sha1:X-Sig"]).sign == ("stripe", "hmac-sha1:X-Sig")


@pytest.mark.parametrize("sign", ["gitlab", "hmac-md5:X", "hmac-sha256:", "hmac-sha256:X Y", [], ["github"] * 9])
def test_what_is_no_way_to_sign_is_refused(sign: object) -> None:
    with pytest.raises(ValidationError):
        endpoint(sign=sign)


@pytest.mark.parametrize("moment", ["2026-12-01T00:00:00Z", "2026-12-01T01:00:00+01:00"])
def test_a_time_has_an_offset(moment: str) -> None:
    assert endpoint(secret_not_after=moment).secret_not_after == moment


@pytest.mark.parametrize("moment", ["2026-12-01", "2026-12-01T00:00:00", "tomorrow", "", 1])
def test_what_is_no_moment_is_refused(moment: object) -> None:
    with pytest.raises(ValidationError):
        endpoint(secret_not_after=moment)


def test_an_endpoint_proves_itself_in_one_way() -> None:
    basic = {"username": "me", "password": "env:P"}
    assert endpoint(basic_auth=basic).basic_auth is not None

    with pytest.raises(ValidationError, match="an endpoint has one of"):
        endpoint(basic_auth=basic, bearer="env:T")


def test_a_rate_counts_the_endpoint_and_not_addresses() -> None:
    assert endpoint(rate="5/1m").rate[0].count == 5

    with pytest.raises(ValidationError, match="for webhooks"):
        endpoint(rate=["5/1m", "1/1s per address"])


@pytest.mark.parametrize(
    "keys", [{"max_in_flight": 0}, {"max_in_flight": 1001}, {"max_in_flight": "8"}, {"retry_target": "x"}]
)
def test_limits_that_cannot_be_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        endpoint(**keys)


def test_one_pattern_may_be_written_without_a_list() -> None:
    assert endpoint(subscribe="order.*").subscribe == ("order.*",)
    assert endpoint().subscribe == ()


@pytest.mark.parametrize("entry", ["", "order paid", "webhook:shop"])
def test_what_is_no_pattern_of_types_is_refused(entry: str) -> None:
    with pytest.raises(ValidationError):
        endpoint(subscribe=entry)


@pytest.mark.parametrize(
    "keys",
    [
        {"content_type": "form"},
        {"content_type": "multipart", "shape": "virtuoso"},
        {"content_type": "form", "shape": "etlworks"},
        {"content_type": "raw"},
        {"payload_encoding": "base64"},
        {"payload_encoding": "base64", "content_type": "raw", "method": "PUT"},
        {"query_params": ["pageNum"]},
        {"query_params": []},
    ],
)
def test_an_endpoint_says_what_becomes_of_what_it_is_given(keys: dict[str, object]) -> None:
    assert endpoint(**keys).model_fields_set >= set(keys)


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"payload_encoding": "base64", "content_type": "json"}, "leave `content_type` out"),
        ({"payload_encoding": "base64", "method": "GET"}, "GET has no body"),
        ({"payload_encoding": "base64", "shape": "etlworks"}, "alone"),
        ({"content_type": "raw", "shape": "virtuoso"}, "alone"),
        ({"content_type": "form", "shape": "cloudevents-structured"}, "CloudEvents"),
        ({"content_type": "json", "shape": "cloudevents"}, "CloudEvents"),
        ({"payload_encoding": "hex"}, "base64"),
        ({"query_params": [""]}, "query_params"),
        ({"query_params": "pageNum"}, "query_params"),
    ],
)
def test_formats_that_contradict_themselves_are_refused(keys: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        endpoint(**keys)


def test_a_shape_that_is_the_entity_alone_cannot_go_without_it() -> None:
    assert not endpoint(shape="cloudevents", include_entity=False).include_entity

    with pytest.raises(ValidationError, match="nothing is left"):
        endpoint(include_entity=False)
