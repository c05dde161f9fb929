from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from hooksd.auth.build import build_verifier
from hooksd.auth.jose import MAX_TOKEN, key_set
from hooksd.auth.problem import AuthProblem
from hooksd.auth.remote import RETRY, Remotes
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Verifier
from hooksd.model.secret import Secret
from tests.auth.requests import NOW, auth, inbound, verdict
from tests.auth.signing import KEY, OTHER, asymmetric, base64url, claims_of, concrete, judge_of, jwks, public_pem, token

URL = "https://issuer.example/jwks"
KNOWN: dict[str, Any] = {"type": "jwt", "issuers": "i", "audience": "a", "jwks_url": URL}
CLAIMS = {"iss": "i", "aud": "a", "exp": NOW + 300}


def knowing(document: bytes | None = None, **keys: Any) -> tuple[Verifier, Remotes]:
    remotes = Remotes()
    judge = build_verifier(auth(**{**KNOWN, **keys}), lambda _: Secret(b"a shared secret of some length"), remotes)
    for remote in remotes.due(NOW) if document is not None else ():
        assert remote.received(document, NOW)
    return judge, remotes


def bearing(text: str, body: bytes = b"{}") -> Inbound:
    return inbound(body, authorization=f"Bearer {text}")


JUDGE, _KEPT = knowing(jwks())


def test_a_token_of_the_issuer_is_authentic() -> None:
    assert verdict(JUDGE, bearing(token(CLAIMS))) == "key 0"
    assert verdict(JUDGE, inbound(authorization=f"bearer  {token(CLAIMS)}")) == "key 0"


def test_a_token_of_a_job_of_github_actions_needs_no_secret() -> None:
    known: Any = concrete("github-actions-oidc")
    claims = claims_of(known, b"")

    assert verdict(judge_of("github-actions-oidc"), bearing(token(claims))) == "key 0"
    assert verdict(judge_of("github-actions-oidc"), bearing(token({**claims, "repository": "o/r2"}))) == "bad_claim"


def test_the_algorithm_is_chosen_by_the_definition_alone() -> None:
    public_as_secret = token(CLAIMS, secret=public_pem(), kid=KEY[:4].hex())
    unsigned = ".".join([base64url(b'{"alg":"none"}'), base64url(json.dumps(CLAIMS).encode()), ""])

    assert verdict(JUDGE, bearing(public_as_secret)) == "bad_algorithm"
    assert verdict(JUDGE, bearing(unsigned)) == "bad_algorithm"
    assert verdict(JUDGE, bearing(unsigned + "AAAA")) == "bad_algorithm"
    for name in ("NONE", "rs256", "RS512", "ES256", "", None, 1, ["RS256"]):
        assert verdict(JUDGE, bearing(token(CLAIMS, alg=name))) == "bad_algorithm"


@pytest.mark.parametrize(
    "header", [{"crit": ["b64"], "b64": True}, {"crit": []}, {"crit": ["x"], "x": 1}, {"b64": False}]
)
def test_a_token_that_asks_for_more_than_is_understood_is_refused(header: dict[str, Any]) -> None:
    assert verdict(JUDGE, bearing(token(CLAIMS, **header))) in {"bad_algorithm", "malformed_token"}


def test_keys_in_the_token_itself_are_not_looked_at() -> None:
    theirs = json.loads(jwks(OTHER))["keys"][0]
    forged = token(CLAIMS, OTHER, kid=KEY[:4].hex(), jwk=theirs, jku="https://evil.example/jwks", x5u="https://x")

    assert verdict(JUDGE, bearing(forged)) == "bad_signature"


def test_a_signature_fits_nothing_else() -> None:
    head, body, signature = token(CLAIMS).split(".")
    changed = base64url(json.dumps({**CLAIMS, "sub": "x"}).encode())

    assert verdict(JUDGE, bearing(f"{head}.{changed}.{signature}")) == "bad_signature"
    assert verdict(JUDGE, bearing(f"{head}.{body}.{signature[:-6]}")) == "bad_signature"


def test_a_token_has_one_spelling() -> None:
    good = token(CLAIMS)
    last = good[-1]
    neighbour = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = neighbour[neighbour.index(last) ^ 1]

    assert verdict(JUDGE, bearing(good[:-1] + other)) == "malformed_token"
    for text in (good + "=", good + ".", good.replace(".", "", 1), good + "!", "..", "a.b.c", "e30.e30.e30"):
        assert verdict(JUDGE, bearing(text)) in {"malformed_token", "bad_algorithm"}
    assert verdict(JUDGE, bearing("A" * (MAX_TOKEN + 1))) == "malformed_token"


@pytest.mark.parametrize("claims", [[], 1, "x", None])
def test_claims_are_a_table(claims: Any) -> None:
    assert verdict(JUDGE, bearing(token(claims))) == "malformed_token"


def test_who_brings_no_token_or_another_scheme_is_told_apart() -> None:
    assert verdict(JUDGE, inbound()) == "missing_token"
    assert verdict(JUDGE, inbound(authorization="Bearer ")) == "missing_token"
    assert verdict(JUDGE, inbound(authorization=f"Basic {token(CLAIMS)}")) == "bad_scheme"
    assert JUDGE.credential_headers == {"authorization"}


def test_before_keys_are_there_nothing_is_decided() -> None:
    judge, remotes = knowing()

    assert verdict(judge, bearing(token(CLAIMS))) == "keys_unavailable"
    assert [remote.url for remote in remotes.due(NOW)] == [URL]


def test_an_unknown_key_has_the_keys_fetched_anew_once_a_minute_at_most() -> None:
    judge, remotes = knowing(jwks())
    later = NOW + RETRY

    assert verdict(judge, bearing(token(CLAIMS, OTHER))) == "unknown_key"
    assert remotes.due(NOW) == []
    assert verdict(judge, bearing(token(CLAIMS, OTHER)), later) == "keys_unavailable"
    for remote in remotes.due(later):
        remote.received(jwks(KEY, OTHER), later)
    assert verdict(judge, bearing(token(CLAIMS, OTHER)), later) == "key 0"
    assert verdict(judge, bearing(token(CLAIMS, kid="junk")), later) == "unknown_key"


def test_a_token_without_a_key_id_is_for_the_only_key() -> None:
    unnamed = resigned(base64url(b'{"alg":"RS256"}') + "." + token(CLAIMS).split(".")[1])

    assert verdict(JUDGE, bearing(unnamed)) == "key 0"
    assert verdict(knowing(jwks(KEY, OTHER))[0], bearing(unnamed)) == "unknown_key"


def resigned(message: str) -> str:
    return f"{message}.{base64url(asymmetric('rsa-sha256', KEY, message.encode()))}"


def test_a_keyed_hash_is_checked_with_the_secrets() -> None:
    secrets = {"env:A": b"another secret, quite long", "env:B": b"a shared secret of some length"}
    known = auth(type="jwt", algorithms="HS256", secret=list(secrets), require_exp=False)
    judge = build_verifier(known, lambda ref: Secret(secrets[ref]))

    assert verdict(judge, bearing(token({}, secret=secrets["env:B"]))) == "key 1"
    assert verdict(judge, bearing(token({}, secret=b"wrong"))) == "bad_signature"
    assert verdict(judge, bearing(token({}))) == "bad_algorithm"


@pytest.mark.parametrize("name", ["netlify", "fusionauth"])
def test_a_body_whose_hash_is_claimed_is_covered(name: str) -> None:
    known: Any = concrete(name)
    body = b'{"state":"ready"}'
    secret = KEY.hex().encode()
    header = known.token.partition(":")[2].lower()

    def sent(claims: dict[str, Any]) -> Inbound:
        return inbound(body).changed(headers=((header, token(claims, secret=secret)),))

    claims = claims_of(known, body)
    assert verdict(judge_of(name), sent(claims)) == "key 0"
    assert verdict(judge_of(name), sent(claims).changed(body=body + b" ")) == "body_mismatch"
    for value in (None, 1, "", [claims[known.body_claim]], claims[known.body_claim].upper() + "x", "\u0661"):
        assert verdict(judge_of(name), sent({**claims, known.body_claim: value})) == "body_mismatch"
    assert judge_of(name).credential_headers == {header}


def elliptic(kid: str = "e") -> tuple[dict[str, Any], Any]:
    key = ec.derive_private_key(int.from_bytes(KEY, "big"), ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    x, y = (base64url(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "kid": kid, "x": x, "y": y}, key


def test_elliptic_curves_and_edwards_curves_are_known() -> None:
    listed, key = elliptic()
    edwards = ed25519.Ed25519PrivateKey.from_private_bytes(KEY)
    okp = {"kty": "OKP", "crv": "Ed25519", "kid": "o", "x": base64url(edwards.public_key().public_bytes_raw())}
    judge, _kept = knowing(json.dumps({"keys": [listed, okp]}).encode(), algorithms=["ES256", "EdDSA"])
    payload = base64url(json.dumps(CLAIMS).encode())
    by_ec = base64url(b'{"alg":"ES256","kid":"e"}') + "." + payload
    numbers = decode_dss_signature(key.sign(by_ec.encode(), ec.ECDSA(hashes.SHA256())))
    raw = b"".join(number.to_bytes(32, "big") for number in numbers)
    by_ed = base64url(b'{"alg":"EdDSA","kid":"o"}') + "." + payload

    assert verdict(judge, bearing(f"{by_ec}.{base64url(raw)}")) == "key 0"
    assert verdict(judge, bearing(f"{by_ed}.{base64url(edwards.sign(by_ed.encode()))}")) == "key 0"
    assert verdict(judge, bearing(f"{by_ec}.{base64url(edwards.sign(by_ec.encode()))}")) == "bad_signature"


def test_a_key_set_gives_keys_for_signatures_that_are_accepted_and_nothing_else() -> None:
    good = json.loads(jwks())["keys"][0]
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key().public_numbers()  # noqa: S505
    short = {**good, "kid": "short", "n": base64url(small.n.to_bytes(128, "big"))}
    whole = {"kty": "oct", "kid": "oct", "k": base64url(KEY)}
    odd: list[Any] = [
        {**good, "kid": "enc", "use": "enc"}, {**good, "kid": "512", "alg": "RS512"}, {**good, "kid": "n", "n": "!"},
        {"kty": "RSA", "kid": "e"}, {**good, "kid": 7}, short, whole, "x", None, [],
    ]  # fmt: skip

    found = key_set(json.dumps({"keys": [good, *odd]}).encode(), ("RS256", "PS256"))

    assert {name for name in found if name[1]} == {("RS256", good["kid"]), ("PS256", good["kid"])}


@pytest.mark.parametrize(
    "document", [b"", b"{", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[]}', b'{"keys":[1]}', b'{"keys":[{"kty":"oct"}]}',
                 b'{"keys":[' + b",".join([b"{}"] * 65) + b"]}"],
)  # fmt: skip
def test_what_is_no_key_set_is_none(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"key|Key|unexpected|empty|Expecting|end"):
        key_set(document, ("RS256",))


def test_keys_may_stand_in_a_file() -> None:
    known = auth(type="jwt", issuers="i", audience="a", jwks_file="keys/jwks.json")
    read: list[str] = []

    def secret(reference: str) -> Secret:
        read.append(reference)
        return Secret(jwks())

    assert verdict(build_verifier(known, secret), bearing(token(CLAIMS))) == "key 0"
    assert verdict(build_verifier(known, secret), bearing(token(CLAIMS, OTHER))) == "unknown_key"
    assert read == ["file:keys/jwks.json"] * 2
    with pytest.raises(AuthProblem, match="no JSON Web Key Set"):
        build_verifier(known, lambda _: Secret(b"{}"))


@given(st.text(st.sampled_from("eyJhbGciOiJSUzI1NiJ9.-_=AZaz09!\u00ff"), max_size=80) | st.text(max_size=40))
def test_no_text_makes_a_verifier_fail(text: str) -> None:
    request = inbound().changed(headers=(("authorization", f"Bearer {text}".encode().decode("latin-1")),))

    assert verdict(JUDGE, request) in {"malformed_token", "missing_token", "bad_algorithm"}


def test_a_hash_of_the_body_is_compared_in_its_own_encoding() -> None:
    body = b"{}"
    said = hashlib.sha256(body)
    known = auth(
        type="jwt", algorithms="HS256", secret="env:A", require_exp=False, body_claim="h", body_claim_encoding="base64"
    )
    judge = build_verifier(known, lambda _: Secret(b"a shared secret"))

    text = base64.b64encode(said.digest()).decode()
    assert verdict(judge, bearing(token({"h": text}, secret=b"a shared secret"), body)) == "key 0"
    assert verdict(judge, bearing(token({"h": said.hexdigest()}, secret=b"a shared secret"), body)) == "body_mismatch"
