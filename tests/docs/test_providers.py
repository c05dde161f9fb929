"""docs/providers.md is what the presets say; every definition in it loads, and every request in it is let in."""

from __future__ import annotations

import re
import shlex
import tomllib
from urllib.parse import urlsplit

import pytest

from hooksd.auth.build import build_verifier
from hooksd.auth.lint import problems
from hooksd.auth.presets import expand, preset_names
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Authentic
from hooksd.model.auth import PresetAuth
from hooksd.model.body import Document
from hooksd.model.secret import Secret
from hooksd.model.webhook import Webhook
from tests.auth.requests import NOW
from tests.auth.signing import public_text
from tests.docs.providers import FILE, generated, is_shared

PAGE = FILE.read_text()
KEYS = {"file:keys/sendgrid": public_text("ecdsa-p256-sha256", "spki-base64").encode()}
NOBODY = Inbound(method="POST", path="/", query_string="", headers=(), body=b"", media="application/json")


def section(name: str) -> str:
    return PAGE.partition(f"\n### {name}\n")[2].partition("\n### ")[0]


def defined(name: str) -> Webhook:
    text = re.findall(r"^```toml\n(.*?)^```", section(name), re.MULTILINE | re.DOTALL)[0]
    return Webhook.model_validate(tomllib.loads(text)["webhooks"][name])


def test_the_generated_part_is_what_the_presets_say() -> None:
    assert PAGE.endswith(generated()), "run `python -m tests.docs.providers`"


@pytest.mark.parametrize("name", preset_names())
def test_the_definition_of_each_provider_can_be_put_in_force(name: str) -> None:
    webhook = defined(name)

    def secret(reference: str) -> Secret:
        return Secret(KEYS.get(reference, b"whsec_" + b"YWJj" * 8 if "adyen" not in name else b"ab" * 16))

    assert isinstance(webhook.auth, PresetAuth)
    assert webhook.auth.preset == name
    assert problems(expand(webhook.auth)) == ()
    assert build_verifier(webhook.auth, secret).verify(NOBODY, NOW) != Authentic(key=0)


@pytest.mark.parametrize("name", [name for name in preset_names() if is_shared(name)])
def test_the_request_of_each_provider_is_let_in(name: str) -> None:
    script = re.findall(r"^```sh\n(.*?)^```", section(name), re.MULTILINE | re.DOTALL)[0]
    comment, _, command = script.partition("\n")
    secret = shlex.split(comment.removeprefix("# "))[1].removesuffix(",")
    words = shlex.split(command.replace("\\\n", " "))
    lines = [words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H"]
    url = urlsplit(words[1])
    request = Inbound(
        method="POST", path=url.path, query_string=url.query, url=words[1], media="application/json",
        headers=tuple((header.lower(), value) for header, value in lines), body=words[-1].encode(),
    )  # fmt: skip

    judge = build_verifier(defined(name).auth, lambda _: Secret(secret.encode()))

    assert judge.verify(request, NOW) == Authentic(key=0)
    said = judge.event(request, Document(request.media, request.body))
    assert said is None or said.isprintable()
