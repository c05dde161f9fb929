from __future__ import annotations

import pytest

from hooksd.auth.build import build_verifier
from hooksd.auth.problem import AuthProblem
from hooksd.auth.remote import Remotes
from hooksd.auth.verdict import Authentic, Observed, Refused
from hooksd.model.secret import Secret
from hooksd.model.trust import Trust
from tests.auth.requests import NOW, SECRETS, auth, inbound, said, verdict, verifier

ONE = {"type": "token", "token": "header:X-Token", "secret": "credential:one", "event": "header:X-Kind"}
TWO = {"type": "bearer", "secret": "credential:two", "event": "header:X-Type", "id": "header:X-Id"}
FIRST, SECOND = SECRETS["credential:one"].decode(), f"Bearer {SECRETS['credential:two'].decode()}"
SIGNED = {"type": "hmac", "header": "X-Sig", "secret": "credential:one"}


@pytest.mark.parametrize(
    ("headers", "any_of", "all_of"),
    [
        ({"x_token": FIRST, "authorization": SECOND}, "key 0", "key 0"),
        ({"x_token": FIRST}, "key 0", "missing_token"),
        ({"authorization": SECOND}, "key 1", "missing_token"),
        ({"x_token": "wrong", "authorization": SECOND}, "key 1", "bad_token"),
        ({"x_token": FIRST, "authorization": "Bearer wrong"}, "key 0", "bad_token"),
        ({"authorization": "Bearer wrong"}, "bad_token", "missing_token"),
        ({}, "missing_token", "missing_token"),
    ],
)
def test_of_several_proofs_one_or_all_must_hold(headers: dict[str, str], any_of: str, all_of: str) -> None:
    request = inbound(**headers)

    assert verdict(verifier(type="any", of=[ONE, TWO]), request) == any_of
    assert verdict(verifier(type="all", of=[ONE, TWO]), request) == all_of


def test_proofs_may_be_made_of_proofs() -> None:
    judge = verifier(type="any", of=[{"type": "all", "of": [ONE, TWO]}, SIGNED])

    assert verdict(judge, inbound(x_token=FIRST, authorization=SECOND)) == "key 0"
    assert verdict(judge, inbound(x_token=FIRST)) == "missing_token"


def test_all_are_trusted_as_the_best_proof_and_any_as_the_weakest() -> None:
    assert verifier(type="all", of=[ONE, SIGNED]).trust is Trust.SIGNED
    assert verifier(type="any", of=[ONE, SIGNED]).trust is Trust.TOKEN


def test_what_a_request_says_of_itself_is_read_where_one_of_the_proofs_says() -> None:
    request = inbound(x_type="made", x_id="7")

    assert said(verifier(type="any", of=[ONE, TWO]), request, None) == ("made", "7")
    own = verifier(type="any", of=[ONE, TWO], event="const:mine", id="header:X-Type")
    assert said(own, request, None) == ("mine", "made")


def test_credentials_of_every_proof_are_hidden() -> None:
    judge = verifier(type="any", of=[ONE, TWO, SIGNED, {**ONE, "token": "query:t"}, {**ONE, "token": "json:a.t"}])

    assert judge.credential_headers == {"x-token", "authorization", "x-sig"}
    assert judge.credential_fields == {"t"}
    assert judge.credential_paths == {"a.t"}


def test_while_the_keys_of_one_proof_are_on_their_way_nothing_is_decided() -> None:
    token = {
        "type": "jwt", "token": "header:X-Jwt", "issuers": "i", "audience": "a", "jwks_url": "https://i.example/jwks",
    }  # fmt: skip
    known = auth(type="any", of=[token, TWO])
    judge = build_verifier(known, lambda ref: Secret(SECRETS[ref]), Remotes())
    unsigned = "eyJhbGciOiJSUzI1NiJ9.e30.AAAA"

    assert verdict(judge, inbound(x_jwt=unsigned)) == "keys_unavailable"
    assert verdict(judge, inbound(x_jwt=unsigned, authorization=SECOND)) == "key 1"


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"type": "none"}, "proves nothing"),
        ({**ONE, "mode": "observe"}, "cannot be observed alone"),
        ({"type": "bearer"}, "a secret is missing"),
        ({"preset": "githb", "secret": "credential:one"}, "unknown preset"),
    ],
)
@pytest.mark.parametrize("kind", ["any", "all"])
def test_what_is_wrong_with_one_proof_is_wrong_with_the_whole(kind: str, part: dict[str, str], message: str) -> None:
    with pytest.raises(AuthProblem, match=message):
        verifier(type=kind, of=[ONE, part])


def test_what_is_wrong_is_shown_in_its_place() -> None:
    with pytest.raises(AuthProblem) as caught:
        verifier(type="any", of=[ONE, {"type": "all", "of": [TWO, {"type": "bearer"}]}])

    assert caught.value.within == ("of", 1, "of", 1)


def test_who_observes_lets_everybody_in_as_anonymous_and_says_what_it_found() -> None:
    judge = verifier(**ONE, mode="observe")

    assert judge.trust is Trust.ANONYMOUS
    assert judge.verify(inbound(x_token=FIRST), NOW) == Observed(found=Authentic(key=0))
    assert judge.verify(inbound(x_token="wrong"), NOW) == Observed(found=Refused(reason="bad_token"))
    assert verifier(type="all", of=[ONE, SIGNED], mode="observe").trust is Trust.ANONYMOUS
