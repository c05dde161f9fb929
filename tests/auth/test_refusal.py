from __future__ import annotations

from hooksd.auth.refusal import Refusal


def test_a_refusal_says_why() -> None:
    assert Refusal("bad_token").reason == str(Refusal("bad_token")) == "bad_token"
