from __future__ import annotations

import pytest

from hooksd.config.endpoints import (
    authorization_of,
    credentials_in,
    grant_of,
    identity_of,
    is_literal_host,
    reads_event,
    signing_problem,
)
from hooksd.expr.template import compile_template
from hooksd.model.endpoint import Endpoint
from hooksd.model.identity import Grant, Identity
from hooksd.model.secret import Secret


def secret(reference: str) -> Secret:
    return Secret(f"<{reference}>".encode())


def endpoint(**keys: object) -> Endpoint:
    return Endpoint.model_validate({"url": "https://shop.example/", **keys})


def test_a_user_and_a_password_become_a_header_and_are_hidden_together_and_apart() -> None:
    header, hidden = authorization_of(endpoint(basic_auth={"username": "me", "password": "env:P"}), secret)

    assert header == "Basic bWU6PGVudjpQPg=="
    assert hidden == ("<env:P>", "bWU6PGVudjpQPg==")


def test_a_token_becomes_a_header() -> None:
    assert authorization_of(endpoint(bearer="env:T"), secret) == ("Bearer <env:T>", ("<env:T>",))
    assert authorization_of(endpoint(), secret) == (None, ())


def test_a_grant_and_an_identity_hold_what_references_name() -> None:
    keys = {"token_url": "https://login.example/token", "client_id": "me", "client_secret": "env:C", "scope": "a b"}

    assert grant_of(endpoint(oauth2=keys), secret) == Grant(
        token_url="https://login.example/token", client_id="me", client_secret=Secret(b"<env:C>"), scope="a b"
    )
    assert identity_of(endpoint(tls={"ca": "file:ca.pem"}), secret) == Identity(ca=Secret(b"<file:ca.pem>"))
    assert (grant_of(endpoint(), secret), identity_of(endpoint(), secret)) == (None, None)


@pytest.mark.parametrize(
    ("url", "is_literal"),
    [
        ("https://a.example", True),
        ("https://a.example/{{ body.x }}", True),
        ("https://a.example?x={{ body.x }}", True),
        ("https://a.example#{{ body.x }}", True),
        ("https://{{ body.host }}/", False),
        ("https://a.example{{ body.x }}", False),
        ("https://a.example:{{ body.port }}/", False),
        ("https://{{ secrets.user }}@a.example/", False),
        ("{{ body.scheme }}://a.example/", False),
        ("{{ body.url }}", False),
        ("https://{% if x %}a{% endif %}/", False),
        ("https://a.example\\{{ body.x }}/", False),
        ("", False),
        ("https:///x", False),
    ],
)
def test_a_host_is_literal_when_no_template_can_change_where_the_url_leads(url: str, *, is_literal: bool) -> None:
    assert is_literal_host(url) is is_literal


@pytest.mark.parametrize("secret_text", ["plain", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsk_" + "A" * 42 + "8="])
def test_secrets_that_can_sign_are_no_problem(secret_text: str) -> None:
    assert signing_problem(Secret(secret_text.encode())) is None


@pytest.mark.parametrize("secret_text", ["whsec_", "whsec_no base64!", "whsk_AAAA", "whsk_!"])
def test_a_secret_that_says_what_it_is_not_is_a_problem_that_does_not_show_it(secret_text: str) -> None:
    problem = signing_problem(Secret(secret_text.encode()))

    assert problem is not None
    assert "no base64!" not in problem


def test_a_credential_that_stands_in_a_header_is_hidden_without_its_scheme() -> None:
    headers = {"authorization": "Bearer a-token", "X-Api-Key": "a key of two", "Cookie": "a=b", "X-Env": "production"}

    assert credentials_in(headers) == ("a key of two",)
    assert credentials_in({**headers, "authorization": "Bearer a-literal-token"})[0] == "a-literal-token"
    assert credentials_in({"Proxy-Authorization": "a-literal-token"}) == ("a-literal-token",)


@pytest.mark.parametrize(("text", "reads"), [("prod", False), ("{{ secrets.a }}", False), ("{{ body.a }}", True)])
def test_a_header_that_reads_the_event_is_another_one_for_every_delivery(text: str, *, reads: bool) -> None:
    assert reads_event(compile_template(text)) == reads
