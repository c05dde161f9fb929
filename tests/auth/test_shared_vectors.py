"""Requests that providers published, or that were derived from their libraries, where they are at hand."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hooksd.auth import build
from hooksd.auth.build import build_verifier
from hooksd.auth.presets import PRESETS
from hooksd.auth.problem import AuthProblem
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Authentic, Refused
from hooksd.model.auth import PresetAuth
from hooksd.model.secret import Secret

FOLDER = Path(__file__).parents[3] / "shared" / "vectors"


def vectors() -> list[Any]:
    files = [FOLDER / "published.json", FOLDER / "derived.json"]
    if not all(file.exists() for file in files):
        return [pytest.param({}, marks=pytest.mark.skip(reason="no shared vectors beside the checkout"))]
    found = [vector for file in files for vector in json.loads(file.read_text())]
    return [pytest.param(vector, id=vector["id"]) for vector in found if vector["preset"] in PRESETS]


def inbound(vector: dict[str, Any]) -> Inbound:
    url = urlsplit(vector["url"])
    headers = tuple((name.lower(), value.encode().decode("latin-1")) for name, value in vector["headers"])
    media = next((value for name, value in headers if name == "content-type"), "")
    raw = base64.b64decode(vector["body_b64"]) if "body_b64" in vector else vector["body"].encode()
    return Inbound(
        method=vector["method"],
        path=url.path,
        query_string=url.query,
        headers=headers,
        body=raw,
        media=media.partition(";")[0].strip().lower(),
        url=vector["url"],
    )


@pytest.mark.parametrize("vector", vectors())
def test_every_published_request_gets_the_verdict_that_its_provider_gives(vector: dict[str, Any]) -> None:
    secrets = {f"env:{place}": text for place, text in enumerate(vector.get("secrets") or [vector["secret"]])}
    auth = PresetAuth.model_validate({"preset": vector["preset"], "secret": list(secrets), **vector.get("auth", {})})
    if vector.get("reason") == "config_error":
        with pytest.raises(AuthProblem, match="empty"):
            build_verifier(auth, lambda ref: Secret(secrets[ref].encode()))
        return
    with pytest.MonkeyPatch.context() as patch:
        # Some of the published secrets are shorter than ours may be.
        patch.setattr(build, "MIN_SECRET", 1)
        verifier = build_verifier(auth, lambda ref: Secret(secrets[ref].encode()))
    verdict = verifier.verify(inbound(vector), vector["now"])
    if vector["expect"] == "valid":
        assert isinstance(verdict, Authentic)
    else:
        assert isinstance(verdict, Refused)
        assert verdict.reason == vector.get("reason", verdict.reason)
