from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.loading import found, load

BASE = """version = 1
[webhooks.github]
auth.preset = "github"
auth.secret = "credential:github"
[webhooks.plain]
auth.type = "none"
event = "order.{{ body.kind }}"
[endpoints.slack]
url = "https://x.example"
"""


def workflow(on: str, step: str = 'fail = "x"') -> str:
    return f"version = 1\non = {on}\n[[steps]]\n{step}\n"


@pytest.mark.parametrize(
    "on",
    ['"github.push"', '"github.*"', '"*"', '"webhook:github"', '"webhookId:plain"', '"webhook:*"', '"manual"',
     '"order.paid"', '"workflow.w.failed"', '"workflow.*.timed_out"', '"config.rejected"', '"webhook.github"'],
)  # fmt: skip
def test_a_subscription_that_something_can_fulfil_is_fine(on: str, tmp_path: Path) -> None:
    assert found(tmp_path, {"base.toml": BASE, "w.toml": workflow(on)}) == []


@pytest.mark.parametrize("on", ['"orders.paid"', '"workflow.other.failed"', '"webhook.plain"', '"push"', '"config.x"'])
def test_one_that_nothing_can_is_a_warning_and_no_error(on: str, tmp_path: Path) -> None:
    loaded = load(tmp_path, {"base.toml": BASE, "w.toml": workflow(on)})
    assert [(item.code, item.severity) for item in loaded.diagnostics] == [("H047", "warning")]
    assert loaded.ok
    assert loaded.definitions is not None


def test_one_to_an_unknown_webhook_is_an_error(tmp_path: Path) -> None:
    assert found(tmp_path, {"base.toml": BASE, "w.toml": workflow('["manual", "webhook:githb"]')}) == [
        "w.toml:2:17 H042"
    ]


def test_what_another_workflow_emits_can_be_subscribed_to(tmp_path: Path) -> None:
    files = {"a.toml": workflow('"manual"', 'emit = "done.{{ body.x }}"'), "b.toml": workflow('"done.well"')}
    assert found(tmp_path, files) == []


def test_endpoints_and_roles_are_looked_up_in_all_files(tmp_path: Path) -> None:
    step = 'send = ["slack", "slak"]'
    assert found(tmp_path, {"base.toml": BASE, "w.toml": workflow('"manual"', step)}) == ["w.toml:4:18 H040"]
    assert found(tmp_path, {"w.toml": 'version = 1\non = "manual"\nrun_as = "r"\nsteps = [{ fail = "x" }]\n'}) == [
        "w.toml:3:10 H041"
    ]


def test_what_has_errors_of_its_own_is_not_unknown_besides(tmp_path: Path) -> None:
    broken = 'version = 1\n[webhooks.in]\nauth.type = "nonsense"\n[endpoints.out]\nurl = 1\n'
    files = {"broken.toml": broken, "w.toml": workflow('["webhook:in", "in.anything"]', 'send = "out"')}
    assert found(tmp_path, files) == ["broken.toml:3:13 H020", "broken.toml:5:7 H016"]
