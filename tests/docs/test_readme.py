"""The README, done as a new user does it: its files, its commands, in its order."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from hooksd.config.diagnostics import render_text
from hooksd.config.load import Loader
from hooksd.config.secrets import SecretStore
from tests.docs.console import shell
from tests.end_to_end.daemon import Daemon

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(kind: str, section: str) -> list[str]:
    part = TEXT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    assert part, f"the README has no section {section!r}"
    return [body for found, body in BLOCK.findall(part) if found == kind]


def pasted(script: str, daemon: Daemon) -> str:
    """Run what the README says beside a daemon; its checkout is the daemon's directory."""
    return shell(
        script.replace("localhost:9000", f"127.0.0.1:{daemon.port}").replace(".venv/bin/hooksd", "hooksd"), daemon
    )


def noticed(script: str, verdict: str) -> str:
    """Let a script wait until the daemon has seen a change, where the README waits a second: it may take longer."""
    # Definitions were applied at the start too.
    times = 2 if verdict == "applied" else 1
    seen = f'cat log/log-*.jsonl | grep -c \'"type":"config.{verdict}"\''
    waiting = f"until test $({seen}) -ge {times}; do sleep 0.1; done\n"
    # The record can be read before it is durable, and the verdict holds afterwards.
    waiting += "hooksd reload >reloaded 2>&1 || :\n"
    assert script.count("sleep 1\n") == 1
    return script.replace("sleep 1\n", waiting)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README talks with curl")
def test_the_first_minute_goes_as_the_readme_says(daemon: Daemon) -> None:
    shutil.copytree(ROOT / "hooks.d", daemon.hooks_dir, dirs_exist_ok=True)
    shell("git init -q . && git add hooks.d && git -c user.name=T -c user.email=t@example.invalid commit -qm x", daemon)
    daemon.start()
    greet, look, change, break_it = blocks("bash", "60 seconds")[1:]
    (answer,) = blocks("json", "60 seconds")
    (diagnostic,) = blocks("text", "60 seconds")

    greeted, looked = (pasted(block, daemon) for block in (greet, look))
    changed, broken = (pasted(block, daemon) for block in (noticed(change, "applied"), noticed(break_it, "rejected")))

    assert re.fullmatch(re.sub(r"\d+", r"[0-9]+", re.escape(answer.strip())), greeted.strip()), greeted
    assert "event.accepted" in looked
    assert "hello.said" in looked
    assert "IN_SYNC" in looked
    assert changed.startswith('{"greeting":"Good day, Ada!')
    assert "REJECTED" in broken
    assert diagnostic.strip() in broken


def test_the_deploy_of_the_readme_is_a_valid_set_of_definitions(tmp_path: Path) -> None:
    workflow, roles = blocks("toml", "A real one")
    for secret in ("github", "slack_url"):
        (tmp_path / secret).write_text("https://chat.example.com/hooks/0123456789")
    store = SecretStore(credentials_dir=tmp_path, environment={}, allow_inline=False, base_dir=tmp_path)

    files = {"deploy.toml": workflow.encode(), "roles.toml": roles.encode()}
    loaded = Loader(secrets=store, allow_inline_secrets=False).load(files)

    assert render_text(loaded.diagnostics, color=False) == ""


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", TEXT))))
def test_links_of_the_readme_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
