from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.loading import found

ANYONE = 'version = 1\n[webhooks.door]\nauth.type = "none"\n'
SIGNED = 'version = 1\n[webhooks.door]\nauth.preset = "github"\nauth.secret = "credential:github"\n'
ENDPOINT = 'version = 1\n[endpoints.chat]\nurl = "https://chat.example"\n'
ROLE = 'version = 1\n[roles.r]\nallow = ["run:date", "send:chat"]\n'


def files(head: str, step: str, door: str = ANYONE) -> dict[str, bytes | str]:
    return {
        "w.toml": f"version = 1\n{head}\n[[steps]]\n{step}\n",
        "door.toml": door,
        "roles.toml": ROLE,
        "endpoints.toml": ENDPOINT,
    }


@pytest.mark.parametrize(
    "head",
    [
        'on = "webhook:door"\nrun_as = "r"',
        'on = ["manual", "webhookId:door"]\nrun_as = "r"',
        'on = "webhook:door"\ntrust = "token"',
        'on = "webhook:door"\nrun_as = "r"\ntrust = "signed"',
    ],
)
def test_callers_whom_the_workflow_refuses_are_named_where_it_calls_for_them(head: str, tmp_path: Path) -> None:
    (problem,) = found(tmp_path, files(head, "set.a = 1"))

    assert problem.startswith("w.toml:2:")
    assert problem.endswith("H061")


def test_sending_for_anyone_is_marked_at_the_step(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, files('on = "webhook:door"', 'send = "chat"'))

    assert problem == "w.toml:4:8 H061"


@pytest.mark.parametrize(
    ("head", "step", "door"),
    [
        ('on = "webhook:door"', "set.a = 1", ANYONE),
        ('on = "webhook:door"\nrun_as = "r"\ntrust = "anonymous"', 'run = ["date"]', ANYONE),
        ('on = "webhook:door"\nrun_as = "r"\ntrust = "anonymous"', 'send = "chat"', ANYONE),
        ('on = "webhook:door"\nrun_as = "r"\ntrust = "signed"', 'run = ["date"]', SIGNED),
        ('on = "webhook:door"', 'send = "chat"', SIGNED),
    ],
)
def test_callers_who_prove_enough_are_fine(head: str, step: str, door: str, tmp_path: Path) -> None:
    assert found(tmp_path, files(head, step, door)) == []


def test_what_is_misspelt_is_reported_once(tmp_path: Path) -> None:
    problems = found(tmp_path, files('on = "webhook:door"\ntrust = "tokn"', "set.a = 1"))

    assert [problem[-4:] for problem in problems] == ["H017"]
