from __future__ import annotations

from pathlib import Path

import pytest

from hooksd.config.load import Loader
from tests.config.loading import messages, store

WEBHOOK = 'version = 1\n[webhooks.in]\n{}\nauth.secret = "credential:github"\n'


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('methods = ["GET", "POST"]\nauth.preset = "github"', 1),
        ('auth.preset = "github"', 0),
        ('methods = ["GET"]\nauth.type = "token"\nauth.token = "query:t"', 0),
        ('methods = ["GET"]\nauth.type = "hmac"\nauth.header = "X-S"\nauth.signed = "{query:a}{body}"', 0),
        ('methods = ["GET"]\nauth.preset = "square"', 0),
        ('methods = ["GET"]\nauth.preset = "hubspot"', 0),
        ('methods = ["GET"]\nauth.preset = "nobody"', 0),
    ],
)
def test_a_get_that_nobody_signs_is_warned_of(text: str, count: int, tmp_path: Path) -> None:
    assert len(messages(tmp_path, WEBHOOK.format(text), "H025")) == count


@pytest.mark.parametrize(
    ("preset", "public_url", "codes"),
    [
        ("square", None, ["H026"]),
        ("hubspot", None, ["H026"]),
        ("square", "https://hooks.example.com", []),
        ("github", None, []),
    ],
)
def test_a_url_that_is_signed_must_be_known(
    preset: str, public_url: str | None, codes: list[str], tmp_path: Path
) -> None:
    text = WEBHOOK.format(f'auth.preset = "{preset}"')
    loader = Loader(secrets=store(tmp_path), allow_inline_secrets=False, public_url=public_url)

    loaded = loader.load({"a.toml": text.encode()})

    assert [item.code for item in loaded.diagnostics] == codes
    assert loaded.ok
