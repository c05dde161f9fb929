from __future__ import annotations

from pathlib import Path

import pytest

from hooksd.config.checks.permissions import secrets_in
from hooksd.config.checks.written import Reading
from tests.config.loading import found, load

ENDPOINT = 'version = 1\n[endpoints.slack]\nurl = "https://x.example"\n'


def files(step: str, allow: str, secrets: str = "[]") -> dict[str, bytes | str]:
    return {
        "w.toml": f'version = 1\non = "manual"\nrun_as = "r"\n[[steps]]\n{step}\n',
        "roles.toml": f"version = 1\n[roles.r]\nallow = {allow}\nsecrets = {secrets}\n",
        "endpoints.toml": ENDPOINT,
    }


@pytest.mark.parametrize(
    ("step", "allow"),
    [
        ('run = ["/srv/bin/x", "{{ body.a }}"]', '["run:/srv/bin/*"]'),
        ('run = ["/srv/{{ body.a }}/x"]', '["run:/srv/*/x"]'),
        ('run = ["{{ body.a }}"]', '["run:/srv/x"]'),
        ('shell = "true"', '["shell"]'),
        ('http = "GET https://a.example/{{ body.x }}"', '["http:https://a.example/*"]'),
        ('http = "GET {{ body.url }}"', '["http:https://a.example/*"]'),
        ('send = "slack"', '["send:s*"]'),
        ('emit = "a.b"', '["emit:a.*"]'),
        ('emit = "a.b"', '["shell"]'),
        ("set.a = 1", "[]"),
    ],
)
def test_what_the_role_allows_or_might_allow_is_fine(step: str, allow: str, tmp_path: Path) -> None:
    assert found(tmp_path, files(step, allow)) == []


@pytest.mark.parametrize(
    ("step", "allow"),
    [
        ('run = ["/srv/bin/x"]', '["run:/srv/sbin/*"]'),
        ('run = ["/srv/{{ body.a }}/x"]', '["run:/srv/*/y"]'),
        ('shell = "true"', '["run:*"]'),
        ('http = "GET https://a.example.evil/{{ body.x }}"', '["http:https://a.example/*"]'),
        ('send = "slack"', '["send:crm"]'),
        ('emit = "a.b"', '["emit:b.*"]'),
    ],
)
def test_what_the_role_can_never_allow_is_refused(step: str, allow: str, tmp_path: Path) -> None:
    assert [item.split()[1] for item in found(tmp_path, files(step, allow))] == ["H060"]


@pytest.mark.parametrize("step", ['run = ["x"]', 'shell = "x"', 'http = "GET https://x.example"'])
def test_what_needs_a_role_is_refused_without_one(step: str, tmp_path: Path) -> None:
    text = f'version = 1\non = "manual"\n[[steps]]\n{step}\n'
    (diagnostic,) = load(tmp_path, {"w.toml": text}).diagnostics
    assert diagnostic.code == "H060"
    assert "run_as" in (diagnostic.hint or "")


def test_sending_without_a_role_depends_on_the_caller_and_is_decided_then(tmp_path: Path) -> None:
    text = 'version = 1\non = "manual"\n[[steps]]\nsend = "slack"\n'
    assert found(tmp_path, {"w.toml": text, "endpoints.toml": ENDPOINT}) == []


def test_a_secret_is_read_only_if_the_role_names_it(tmp_path: Path) -> None:
    step = 'emit = "x"\njson = "{{ secrets.api_token }}"'
    assert found(tmp_path, files(step, "[]", '["api_token"]')) == []
    assert found(tmp_path, files(step, "[]", '["github"]')) == ["w.toml:6:12 H060"]


def test_under_a_role_with_errors_nothing_is_judged(tmp_path: Path) -> None:
    assert found(tmp_path, files('shell = "x"', "3")) == ["roles.toml:3:9 H016"]


def test_the_names_of_secrets_are_taken_from_what_is_read() -> None:
    names = frozenset({"secrets.a", "secrets.b.c", "secrets", "body.secrets.d"})
    assert secrets_in(Reading(path=(), source="", names=names)) == ["a", "b"]
