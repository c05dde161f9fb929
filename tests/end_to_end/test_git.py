"""Git under a running daemon: checkouts under load, and a deploy of the tree that is being updated."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import subprocess
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.daemon import Daemon, records

CHECKOUTS = 20
RATE = 200
"""Requests each second while branches change, where the machine keeps up."""
CALLERS = 20
"""Each with a connection of its own: one client of httpx for all of them would spend the machine on its pool."""
PUSH = Path(__file__).parent / "github_push.json"


def hello(branch: str) -> str:
    return f"""
version = 1
on      = "webhook:hello"

[webhooks.hello]
auth.type = "none"
answer    = "wait:5s"

[[steps]]
respond.branch = "{branch}"
"""


def extra(branch: str) -> str:
    return f"""
version = 1
on      = "webhook:only-{branch}"

[webhooks.only-{branch}]
auth.type = "none"
answer    = "none"

[[steps]]
set = {{ branch = "{branch}" }}
"""


def git(tree: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    command = ["git", "-C", str(tree), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def repository_with_two_branches(daemon: Daemon) -> None:
    tree = daemon.hooks_dir
    git(tree, "init", "-q", "-b", "red")
    daemon.write({"hello.toml": hello("red"), "red.toml": extra("red")})
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "red")
    git(tree, "checkout", "-q", "-b", "blue")
    git(tree, "rm", "-q", "red.toml")
    daemon.write({"hello.toml": hello("blue"), "blue.toml": extra("blue")})
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "blue")


async def caller(url: str, answers: Counter[str], stop: asyncio.Event) -> None:
    """Post ten times a second, over one connection, until told to stop."""
    clock = asyncio.get_running_loop()
    due = clock.time()
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        while not stop.is_set():
            try:
                answer = await client.post(url, json={})
                answers[f"{answer.status_code} {answer.json().get('branch')}"] += 1
            except httpx.TransportError as error:
                answers[f"failed: {error!r}"] += 1
            due = max(clock.time(), due + CALLERS / RATE)
            await asyncio.sleep(due - clock.time())


async def until_it_answers(client: httpx.AsyncClient, url: str, branch: str) -> None:
    async with asyncio.timeout(20):
        while (await client.post(url, json={})).json().get("branch") != branch:
            await asyncio.sleep(0.02)


@pytest.mark.timeout(300)
async def test_checkouts_under_load_fail_no_request_and_the_right_hooks_answer(daemon: Daemon) -> None:
    repository_with_two_branches(daemon)
    daemon.start()
    answers: Counter[str] = Counter()
    stop = asyncio.Event()
    url = daemon.url("/hooks/hello")

    async with httpx.AsyncClient(trust_env=False, timeout=30) as client, asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(caller(url, answers, stop))
        for turn in range(CHECKOUTS):
            branch, other = ("red", "blue") if turn % 2 == 0 else ("blue", "red")
            await asyncio.to_thread(git, daemon.hooks_dir, "checkout", "-q", branch)
            await until_it_answers(client, url, branch)
            assert (await client.post(daemon.url(f"/hooks/only-{branch}"), json={})).status_code == 204
            assert (await client.post(daemon.url(f"/hooks/only-{other}"), json={})).status_code == 404
        stop.set()

    assert set(answers) == {"200 red", "200 blue"}, answers
    applied = [record for record in records(daemon.log_dir) if record["type"] == "config.applied"]
    assert len(applied) == CHECKOUTS + 1


DEPLOY = """
version     = 1
on          = "github.push"
when        = "body.ref == 'refs/heads/main' and not body.deleted"
run_as      = "deployer"
concurrency = "deploy-{{ body.repository.full_name }}"
on_busy     = "latest"

[webhooks.github]
auth.preset = "github"
auth.secret = "credential:github"

[[steps]]
id  = "deploy"
run = ["TREE/deploy", "{{ body.after }}", "{{ body.head_commit.message }}"]
"""

ROLES = """
version = 1

[roles.deployer]
allow = ["run:TREE/deploy"]
"""

SCRIPT = """#!/bin/sh
set -eu
cd "$(dirname "$0")"
git checkout -q main
printf '%s\\n' "$1" >deployed
"""


async def test_a_signed_push_deploys_the_working_tree_that_holds_the_definitions(daemon: Daemon) -> None:
    tree = daemon.hooks_dir.parent / "app"
    daemon.hooks_dir.rename(tree)
    (tree / "hooks.d").mkdir()
    daemon.hooks_dir.symlink_to(tree / "hooks.d")
    daemon.credential("github", "a secret of the forge")
    git(tree, "init", "-q", "-b", "main")
    daemon.write({"deploy.toml": DEPLOY.replace("TREE", str(tree)), "roles.toml": ROLES.replace("TREE", str(tree))})
    (tree / "deploy").write_text(SCRIPT)
    (tree / "deploy").chmod(0o755)
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "deploy")
    git(tree, "checkout", "-q", "-b", "next")
    (tree / "hooks.d" / "hello.toml").write_text(hello("next"))
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "next")
    body = PUSH.read_bytes()
    signature = hmac.new(b"a secret of the forge", body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    daemon.start()

    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        refused = await client.post(daemon.url("/hooks/github"), content=body.replace(b"ada", b"eve"), headers=headers)
        answer = await client.post(daemon.url("/hooks/github"), content=body, headers=headers)
        await daemon.settled(timeout=60)
        await daemon.applied(times=2)

        assert refused.status_code == 401
        assert answer.status_code == 202
        assert (tree / "deployed").read_text() == f"{after(body)}\n"
        # The deploy checked out another branch under the daemon: what that branch does not define is gone, a moment
        # after the log says so.
        async with asyncio.timeout(20):
            while (await client.post(daemon.url("/hooks/hello"), json={})).status_code != 404:
                await asyncio.sleep(0.05)


def after(body: bytes) -> str:
    return str(httpx.Response(200, content=body).json()["after"])
