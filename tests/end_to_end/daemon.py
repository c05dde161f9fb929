"""A real `hooksd serve` in a directory of its own, as a user would start it."""

from __future__ import annotations

import asyncio
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import orjson

START_SECONDS = 60.0
STOP_SECONDS = 60.0


PORTS = range(12_000, 30_000)
"""Below those that the system gives to callers, and to servers that ask for any: nobody takes one between two lives of
a daemon."""


def free_port() -> int:
    """Return a port on which nobody listens, and nobody will who does not ask here."""
    for port in random.SystemRandom().sample(PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("100 ports were taken")


def records(log_dir: Path) -> list[dict[str, Any]]:
    """Every record of the log, oldest first, as any JSON reader sees it; the line that is being written is left out."""
    return [
        orjson.loads(line)
        for segment in sorted(log_dir.glob("log-*.jsonl"), key=lambda path: int(path.stem.removeprefix("log-")))
        for line in segment.read_bytes().rpartition(b"\n")[0].splitlines()
    ]


class Daemon:
    """One daemon and its directories. It may be started, killed and started again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.hooks_dir = directory / "hooks.d"
        self.log_dir = directory / "log"
        self.credentials_dir = directory / "credentials"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.prefix: tuple[str, ...] = ()
        """The command that starts it, like `strace -D -o FILE`; it must become the daemon, not its parent."""
        self.variables: dict[str, str] = {}
        """Added to its environment."""
        self._stderr: IO[bytes] | None = None
        self.hooks_dir.mkdir(parents=True)
        self.credentials_dir.mkdir()

    @property
    def environment(self) -> dict[str, str]:
        return {
            # The `hooksd` of this environment comes first, as after an installation.
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOOKSD_HOOKS_DIR": str(self.hooks_dir),
            "HOOKSD_LOG_DIR": str(self.log_dir),
            "HOOKSD_STATE_DIR": str(self.directory / "state"),
            "HOOKSD_CREDENTIALS_DIR": str(self.credentials_dir),
            "HOOKSD_LISTEN": f"127.0.0.1:{self.port}",
            **self.variables,
        }

    @property
    def stderr(self) -> str:
        """What the daemon said, over all its lives."""
        return (self.directory / "stderr").read_text()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def write(self, files: Mapping[str, str]) -> None:
        """Write definitions."""
        for name, text in files.items():
            path = self.hooks_dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def credential(self, name: str, value: str) -> None:
        (self.credentials_dir / name).write_text(value)

    def command(self, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run `hooksd ARGUMENTS` as a user beside the daemon would."""
        return subprocess.run(
            [sys.executable, "-m", "hooksd", *arguments],
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *arguments: str) -> None:
        """Start it and return when it is ready.

        Raises:
            AssertionError: It ended, or was not ready in time; with what it said.
        """
        process = self.launch(*arguments)
        assert self.opened(), f"ended with {process.returncode}:\n{self.stderr}"

    def launch(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start it and return at once."""
        with (self.directory / "stderr").open("ab") as self._stderr:
            self.process = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", "hooksd", "serve", *arguments],
                env=self.environment,
                cwd=self.directory,
                stderr=self._stderr,
            )
        return self.process

    def opened(self) -> bool:
        """Return when it is ready: true; or when it has ended: false.

        Raises:
            AssertionError: It was not ready in time; with what it said.
        """
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            if self._is_ready():
                return True
            time.sleep(0.02)
        raise AssertionError(f"not ready after {START_SECONDS} s:\n{self.stderr}")

    def _is_ready(self) -> bool:
        # Not by httpx: whoever waits asks often, and its client reads the certificates of the machine each time.
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            asked.request("GET", "/readyz")
            return asked.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            asked.close()

    def kill(self) -> None:
        """`kill -9`, without a word of warning."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(STOP_SECONDS)

    def stop(self) -> int:
        """Ask it to end, as systemd does, and return its exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    async def settled(self, timeout: float) -> None:
        """Return when every run and delivery in the log has ended."""
        async with asyncio.timeout(timeout):
            while unfinished(await asyncio.to_thread(records, self.log_dir)):
                await asyncio.sleep(0.1)

    async def applied(self, times: int, timeout: float = 30) -> None:
        """Return when this many sets of definitions have been applied in all."""
        async with asyncio.timeout(timeout):
            while sum(record["type"] == "config.applied" for record in records(self.log_dir)) < times:
                await asyncio.sleep(0.05)


def unfinished(log: list[dict[str, Any]]) -> set[str]:
    """Return the runs and deliveries that have no end yet."""
    begun = {run["id"] for record in log if record["type"] == "event.accepted" for run in record["runs"]}
    begun |= {record["delivery"] for record in log if record["type"] == "delivery.created"}
    ended = {record["run"] for record in log if record["type"] == "run.ended"}
    ended |= {record["delivery"] for record in log if record["type"] == "delivery.ended"}
    return begun - ended
