from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.web.credentials import CREDENTIAL_HEADERS, kept_body, kept_headers, kept_query
from tests.web.doubles import TokenVerifier, inbound

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("name", sorted(CREDENTIAL_HEADERS | {"x-token"}))
def test_a_header_that_proves_who_someone_is_is_not_kept(name: str) -> None:
    assert kept_headers(inbound(headers={name: "hunter2"}), TokenVerifier()) == {name: "***"}


@given(
    names=st.lists(
        st.sampled_from(["x-token", "X-Token", "cookie", "authorization", "x-tag", "accept"]), min_size=1, max_size=6
    )
)
def test_what_is_hidden_does_not_depend_on_whether_another_header_came_twice(names: list[str]) -> None:
    alone = dict.fromkeys(names, "hunter2")
    pairs = (*alone.items(), ("x-other", "a"), ("x-other", "b"))

    hidden = kept_headers(inbound(headers=pairs), TokenVerifier())

    assert kept_headers(inbound(headers=alone), TokenVerifier()) == {name: hidden[name] for name in alone}


def test_values_of_a_repeated_header_are_joined() -> None:
    request = inbound(headers=(("x-tag", "a"), ("x-tag", "b"), ("cookie", "c"), ("cookie", "d")))

    assert kept_headers(request, TokenVerifier()) == {"x-tag": "a, b", "cookie": "***"}


def test_a_token_in_the_query_is_not_kept() -> None:
    request = inbound(query="token=hunter2&ref=main&ref=next&empty=&to%6ben=hunter2")

    assert kept_query(request, TokenVerifier()) == {"token": "***", "ref": "main, next", "empty": ""}


def test_a_query_with_too_many_parameters_is_refused() -> None:
    with pytest.raises(ValueError, match="fields"):
        kept_query(inbound(query="&".join(["a=1"] * 1001)), TokenVerifier())


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"token=hunter2&a=1", b"token=***&a=1"),
        (b"a=1&to%6Ben=hunter2", b"a=1&to%6Ben=***"),
        (b"token", b"token"),
        (b"a=token&b=%ff+", b"a=token&b=%ff+"),
    ],
)
def test_a_token_in_a_form_is_not_kept_and_the_rest_keeps_its_bytes(raw: bytes, kept: bytes) -> None:
    assert kept_body(inbound(raw, media=FORM), TokenVerifier()) == kept


def test_a_token_in_a_form_of_another_name_is_not_kept_either() -> None:
    assert kept_body(inbound(b"token=hunter2", media="text/plain"), TokenVerifier()) == b"token=***"


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b'{"auth": {"token": "hunter2"}, "a": 1}', b'{"auth":{"token":"***"},"a":1}'),
        (b'{"auth": [7, {"token": 1}]}', b'{"auth": [7, {"token": 1}]}'),
        (b'{"auth": "hunter2"}', b'{"auth": "hunter2"}'),
        (b'{"list": ["hunter2"]}', b'{"list":["***"]}'),
        (b'{"auth": {"token": "hunter2"', b'{"auth": {"token": "hunter2"'),
        (b'{"value": [{"t": "hunter2"}, {"a": 1}, {"t": "hunter2"}]}', b'{"value":[{"t":"***"},{"a":1},{"t":"***"}]}'),
        (b'{"value": {"*": {"t": "hunter2"}}}', b'{"value":{"*":{"t":"***"}}}'),
        (b"", b""),
        (b"[" * 300 + b"]" * 300, b"[" * 300 + b"]" * 300),
    ],
)
def test_a_token_in_a_json_body_is_not_kept(raw: bytes, kept: bytes) -> None:
    verifier = TokenVerifier(credential_paths=frozenset({"auth.token", "list.0", "value.*.t"}))

    assert kept_body(inbound(raw), verifier) == kept


def test_a_body_that_is_no_form_keeps_its_bytes() -> None:
    raw = b'{"token": "not a field"}'

    assert kept_body(inbound(raw), TokenVerifier()) == raw


@given(st.binary(max_size=60))
def test_a_form_without_credentials_keeps_its_bytes(raw: bytes) -> None:
    verifier = TokenVerifier(credential_fields=frozenset({"a name that is not there"}))

    assert kept_body(inbound(raw, media=FORM), verifier) == raw
