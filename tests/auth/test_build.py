from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.auth.build import BuiltVerifier, build_verifier
from hooksd.auth.presets import preset_names
from hooksd.auth.problem import AuthProblem
from hooksd.auth.request import Inbound
from hooksd.auth.sources import first_of
from hooksd.auth.verdict import Authentic, Refused, Verifier
from hooksd.model.secret import Secret
from hooksd.model.trust import Trust
from tests.auth.requests import NOW, auth, document, inbound, said, secret, verdict, verifier
from tests.auth.signing import concrete, provider, public_text, secret_text, sent_by

HMAC: dict[str, Any] = {"type": "hmac", "secret": "credential:one", "header": "X-Sig"}
TOKEN: dict[str, Any] = {"type": "token", "secret": "credential:one"}


@pytest.mark.parametrize(
    ("keys", "trust"),
    [
        ({"type": "none"}, Trust.ANONYMOUS),
        (HMAC, Trust.SIGNED),
        ({**HMAC, "signed": "{header:X-Time}", "partial": True}, Trust.TOKEN),
        ({**HMAC, "signed": {"*": "{body}", "text/plain": "{header:X-Time}"}, "partial": True}, Trust.TOKEN),
        ({**HMAC, "signed": {"*": "{body}", "application/x-www-form-urlencoded": "{form:payload}"}}, Trust.SIGNED),
        ({**TOKEN, "token": "header:X-Token"}, Trust.TOKEN),
        ({"type": "bearer", "secret": "credential:one"}, Trust.TOKEN),
        ({"type": "basic", "username": "ann", "password": "credential:one"}, Trust.TOKEN),
    ],
    ids=str,
)
def test_only_who_signs_the_body_is_trusted_as_signed(keys: dict[str, Any], trust: Trust) -> None:
    assert verifier(**keys).trust is trust


@pytest.mark.parametrize(
    ("keys", "headers", "fields"),
    [
        ({"type": "none"}, set(), set()),
        (HMAC, {"x-sig"}, set()),
        ({**HMAC, "header": None, "signature": "query:Sig"}, set(), {"Sig"}),
        ({**TOKEN, "token": "header:X-Token"}, {"x-token"}, set()),
        ({**TOKEN, "token": "query:t"}, set(), {"t"}),
        ({**TOKEN, "token": "form:t"}, set(), {"t"}),
        ({**TOKEN, "token": "json:t"}, set(), set()),
        ({"type": "bearer", "secret": "credential:one"}, {"authorization"}, set()),
        ({"type": "basic", "username": "ann", "password": "credential:one"}, {"authorization"}, set()),
    ],
    ids=str,
)
def test_what_proves_the_caller_is_named_so_that_nobody_keeps_it(
    keys: dict[str, Any], headers: set[str], fields: set[str]
) -> None:
    judge = verifier(**keys)

    assert judge.credential_headers == headers
    assert judge.credential_fields == fields


def test_a_token_in_a_json_body_is_named_by_its_path() -> None:
    assert verifier(**TOKEN, token="json:auth.t").credential_paths == {"auth.t"}
    assert verifier(**TOKEN, token="query:t").credential_paths == set()


@pytest.mark.parametrize(
    ("keys", "key", "message"),
    [
        ({**HMAC, "secret": "credential:empty"}, "secret", "the secret is empty"),
        ({**HMAC, "secret": "credential:short"}, "secret", "shorter than 8 bytes"),
        ({**HMAC, "secret": ["credential:one", "credential:short"]}, "secret", "shorter than 8 bytes"),
        ({**HMAC, "secret_encoding": "base64"}, "secret", "the secret is not base64"),
        ({"preset": "standard", "secret": "credential:one"}, "secret", "the secret is not base64"),
        ({**TOKEN, "token": "header:X", "secret": "credential:empty"}, "secret", "the secret is empty"),
        ({"type": "bearer", "secret": "credential:short"}, "secret", "shorter than 8 bytes"),
        ({"type": "basic", "username": "ann", "password": "credential:short"}, "password", "shorter than 8 bytes"),
        ({"preset": "github"}, "secret", "a secret is missing"),
        ({"preset": "githup", "secret": "credential:one"}, "preset", "unknown preset `githup`"),
        ({**HMAC, "tolerance": "5m"}, "tolerance", "no time"),
    ],
    ids=str,
)
def test_what_cannot_be_built_is_a_problem_that_shows_no_secret(keys: dict[str, Any], key: str, message: str) -> None:
    with pytest.raises(AuthProblem) as caught:
        build_verifier(auth(**keys), secret)

    assert caught.value.key == key
    assert message in caught.value.message
    assert "first secret" not in f"{caught.value.message}{caught.value.hint}"


def test_what_the_store_of_secrets_raises_is_let_through() -> None:
    with pytest.raises(KeyError, match="credential:nope"):
        verifier(**{**HMAC, "secret": "credential:nope"})


def test_the_event_type_is_the_words_that_are_there_joined_with_dots() -> None:
    judge = verifier(type="none", event=["header:X-Event", "json:action"], id="header:X-Id")

    assert said(judge, inbound(x_event="push", x_id="7"), {}) == ("push", "7")
    assert said(judge, inbound(x_event="pr"), {"action": "opened"}) == ("pr.opened", None)
    assert judge.event(inbound(), document({"action": ["x"]})) == '["x"]'
    assert said(judge, inbound(), None) == (None, None)
    assert said(verifier(type="none"), inbound(x_event="push"), {}) == (None, None)


def broken(request: Inbound, now: float) -> Authentic:
    raise ZeroDivisionError


def test_a_mistake_of_ours_refuses_the_request() -> None:
    judge = BuiltVerifier(
        judge=broken,
        trust=Trust.TOKEN,
        event=first_of(()),
        id=first_of(()),
        observes=False,
        credential_headers=frozenset(),
        credential_fields=frozenset(),
        credential_paths=frozenset(),
    )

    assert judge.verify(inbound(), NOW) == Refused(reason="internal_error")


def preset(name: str) -> Verifier:
    shared = Secret(secret_text(concrete(name)))
    return build_verifier(provider(name), {"env:ONE": shared}.__getitem__)


JUDGES = [
    *(preset(name) for name in preset_names()),
    verifier(**HMAC, signed="{json:a.b}{query:a}{form:a}{body}", encoding=["hex", "base64"]),
    verifier(**TOKEN, token="json:a"),
    verifier(**TOKEN, token="form:a"),
    verifier(type="bearer", secret="credential:one"),
    verifier(type="basic", username="ann", password="credential:one"),
]
HEADER_NAMES = [
    "x-sig", "authorization", "x-hub-signature-256", "x-gitlab-token", "webhook-signature", "webhook-id",
    "webhook-timestamp",
    "stripe-signature", "x-slack-signature", "x-slack-request-timestamp", "x-github-event",
]  # fmt: skip
HEADER_VALUES = st.text(st.characters(max_codepoint=255), max_size=30) | st.sampled_from(
    ["t=1,v1=00", "v1,AAAA v1,", "sha256=00", "v0=00", "Basic AAAA", "Bearer x", str(int(NOW))]
)


@given(
    st.sampled_from(JUDGES),
    st.lists(st.tuples(st.sampled_from(HEADER_NAMES), HEADER_VALUES), max_size=6),
    st.binary(max_size=60) | st.sampled_from([b'{"a":{"b":1}}', b"a=1&a=2", b"[" * 3000]),
    st.text(max_size=20),
)
def test_no_request_makes_a_verifier_raise_or_let_it_in(
    judge: BuiltVerifier, headers: list[tuple[str, str]], body: bytes, query: str
) -> None:
    request = Inbound(
        method="POST", path="/", query_string=query, headers=tuple(headers), body=body, media="application/json"
    )

    found = judge.verify(request, NOW)

    assert not isinstance(found, Authentic)
    assert found != Refused(reason="internal_error")
    judge.event(request, document(None))
    judge.id(request, document(None))


def test_a_public_key_may_be_a_reference_to_one() -> None:
    key = public_text("ed25519", "hex")
    judge = build_verifier(
        auth(preset="discord", public_key="file:discord.key"), lambda _: Secret(key.encode() + b"\n")
    )

    assert verdict(judge, sent_by(concrete("discord"))) == "key 0"


@pytest.mark.parametrize("text", [b"\xff", b"", b"00"])
def test_what_is_no_public_key_is_told_without_showing_it(text: bytes) -> None:
    with pytest.raises(AuthProblem, match=r"no text|no public key in hex") as caught:
        build_verifier(auth(preset="discord", public_key="file:discord.key"), lambda _: Secret(text))

    assert caught.value.key == "public_key"
