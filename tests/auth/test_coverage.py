from __future__ import annotations

from typing import Any

import pytest

from hooksd.auth.coverage import Coverage, coverage
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
        ("adyen", "parts of the body, id"),
        ("mailgun", "time within 15m, id"),
        ("gitlab", "nothing"),
        ("alertmanager", "nothing"),
        ("postmark", "nothing"),
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
    ],
    ids=str,
)
def test_a_signature_covers_what_all_its_variants_cover(keys: dict[str, Any], expected: dict[str, Any]) -> None:
    nothing: dict[str, Any] = {"time": False, "id": False, "url": False, "window": None}

    assert coverage(auth(**HMAC, **keys)) == Coverage(**{**nothing, **expected})


def test_a_window_of_seconds_is_written_in_seconds() -> None:
    known = auth(**HMAC, timestamp="json:t", tolerance="90s")

    assert str(coverage(known)) == "body, time within 90s"
