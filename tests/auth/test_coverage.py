from __future__ import annotations

from typing import Any

import pytest

from hooksd.auth.coverage import Coverage, coverage, leaves
from tests.auth.requests import auth
from tests.auth.signing import concrete

HMAC: dict[str, Any] = {"type": "hmac", "secret": "credential:one", "header": "X-Sig"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("github", "body"),
        ("gitea", "body"),
        ("stripe", "body, time within 5m, id"),
        ("linear", "body, time within 1m"),
        ("standard", "body, time within 5m, id"),
        ("slack", "body, time within 5m, id"),
        ("square", "body, id, url"),
        ("hubspot", "body, time within 5m, url"),
        ("adyen", "parts of the body, id"),
        ("mailgun", "time within 15m, id"),
        ("gitlab", "nothing"),
        ("alertmanager", "nothing"),
        ("postmark", "nothing"),
        ("discord", "body, time within 5m, id"),
        ("netlify", "body"),
        ("pubsub", "time"),
        ("twilio", "parts of the body, url"),
        ("sns", "parts of the body, time within 60m, id"),
        ("paypal", "parts of the body, time, id"),
    ],
)
def test_what_a_preset_covers_is_said_in_words(name: str, text: str) -> None:
    assert str(coverage(concrete(name))) == text


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, {"body": "full"}),
        ({"signed": {"*": "{body}", "text/plain": "{url}"}}, {"body": "none"}),
        ({"signed": {"*": "{body}", "text/plain": "{form:a}"}}, {"body": "partial"}),
        ({"signed": {"*": "{body}", "application/x-www-form-urlencoded": "{form:a}"}}, {"body": "full"}),
        ({"signed": {"*": "{body}", "application/x-www-form-urlencoded": "{form:a}{form:b}"}}, {"body": "partial"}),
        ({"signed": "{header:X-T}{body}", "timestamp": "header:X-T"}, {"body": "full", "time": True}),
        ({"timestamp": "header:X-T"}, {"body": "full"}),
        ({"timestamp": "json:t", "tolerance": "90s"}, {"body": "full", "time": True, "window": 90.0}),
        ({"id": "header:X-Id"}, {"body": "full"}),
        ({"id": "json:id"}, {"body": "full", "id": True}),
        ({"id": ["json:source", "json:id"]}, {"body": "full", "id": True}),
        ({"id": ["header:X-Source", "json:id"]}, {"body": "full"}),
    ],
    ids=str,
)
def test_a_signature_covers_what_all_its_variants_cover(keys: dict[str, Any], expected: dict[str, Any]) -> None:
    nothing: dict[str, Any] = {"time": False, "id": False, "url": False, "window": None}

    assert coverage(auth(**HMAC, **keys)) == Coverage(**{**nothing, **expected})


def test_a_window_of_seconds_is_written_in_seconds() -> None:
    known = auth(**HMAC, timestamp="json:t", tolerance="90s")

    assert str(coverage(known)) == "body, time within 90s"


TIMED: dict[str, Any] = {**HMAC, "signed": "{timestamp}.{body}", "timestamp": "header:T", "tolerance": "5m"}
LONGER: dict[str, Any] = {**TIMED, "tolerance": "10m"}
TOKEN: dict[str, Any] = {"type": "bearer", "secret": "credential:one"}


@pytest.mark.parametrize(
    ("parts", "together", "any_of"),
    [
        ([TIMED, LONGER], "body, time within 5m", "body, time within 10m"),
        ([TIMED, TOKEN], "body, time within 5m", "nothing"),
        ([TIMED, {**HMAC}], "body, time within 5m", "body"),
        ([TOKEN, TOKEN], "nothing", "nothing"),
        ([TIMED, {"type": "all", "of": [LONGER]}], "body, time within 5m", "body, time within 10m"),
    ],
)
def test_all_proofs_cover_what_one_of_them_covers_and_any_what_each_does(
    parts: list[dict[str, Any]], together: str, any_of: str
) -> None:
    assert str(coverage(auth(type="all", of=parts))) == together
    assert str(coverage(auth(type="any", of=parts))) == any_of


def test_the_single_proofs_of_several_are_found_at_any_depth() -> None:
    known = auth(type="any", of=[TOKEN, {"type": "all", "of": [TIMED, {"type": "any", "of": [LONGER]}]}])

    assert [leaf.type for leaf in leaves(known)] == ["bearer", "hmac", "hmac"]
