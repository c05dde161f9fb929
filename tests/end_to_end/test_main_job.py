"""The main job, as a user does it: a signed push starts a command, a bad commit changes nothing."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.end_to_end.daemon import Daemon, records

PUSH = Path(__file__).parent / "github_push.json"
SECRET = "It's a Secret to Everybody"

DEPLOY = """
version = 1
on      = "github.push"
when    = "body.ref == 'refs/heads/main'"
run_as  = "deployer"

[webhooks.github]
auth.preset = "github"
auth.secret = "credential:github"

[[steps]]
id  = "deploy"
run = ["sh", "-c", "echo deployed $1; echo $1 >> $2", "-", "{{ body.after }}", "%s"]

[[steps]]
id        = "tell"
send      = "chat"
json.text = "{{ steps.deploy.output }}"

[endpoints.chat]
url    = "%s"
secret = "credential:chat"
"""

ROLES = """
version = 1

[roles.deployer]
allow = ["run:sh", "send:chat"]
"""


@pytest.fixture
def chat() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A receiver of deliveries: its URL and what it received."""
    received: list[tuple[dict[str, str], bytes]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/chat", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def push(daemon: Daemon, body: bytes, *, secret: str = SECRET) -> httpx.Response:
    headers = {
        "content-type": "application/json",
        "x-github-event": "push",
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }
    return httpx.post(daemon.url("/hooks/github"), content=body, headers=headers, timeout=30, trust_env=False)


def until(claim: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def started(daemon: Daemon, chat: str) -> None:
    daemon.credential("github", SECRET + "\n")
    daemon.credential("chat", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    daemon.write({"deploy.toml": DEPLOY % (daemon.directory / "deployed", chat), "roles.toml": ROLES})
    daemon.start()


async def test_a_signed_push_starts_a_command_and_a_signed_delivery(
    daemon: Daemon, chat: tuple[str, list[tuple[dict[str, str], bytes]]]
) -> None:
    url, received = chat
    started(daemon, url)
    body = PUSH.read_bytes()
    after = json.loads(body)["after"]

    answer = push(daemon, body)
    await daemon.settled(timeout=60)

    assert answer.status_code == 202, answer.text
    assert [run["workflow"] for run in answer.json()["runs"]] == ["deploy"]
    assert (daemon.directory / "deployed").read_text() == f"{after}\n"
    ((headers, content),) = received
    assert json.loads(content) == {"text": f"deployed {after}"}
    assert headers["webhook-signature"].startswith("v1,")
    assert push(daemon, body, secret="a guess at it").status_code == 401

    told = daemon.command("explain", answer.json()["event"])
    assert told.returncode == 0, told.stderr
    assert "deploy  succeeded" in told.stdout
    assert "delivery to chat  delivered" in told.stdout
    until(lambda: "bad_signature" in daemon.command("deliveries", "--failed").stdout)
    listed = daemon.command("deliveries").stdout
    assert "github.push" in listed
    assert url in listed
    tail = daemon.command("tail", "--no-follow", "--json", "--type", "run.*").stdout.splitlines()
    assert [json.loads(line)["type"] for line in tail] == ["run.started", "run.ended"]
    assert daemon.stop() == 0
    assert records(daemon.log_dir)[-1]["type"] == "daemon.stopped"


def test_a_broken_file_changes_nothing_and_status_names_the_place(
    daemon: Daemon, chat: tuple[str, list[tuple[dict[str, str], bytes]]]
) -> None:
    started(daemon, chat[0])
    good = (daemon.hooks_dir / "deploy.toml").read_text()

    daemon.write({"deploy.toml": good.replace("run_as", "run_az")})
    until(lambda: "REJECTED" in daemon.command("status").stdout)
    status = daemon.command("status")
    reload = daemon.command("reload", "--wait")

    assert status.returncode == 1
    assert "deploy.toml:5:1" in status.stdout
    assert "did you mean `run_as`?" in status.stdout
    assert reload.returncode == 1
    assert "stays in force" in reload.stderr
    assert push(daemon, PUSH.read_bytes()).status_code == 202

    daemon.write({"deploy.toml": good})
    fixed = daemon.command("reload", "--wait")
    assert fixed.returncode == 0, fixed.stderr
    assert fixed.stdout.startswith("IN_SYNC")
    assert json.loads(daemon.command("status", "--json").stdout)["state"] == "IN_SYNC"
    assert daemon.stop() == 0


RESUMED = """
version = 1
on      = "webhook:slow"

[webhooks.slow]
auth.type = "none"

[[steps]]
id    = "rest"
sleep = "2s"

[[steps]]
set = { done = true }
"""


async def test_a_run_that_was_killed_in_the_middle_goes_on(daemon: Daemon) -> None:
    daemon.write({"slow.toml": RESUMED})
    daemon.start()
    run = httpx.post(daemon.url("/hooks/slow"), json={}, timeout=60, trust_env=False).json()["runs"][0]["id"]
    until(lambda: any(record["type"] == "step.started" for record in records(daemon.log_dir)))
    daemon.kill()

    daemon.start()
    await daemon.settled(timeout=60)

    kinds = [record["type"] for record in records(daemon.log_dir) if record.get("run") == run]
    assert kinds.count("run.ended") == 1
    assert kinds.count("run.started") == 1
    again = [record for record in records(daemon.log_dir) if record["type"] == "daemon.started"]
    assert [record["unfinished_runs"] for record in again] == [0, 1]
    assert daemon.stop() == 0


def test_a_broken_tree_at_the_start_is_told_and_ends_with_78(daemon: Daemon) -> None:
    daemon.write({"deploy.toml": "version = 1\nonn = 'x'\n"})

    done = daemon.command("serve")

    assert done.returncode == 78
    assert "deploy.toml:2:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_daemon_on_the_same_log_is_refused(daemon: Daemon) -> None:
    daemon.start()

    done = daemon.command("serve", "--listen", "127.0.0.1:0")

    assert done.returncode == 74
    assert "another" in done.stderr
    assert daemon.stop() == 0


def test_the_service_manager_hears_when_it_is_ready_rejected_and_stopping(daemon: Daemon, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, (tmp_path / "err").open("wb") as err:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        environment = {**daemon.environment, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"}
        daemon.process = subprocess.Popen(
            [sys.executable, "-m", "hooksd", "serve"], env=environment, cwd=tmp_path, stderr=err
        )
        heard: list[str] = []

        def hear(word: str) -> None:
            while not any(word in message for message in heard):
                heard.append(manager.recv(4096).decode())

        hear("READY=1")
        hear("WATCHDOG=1")
        daemon.write({"bad.toml": "version = 1\nonn = 'x'\n"})
        hear("STATUS=REJECTED")
        assert daemon.stop() == 0
        hear("STOPPING=1")

    assert "bad.toml:2:1" in next(message for message in heard if "STATUS=REJECTED" in message)


async def test_callers_who_wait_are_answered_before_the_daemon_ends(daemon: Daemon) -> None:
    daemon.write(
        {
            "ask.toml": RESUMED.replace("set = { done = true }", "respond.done = true")
            .replace('auth.type = "none"', 'auth.type = "none"\nanswer = "wait:10s"')
            .replace("2s", "300ms")
        }
    )
    daemon.start()
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.TaskGroup() as group:
        asked = group.create_task(client.post(daemon.url("/hooks/slow"), json={}, timeout=60))
        while not any(record["type"] == "step.started" for record in records(daemon.log_dir)):
            await asyncio.sleep(0.02)
        code = await asyncio.to_thread(daemon.stop)

    assert code == 0
    assert asked.result().status_code in (200, 202)
