"""Every preset, with requests of our own making and with those that providers published, where they are at hand."""

from __future__ import annotations

import base64
import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hooksd.auth import build
from hooksd.auth.build import build_verifier
from hooksd.auth.presets import PRESETS, describe, expand, preset_names
from hooksd.auth.problem import AuthProblem
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Authentic, Reading, Refused, Verifier
from hooksd.model.auth import HmacAuth, NoneAuth, PresetAuth, TokenAuth
from hooksd.model.secret import Secret
from tests.auth.requests import NOW, auth, verdict

OWN = tomllib.loads((Path(__file__).parent / "vectors.toml").read_text())
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


def test_there_is_a_request_for_every_preset() -> None:
    assert set(OWN) == set(PRESETS) == set(preset_names())


def own(name: str) -> tuple[Verifier, Inbound]:
    vector = OWN[name]
    judge = build_verifier(auth(preset=name, secret="env:S"), lambda _: Secret(vector["secret"].encode()))
    request = Inbound(
        method="POST",
        path="/hooks/x",
        query_string="",
        headers=tuple((key.lower(), value) for key, value in vector["headers"].items()),
        body=vector["body"].encode(),
        media="application/json",
    )
    return judge, request


@pytest.mark.parametrize("name", preset_names())
def test_a_request_of_the_provider_is_authentic_and_read(name: str) -> None:
    judge, request = own(name)

    assert verdict(judge, request) == "key 0"
    assert judge.read(request, json.loads(request.body)) == Reading(
        event_type=OWN[name]["event"], delivery_id=OWN[name]["id"]
    )


@pytest.mark.parametrize("name", preset_names())
def test_without_any_one_header_that_proves_it_a_request_is_refused(name: str) -> None:
    judge, request = own(name)
    told_only = {"x-github-event", "x-github-delivery", "x-gitlab-event", "idempotency-key"}

    for header in {key for key, _ in request.headers} - told_only:
        without = replace(request, headers=tuple(pair for pair in request.headers if pair[0] != header))
        twice = replace(request, headers=(*request.headers, (header, "x")))
        assert verdict(judge, without).startswith("missing_")
        assert verdict(judge, twice) == "duplicate_header"


@pytest.mark.parametrize("name", [name for name in preset_names() if name != "gitlab"])
def test_a_changed_body_and_an_old_time_are_refused(name: str) -> None:
    judge, request = own(name)

    assert verdict(judge, replace(request, body=request.body + b" ")) == "bad_signature"
    if name != "github":
        assert verdict(judge, request, NOW + 301) == "stale_timestamp"
        assert verdict(judge, request, NOW - 301) == "stale_timestamp"


@pytest.mark.parametrize("name", preset_names())
def test_a_request_with_another_secret_is_refused(name: str) -> None:
    _, request = own(name)
    other = build_verifier(auth(preset=name, secret="env:S"), lambda _: Secret(b"whsec_b3RoZXIgc2VjcmV0"))

    assert verdict(other, request) in {"bad_signature", "bad_token"}


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_tells_people_where_its_secret_is(name: str) -> None:
    about = describe(name)

    assert about.name == name
    assert about.title
    assert about.secret_at
    assert about.event
    assert about.proof
    assert not about.proof.startswith("header:")


def test_what_is_no_preset_stays_as_it_is() -> None:
    plain = auth(type="none")

    assert expand(plain) is plain
    assert isinstance(plain, NoneAuth)


def test_a_preset_stands_for_its_type_with_its_keys_replaced() -> None:
    found = expand(auth(preset="stripe", secret=["env:A", "env:B"], tolerance="10m", event="header:X-Event"))

    assert isinstance(found, HmacAuth)
    assert found.secrets == ("env:A", "env:B")
    assert found.tolerance == 600
    assert found.event == ("header:X-Event",)
    assert found.format == "t={timestamp},v1={signature}"


def test_a_token_of_a_preset_may_be_elsewhere() -> None:
    found = expand(auth(preset="gitlab", secret="env:A", token="query:t"))

    assert isinstance(found, TokenAuth)
    assert found.token == "query:t"


def test_an_unknown_preset_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(AuthProblem, match="unknown preset `GitHib`") as caught:
        expand(auth(preset="GitHib", secret="env:A"))
    with pytest.raises(AuthProblem) as other:
        expand(auth(preset="zzz", secret="env:A"))

    assert caught.value.hint == "did you mean `github`?"
    assert other.value.hint == "known are github, gitlab, slack, standard, stripe"


@pytest.mark.parametrize(
    ("name", "keys", "key"),
    [
        ("gitlab", {"tolerance": "5m"}, "tolerance"),
        ("gitlab", {"header": "X"}, "header"),
        ("github", {"username": "a"}, "username"),
    ],
)
def test_a_key_that_the_preset_does_not_have_is_told_by_name(name: str, keys: dict[str, Any], key: str) -> None:
    with pytest.raises(AuthProblem, match=f"does not take `{key}`") as caught:
        expand(auth(preset=name, secret="env:A", **keys))

    assert caught.value.key == key
