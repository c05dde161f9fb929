from __future__ import annotations

from pathlib import Path

import pytest

from hooksd.config.load import Loader
from hooksd.config.secrets import SecretProblem, SecretStore
from hooksd.model.secret import Secret
from tests.config.loading import found, load

WEBHOOK = 'version = 1\n[webhooks.in]\nauth.preset = "github"\nauth.secret = {}\n'


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        ('"credential:missing"', "H070"),
        ('"credential:empty"', "H070"),
        ('"env:MISSING"', "H070"),
        ('"file:missing"', "H070"),
        ('["credential:github", "env:MISSING"]', "H070"),
        ('"a literal secret"', "H071"),
        ('"credential:short"', "H072"),
        ('["credential:github", "credential:short"]', "H072"),
    ],
)
def test_a_secret_that_is_missing_or_unusable_is_told_once(secret: str, code: str, tmp_path: Path) -> None:
    assert [item.split()[1] for item in found(tmp_path, {"a.toml": WEBHOOK.format(secret)})] == [code]


@pytest.mark.parametrize("secret", ['"credential:github"', '["credential:github", "env:GITHUB_SECRET"]'])
def test_secrets_that_are_there_are_fine(secret: str, tmp_path: Path) -> None:
    assert found(tmp_path, {"a.toml": WEBHOOK.format(secret)}) == []


def test_the_place_of_a_missing_secret_is_the_one_in_the_list(tmp_path: Path) -> None:
    text = WEBHOOK.format('["credential:github", "env:MISSING"]')
    assert found(tmp_path, {"a.toml": text}) == ["a.toml:4:37 H070"]


def test_a_literal_is_a_warning_where_the_settings_allow_it(tmp_path: Path) -> None:
    loaded = load(tmp_path, {"a.toml": WEBHOOK.format('"a literal secret"')}, allow_inline=True)
    assert [(item.code, item.severity) for item in loaded.diagnostics] == [("H071", "warning")]
    assert loaded.ok


def test_an_allowed_literal_must_still_be_good_enough(tmp_path: Path) -> None:
    loaded = load(tmp_path, {"a.toml": WEBHOOK.format('"short"')}, allow_inline=True)
    assert [item.code for item in loaded.diagnostics] == ["H071", "H072"]


def test_secrets_of_endpoints_and_roles_must_be_there_too(tmp_path: Path) -> None:
    endpoint = 'version = 1\n[endpoints.out]\nurl = "https://{{ secrets.nope }}"\nsecret = "credential:nope"\n'
    roles = 'version = 1\n[roles.r]\nsecrets = ["api_token", "nope"]\n'
    assert found(tmp_path, {"a.toml": endpoint, "roles.toml": roles}) == [
        "a.toml:3:19 H070",
        "a.toml:4:10 H070",
        "roles.toml:3:25 H070",
    ]


def test_a_preset_that_does_not_exist_is_told_before_its_secret_is_judged(tmp_path: Path) -> None:
    text = 'version = 1\n[webhooks.in]\nauth.preset = "githb"\nauth.secret = "credential:short"\n'
    (diagnostic,) = load(tmp_path, {"a.toml": text}).diagnostics
    assert (diagnostic.code, diagnostic.hint) == ("H021", "did you mean `github`?")


def test_an_authentication_that_cannot_work_is_told_whatever_its_secret(tmp_path: Path) -> None:
    text = 'version = 1\n[webhooks.in]\nauth.type = "hmac"\nauth.secret = "credential:missing"\n'
    assert {item.split()[1] for item in found(tmp_path, {"a.toml": text})} == {"H022", "H070"}


class Vanishing(SecretStore):
    """A store whose secrets are there once and gone the next time."""

    seen = 0

    def get(self, ref: str) -> Secret:
        self.seen += 1
        if self.seen > 1:
            raise SecretProblem(f"`{ref}` does not exist")
        return super().get(ref)


def test_a_secret_is_read_once_for_each_load(tmp_path: Path) -> None:
    (tmp_path / "github").write_bytes(b"a long enough secret")
    secrets = Vanishing(credentials_dir=tmp_path, environment={}, allow_inline=False, base_dir=tmp_path)
    loader = Loader(secrets=secrets, allow_inline_secrets=False)
    files = {"a.toml": WEBHOOK.format('"credential:github"').encode()}
    assert loader.load(files).ok
    (diagnostic,) = loader.load(files).diagnostics
    assert (diagnostic.code, diagnostic.line) == ("H070", 4)


@pytest.mark.parametrize("key", ["bearer", "basic_auth.password", "oauth2.client_secret", "tls.ca", "tls.key"])
def test_every_reference_of_an_endpoint_is_looked_up(key: str, tmp_path: Path) -> None:
    beside = {
        "basic_auth.password": 'basic_auth.username = "me"\n',
        "tls.key": 'tls.certificate = "credential:github"\n',
    }.get(key, "")
    if key.startswith("oauth2"):
        beside = 'oauth2.token_url = "https://login.example/"\noauth2.client_id = "me"\n'
    text = f'version = 1\n[endpoints.out]\n{key} = "credential:nope"\nurl = "https://a.example"\n{beside}'

    assert [item.split()[1] for item in found(tmp_path, {"a.toml": text})] == ["H070"]


def test_a_signing_secret_that_is_not_what_it_says_is_told_at_its_place(tmp_path: Path) -> None:
    secrets = '["credential:github", "credential:undecodable"]'
    text = f'version = 1\n[endpoints.out]\nurl = "https://a.example"\nsecret = {secrets}\n'

    assert found(tmp_path, {"a.toml": text}) == ["a.toml:4:32 H072"]


@pytest.mark.parametrize(
    "line",
    [
        'url = "{{ secrets.github }}"',
        'url = "https://a.example:{{ secrets.github }}/"',
        'url = "https://a.example/"\nheaders.X-A = "{{ secrets.lines }}"',
        'url = "https://a.example/"\nheaders.X-A = "{{ secrets.latin }}"',
        'url = "https://a.example/{{ 1 // (secrets.short | length - secrets.short | length) }}"',
    ],
)
def test_what_cannot_be_sent_with_its_secrets_is_an_error_that_does_not_tell_them(line: str, tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b"a\r\nb: hunter2")
    (tmp_path / "latin").write_bytes(b"\xff\xfe")

    loaded = load(tmp_path, {"a.toml": f"version = 1\n[endpoints.out]\n{line}\n"})

    (finding,) = loaded.diagnostics
    assert (finding.code, finding.line) == ("H072", 2 + len(line.splitlines()))
    assert not any(part in finding.message for part in ("hunter2", "long", "1234"))


def test_what_can_be_sent_with_its_secrets_is_fine(tmp_path: Path) -> None:
    text = 'version = 1\n[endpoints.out]\nurl = "https://a.example/{{ secrets.short }}"\n'

    assert found(tmp_path, {"a.toml": text + 'headers.X-A = "{{ secrets.short }}"\n'}) == []
