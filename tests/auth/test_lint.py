from __future__ import annotations

from typing import Any

import pytest

from hooksd.auth.lint import FOR_ANYBODY, UNSIGNED_TIME, problems
from hooksd.auth.presets import preset_names
from tests.auth.requests import auth
from tests.auth.signing import concrete

HMAC: dict[str, Any] = {"type": "hmac", "secret": "credential:one", "header": "X-Sig"}
TIMED: dict[str, Any] = {**HMAC, "signed": "{timestamp}.{body}", "timestamp": "header:X-Time", "tolerance": "5m"}


@pytest.mark.parametrize(
    "keys",
    [
        {"type": "none"},
        {"type": "none", "event": "header:X-Event", "id": "header:X-Id"},
        HMAC,
        TIMED,
        {**HMAC, "format": "t={timestamp},v1={signature}", "signed": "{timestamp}.{body}", "tolerance": "5m"},
        {**HMAC, "timestamp": "json:time", "timestamp_format": "unix_ms", "tolerance": "1m"},
        {**HMAC, "signed": "{header:X-Time}{body}", "timestamp": "header:X-Time", "tolerance": "1m"},
        {**HMAC, "signed": "{id}.{body}", "id": "header:X-Id"},
        {**HMAC, "signed": {"*": "{body}", "application/x-www-form-urlencoded": "{form:payload}"}},
        {"type": "hmac", "secret": "credential:one", "signature": "query:sig"},
        {**HMAC, "signed": "{json:a}", "partial": True, "forbid": ["json:b", "query:c"]},
        {"type": "token", "secret": "credential:one", "token": "header:X-Token"},
        {"type": "bearer", "secret": "credential:one"},
        {"type": "basic", "username": "ann", "password": "credential:one"},
    ],
    ids=str,
)
def test_what_works_has_no_problems(keys: dict[str, Any]) -> None:
    assert problems(auth(**keys)) == ()


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_without_problems(name: str) -> None:
    assert problems(concrete(name)) == ()


@pytest.mark.parametrize(
    ("keys", "key", "message"),
    [
        ({**HMAC, "secret": []}, "secret", "a secret is missing"),
        ({"type": "token", "token": "header:X"}, "secret", "a secret is missing"),
        ({"type": "bearer"}, "secret", "a secret is missing"),
        ({"type": "hmac", "secret": "credential:one"}, "header", "not said where the signature is"),
        ({**HMAC, "signature": "query:s"}, "signature", "already says"),
        ({**HMAC, "header": None, "signature": "const:x"}, "signature", "no proof"),
        ({**HMAC, "format": "sha256"}, "format", "`{signature}` is missing"),
        ({**HMAC, "format": "a={signature},b={what}"}, "format", "`{what}` means nothing"),
        ({**HMAC, "format": "a={signature},b={signature}"}, "format", "stands twice"),
        ({**HMAC, "format": "{timestamp}:{signature}"}, "format", "key={value}"),
        ({**TIMED, "format": "t={timestamp},v1={signature}"}, "timestamp", "already says"),
        ({**HMAC, "separator": ""}, "separator", "empty"),
        ({**HMAC, "encoding": []}, "encoding", "how the signature is written"),
        ({**HMAC, "signed": {"text/plain": "{body}"}}, "signed", "in all other cases"),
        ({**HMAC, "signed": "constant"}, "signed", "every caller would pass"),
        ({**HMAC, "signed": "{body}{cookie:x}"}, "signed", "`{cookie:x}` means nothing"),
        ({**HMAC, "signed": "{timestamp}{body}"}, "timestamp", "not said where it is"),
        ({**HMAC, "signed": "{id}{body}"}, "id", "not said where it is"),
        ({**HMAC, "signed": "{header:X-Time}"}, "signed", "the body is not signed"),
        ({**HMAC, "signed": {"*": "{body}", "text/plain": "{form:a}"}}, "signed", "the body is not signed"),
        ({**HMAC, "partial": True}, "partial", "the whole body is signed"),
        ({**HMAC, "forbid": "json:"}, "forbid", "`json:` names nothing"),
        ({**HMAC, "tolerance": "5m"}, "tolerance", "no time that could be too old"),
        ({**TIMED, "signed": "{body}"}, "tolerance", "anybody could write a fresh one"),
        ({**TIMED, "tolerance": "0s"}, "tolerance", "no clock is that exact"),
        ({**HMAC, "event": "header:"}, "event", "`header:` names nothing"),
        ({"type": "token", "secret": "credential:one", "token": "const:x"}, "token", "no proof"),
        ({"type": "token", "secret": "credential:one", "token": ""}, "token", "not said where the token is"),
        ({"type": "basic", "username": "a:b", "password": "credential:one"}, "username", "RFC 7617"),
        ({"type": "basic", "username": "", "password": "credential:one"}, "username", "empty"),
    ],
    ids=str,
)
def test_what_cannot_work_or_protects_nothing_is_a_problem_of_its_key(
    keys: dict[str, Any], key: str, message: str
) -> None:
    found = problems(auth(**keys))

    assert [problem.key for problem in found] == [key]
    assert message in found[0].message


def test_all_problems_are_told_at_once() -> None:
    found = problems(auth(type="hmac", format="x", tolerance="5m"))

    assert [problem.key for problem in found] == ["secret", "header", "format", "tolerance"]


ISSUED: dict[str, Any] = {"type": "jwt", "issuers": "i", "audience": "a", "jwks_url": "https://i.example/jwks"}
KEYED: dict[str, Any] = {"type": "jwt", "algorithms": "HS256", "secret": "credential:one"}
SIGNED: dict[str, Any] = {"type": "signature", "algorithm": "ed25519", "header": "X-Sig", "public_key": "k"}
BEARER: dict[str, Any] = {"type": "bearer", "secret": "credential:one"}


@pytest.mark.parametrize(
    "keys",
    [
        SIGNED, ISSUED, KEYED,
        {**ISSUED, "jwks_url": None, "jwks_file": "keys.json"},
        {**ISSUED, "must_claim": "sub", "claims": {"sub": "x"}},
        {"type": "twilio", "secret": "credential:one"},
        {"type": "aws-sns", "topics": "arn:x"},
        {"type": "paypal", "webhook_id": "1"},
        {"type": "any", "of": [BEARER, SIGNED]},
        {"type": "all", "of": [BEARER, {"type": "any", "of": [BEARER]}], "mode": "observe"},
    ],
    ids=str,
)  # fmt: skip
def test_so_do_proofs_that_need_no_shared_secret_and_several_of_them(keys: dict[str, Any]) -> None:
    assert problems(auth(**keys)) == ()


@pytest.mark.parametrize(
    ("keys", "key", "code"),
    [
        ({**SIGNED, "public_key": []}, "public_key", None),
        ({**SIGNED, "header": None}, "header", None),
        ({**SIGNED, "timestamp": "header:X-Time", "tolerance": "5m"}, "tolerance", UNSIGNED_TIME),
        ({**ISSUED, "issuers": []}, "issuers", FOR_ANYBODY),
        ({**ISSUED, "audience": []}, "audience", FOR_ANYBODY),
        ({**ISSUED, "must_claim": ["sub", "email"], "claims": {"x": 1}}, "claims", FOR_ANYBODY),
        ({**ISSUED, "jwks_url": None}, "jwks_url", None),
        ({**ISSUED, "jwks_file": "keys.json"}, "jwks_file", None),
        ({**ISSUED, "secret": "credential:one"}, "secret", None),
        ({**ISSUED, "algorithms": []}, "algorithms", None),
        ({**ISSUED, "algorithms": ["HS256", "RS256"]}, "algorithms", None),
        ({**ISSUED, "token": "const:x"}, "token", None),
        ({**ISSUED, "token": "header:"}, "token", None),
        ({**KEYED, "secret": []}, "secret", None),
        ({**HMAC, "signed": "{id}{body}", "id": ["header:X-A", "header:X-B"]}, "id", None),
        ({"type": "twilio"}, "secret", None),
        ({"type": "aws-sns"}, "topics", None),
        ({"type": "paypal", "webhook_id": ""}, "webhook_id", None),
        ({"type": "any", "of": [BEARER, {"type": "none"}]}, "of", None),
        ({"type": "all", "of": [{**BEARER, "mode": "observe"}]}, "of", None),
        ({"type": "all", "of": [BEARER, {"type": "bearer"}]}, "secret", None),
    ],
    ids=str,
)
def test_what_would_protect_too_little_is_told_with_a_code_of_its_own(
    keys: dict[str, Any], key: str, code: str | None
) -> None:
    (problem,) = problems(auth(**keys))

    assert (problem.key, problem.code) == (key, code)
