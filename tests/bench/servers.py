"""The servers that are compared, each started anew, on one core and on a loopback port of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.bench.payload import SECRET

ROOT = Path(__file__).parent.parent.parent
SERVER_CORE = 0
START_SECONDS = 20.0
END_SECONDS = 1.0
"""Long enough to end in order when nothing is left to do; what is left is of no interest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How to start one of them."""

    name: str
    path: str
    """Where it takes requests."""
    prepare: Callable[[Path, int], list[str]]
    """Writes its files into a directory and returns the command that serves a port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that answers."""

    url: str
    pid: int
    directory: Path


@contextlib.contextmanager
def running(server: Server, directory: Path) -> Iterator[Running]:
    """Run a server in an empty directory, which is deleted afterwards."""
    directory.mkdir()
    port = _free_port()
    command = server.prepare(directory, port)
    with (directory / "output").open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "BENCH_SECRET": SECRET, "GOMAXPROCS": "1"},
            stdout=output,
            stderr=output,
            preexec_fn=_take_core,  # noqa: PLW1509 - this program has one thread
            start_new_session=True,
        )
    try:
        _wait_for(port, server.path, process, directory / "output")
        yield Running(url=f"http://127.0.0.1:{port}{server.path}", pid=process.pid, directory=directory)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(directory, ignore_errors=True)


def _take_core() -> None:
    os.sched_setaffinity(0, {SERVER_CORE})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, path: str, process: subprocess.Popen[bytes], output: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError, http.client.HTTPException):
            if _knows(port, path):
                return
        time.sleep(0.05)
    raise SystemExit(f"it does not start:\n{output.read_text()[-2000:]}")


def _knows(port: int, path: str) -> bool:
    """Tell whether a server knows its path already: some listen before they have read what they serve."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=1)) as connection:
        connection.request("POST", path, b"{}", {"Content-Type": "application/json"})
        return connection.getresponse().status != 404


def bare() -> Server:
    """Return uvicorn with an application that only reads the body."""

    def prepare(_: Path, port: int) -> list[str]:
        options = ["--http", "httptools", "--loop", "uvloop", "--no-access-log", "--lifespan", "off", "--ws", "none"]
        return [sys.executable, "-m", "uvicorn", "tests.bench.bare:app", "--port", str(port), *options]

    return Server(name="bare uvicorn", path="/", prepare=prepare)


def adnanh(name: str, *, run: Literal["never", "start", "wait"] = "never") -> Server | None:
    """Return Debian's `webhook`; None where it is not installed.

    Args:
        name: What the tables call it.
        run: Whether it starts `/bin/true` for each request, and whether it answers before or after that has ended. To
            run nothing it gets a second rule that no request fits, and answers 202 all the same.
    """
    program = shutil.which("webhook")
    if program is None:
        return None

    def prepare(directory: Path, port: int) -> list[str]:
        given = {"source": "header", "name": "X-Hub-Signature-256"}
        signed = {"match": {"type": "payload-hmac-sha256", "secret": SECRET, "parameter": given}}
        ref = {"source": "payload", "name": "ref"}
        never = {"match": {"type": "value", "value": "nothing", "parameter": ref}}
        hook = {
            "id": "push",
            "execute-command": "/bin/true",
            "trigger-rule": {"and": [signed, never]} if run == "never" else signed,
            "include-command-output-in-response": run == "wait",
            "trigger-rule-mismatch-http-response-code": 202,
            "success-http-response-code": 202,
        }
        hooks = directory / "hooks.json"
        hooks.write_text(json.dumps([hook]))
        return [str(program), "-hooks", str(hooks), "-ip", "127.0.0.1", "-port", str(port)]

    return Server(name=name, path="/hooks/push", prepare=prepare)


WEBHOOK = """
version = 1
{workflow}
[webhooks.push]
auth.type   = "hmac"
auth.header = "X-Hub-Signature-256"
auth.format = "sha256={{signature}}"
auth.event  = "header:X-GitHub-Event"
auth.id     = "header:X-GitHub-Delivery"
auth.secret = "env:BENCH_SECRET"
answer      = "{answer}"
{steps}
"""
ROLE = 'version = 1\n[roles.runner]\nallow = ["run:/bin/true"]\n'


def hooksd(
    name: str,
    workflow: str,
    steps: str,
    *,
    durability: str = "always",
    answer: str = "accept",
    program: str = "hooksd",
) -> Server:
    """Return hooksd with one webhook that verifies the signature.

    Args:
        name: What the tables call it.
        workflow: The keys of its one workflow.
        steps: The steps.
        answer: When the webhook answers.
        durability: `always`, or `none` to leave syncing to the kernel.
        program: The module that is run: `hooksd`, or `tests.bench.by_asgi`.
    """

    def prepare(directory: Path, port: int) -> list[str]:
        hooks = directory / "hooks.d"
        hooks.mkdir()
        (hooks / "push.toml").write_text(WEBHOOK.format(workflow=workflow, steps=steps, answer=answer))
        (hooks / "roles.toml").write_text(ROLE)
        settings = {
            "hooks_dir": hooks,
            "log_dir": directory / "log",
            "state_dir": directory / "state",
            "listen": f"127.0.0.1:{port}",
            "durability": durability,
        }
        file = directory / "hooksd.toml"
        file.write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()))
        return [sys.executable, "-m", program, "--config", str(file), "serve"]

    return Server(name=name, path="/hooks/push", prepare=prepare)
