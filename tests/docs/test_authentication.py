"""Every example of docs/authentication.md is run, with a curl that only writes down what it would send."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from hooksd.auth.build import build_verifier
from hooksd.auth.lint import problems
from hooksd.auth.presets import HANDSHAKES, expand
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Authentic, Reason
from hooksd.model.auth import AUTH_MODELS, auth_kind
from hooksd.model.base import keys_of
from hooksd.model.secret import Secret

PAGE = (Path(__file__).parents[2] / "docs" / "authentication.md").read_text()
EXAMPLES = re.findall(r"^### (.+)$", PAGE.partition("## Handshakes")[0], re.MULTILINE)
CURL = '#!/bin/sh\nprintf "%s\\0" "$@" > "$SENT"\n'


def definitions() -> dict[str, Any]:
    text = "\n".join(re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    found: dict[str, Any] = tomllib.loads(text)["webhooks"]
    return found


def auth_of(table: dict[str, Any]) -> Any:
    model: Any = AUTH_MODELS[str(auth_kind(table["auth"]))]
    return model.model_validate(table["auth"])


def script(preset: str) -> str:
    section = PAGE.partition(f"### {preset}\n")[2].partition("\n##")[0]
    return str(re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)[0])


def sent_by(commands: str, folder: Path) -> tuple[Inbound, bytes]:
    """Run an example; return what curl would send, and the secret."""
    (folder / "curl").write_text(CURL)
    (folder / "curl").chmod(0o700)
    program = f'PATH="{folder}:$PATH"\nexport SENT="{folder}/sent"\n{commands}\nprintf "%s" "$SECRET"\n'
    run = subprocess.run(["sh", "-eu", "-c", program], capture_output=True, check=True, timeout=20)
    words = (folder / "sent").read_text().split("\0")
    lines = [words[place + 1] for place, word in enumerate(words) if word == "-H"]
    headers = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    request = Inbound(
        method="POST",
        path="/" + words[0].partition("9000/")[2],
        query_string="",
        headers=headers,
        body=words[words.index("--data-raw") + 1].encode(),
        media="application/json",
    )
    return request, run.stdout


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the examples sign with openssl")
@pytest.mark.parametrize("preset", EXAMPLES)
def test_the_example_of_a_preset_is_let_in(preset: str, tmp_path: Path) -> None:
    request, secret = sent_by(script(preset), tmp_path)
    judge = build_verifier(auth_of(definitions()[preset]), lambda _: Secret(secret))

    assert request.path == f"/hooks/{preset}"
    assert judge.verify(request, time.time()) == Authentic(key=0)


def test_every_provider_that_asks_back_is_named() -> None:
    section = PAGE.partition("## Handshakes")[2].partition("\n\nWho signs")[0]

    assert re.findall(r"`([a-z-]+)`", section) == sorted(HANDSHAKES)


@pytest.mark.parametrize("name", sorted(definitions()))
def test_a_definition_of_the_page_has_no_problems(name: str) -> None:
    assert problems(expand(auth_of(definitions()[name]))) == ()


@pytest.mark.parametrize("kind", sorted(AUTH_MODELS))
def test_every_type_and_every_key_is_documented(kind: str) -> None:
    assert f"| `{kind}` |" in PAGE or kind == "preset"
    assert [key for key in keys_of(AUTH_MODELS[kind]) - {"type", "preset"} if f"`{key}`" not in PAGE] == []


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_is_documented(reason: str) -> None:
    assert f"`{reason}`" in PAGE
