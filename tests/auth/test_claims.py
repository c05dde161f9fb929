from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.auth.claims import Claims
from hooksd.auth.refusal import Refusal
from hooksd.model.auth import JwtAuth
from tests.auth.requests import NOW

HONEST = {"exp": NOW + 300, "iat": NOW, "nbf": NOW, "iss": "i", "aud": "a", "repository": "o/r", "email_verified": True}
KNOWN = {"issuers": "i", "audience": ["a", "b"], "claims": {"repository": ["o/r", "o/s"], "email_verified": True}}


def said(claims: dict[str, Any], now: float = NOW, **keys: Any) -> str:
    known = JwtAuth.model_validate({"type": "jwt", **KNOWN, **keys})
    try:
        Claims(auth=known).check(claims, now)
    except Refusal as refusal:
        return refusal.reason
    return "passed"


def test_honest_claims_pass() -> None:
    assert said(HONEST) == "passed"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [(NOW + 359, "passed"), (NOW + 360, "expired"), (NOW - 60, "passed"), (NOW - 61, "not_yet_valid")],
)
def test_a_token_is_good_for_its_time_and_a_minute_around_it(moment: float, expected: str) -> None:
    assert said(HONEST, moment) == expected


def test_a_token_must_expire_unless_it_is_said_otherwise() -> None:
    without = {name: value for name, value in HONEST.items() if name != "exp"}

    assert said(without) == "expired"
    assert said(without, require_exp=False) == "passed"
    assert said({**HONEST, "exp": NOW - 3600}, require_exp=False) == "expired"


def test_a_token_may_not_be_older_than_it_is_said() -> None:
    assert said({**HONEST, "exp": NOW + 9e9}, NOW + 160, max_age="100s") == "passed"
    assert said({**HONEST, "exp": NOW + 9e9}, NOW + 161, max_age="100s") == "expired"
    assert said({name: value for name, value in HONEST.items() if name != "iat"}, max_age="100s") == "expired"


@pytest.mark.parametrize("value", [True, None, "1700000300", [], 1e300, float("nan"), float("inf"), -1e300, 10**400])
@pytest.mark.parametrize(("name", "reason"), [("exp", "expired"), ("nbf", "not_yet_valid"), ("iat", "not_yet_valid")])
def test_a_time_that_is_no_number_is_no_time(value: Any, name: str, reason: str) -> None:
    assert said({**HONEST, name: value}) == reason


@pytest.mark.parametrize("issuer", ["j", "", None, ["i"], "i ", "I"])
def test_another_issuer_is_refused(issuer: Any) -> None:
    assert said({**HONEST, "iss": issuer}) == "bad_issuer"


@pytest.mark.parametrize(("audience", "expected"), [
    ("b", "passed"), (["x", "a"], "passed"), ("ab", "bad_audience"), ([], "bad_audience"), (None, "bad_audience"),
    ([["a"]], "bad_audience"), ({"a": 1}, "bad_audience"),
])  # fmt: skip
def test_a_token_must_be_for_us(audience: Any, expected: str) -> None:
    assert said({**HONEST, "aud": audience}) == expected


@pytest.mark.parametrize(("name", "value", "expected"), [
    ("repository", "o/s", "passed"), ("repository", "o/r2", "bad_claim"), ("repository", None, "bad_claim"),
    ("repository", ["o/r"], "bad_claim"), ("email_verified", 1, "bad_claim"), ("email_verified", "true", "bad_claim"),
])  # fmt: skip
def test_a_claim_must_say_exactly_that_in_the_same_type(name: str, value: Any, expected: str) -> None:
    assert said({**HONEST, name: value}) == expected


@given(
    st.dictionaries(
        st.sampled_from(["exp", "nbf", "iat", "iss", "aud", "repository"]),
        st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=3),
    )
)
def test_no_claims_make_the_check_fail(claims: dict[str, Any]) -> None:
    assert said(claims) != "passed"
