"""The whole, started as a service manager or a user does. What it does for webhooks is tested in `tests/end_to_end`."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.daemon import Daemon, records

QUIET = """
version = 1
on      = "config.rejected"

[[steps]]
set = { revision = "{{ body.revision }}" }
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    one = Daemon(tmp_path)
    one.write({"quiet.toml": QUIET})
    try:
        yield one
    finally:
        one.kill()


def wait_for(daemon: Daemon, kind: str, count: int = 1) -> None:
    deadline = time.monotonic() + 60
    while sum(record["type"] == kind for record in records(daemon.log_dir)) < count:
        assert time.monotonic() < deadline, f"no {kind}:\n{daemon.stderr}"
        time.sleep(0.02)


def test_its_life_begins_and_ends_in_the_log_in_order(daemon: Daemon) -> None:
    daemon.start()

    assert daemon.stop() == 0
    kinds = [record["type"] for record in records(daemon.log_dir) if record["type"] != "segment"]
    assert kinds == ["config.applied", "daemon.started", "daemon.stopped"]
    assert records(daemon.log_dir)[-1]["reason"] == "SIGTERM"


def test_a_notice_of_the_daemon_starts_the_workflow_that_listens_to_it(daemon: Daemon) -> None:
    daemon.start()
    daemon.write({"bad.toml": "version = 1\nonn = 1\n"})
    wait_for(daemon, "run.ended")
    (daemon.hooks_dir / "bad.toml").unlink()
    daemon.command("reload")

    events = [record["event"] for record in records(daemon.log_dir) if record["type"] == "event.accepted"]
    assert [(event["type"], event["source"], event["trust"]) for event in events] == [
        ("config.rejected", "hooksd", "local")
    ]
    assert daemon.stop() == 0


def test_sighup_reads_the_files_and_goes_on(daemon: Daemon) -> None:
    daemon.start()
    assert daemon.process is not None
    daemon.write({"more.toml": 'version = 1\non = "manual"\n[[steps]]\nset = { a = 1 }\n'})
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(daemon, "config.applied", 2)

    assert daemon.stop() == 0


def test_a_second_signal_does_not_wait_for_what_runs(daemon: Daemon) -> None:
    slow = 'version = 1\non = "manual"\nrun_as = "slow"\n[[steps]]\nrun = ["sleep", "600"]\n'
    roles = 'version = 1\n[roles.slow]\nallow = ["run:sleep"]\n'
    daemon.write({"slow.toml": slow, "roles.toml": roles})
    daemon.start()
    assert daemon.command("trigger", "slow").returncode == 0
    wait_for(daemon, "step.started")
    assert daemon.process is not None
    began = time.monotonic()
    daemon.process.terminate()
    while "daemon.stopping" not in daemon.stderr:  # before it is noticed, a second signal is none
        assert time.monotonic() - began < 60
        time.sleep(0.02)
    again = time.monotonic()

    assert daemon.stop() == 0
    assert time.monotonic() - again < 15, "programs get 20 seconds to end by themselves"


def test_an_inherited_socket_is_served_instead_of_the_setting(daemon: Daemon) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door, (daemon.directory / "err").open("wb") as err:
        port = door.getsockname()[1]
        # The number of a process is known to itself alone, so it is set between fork and exec, as systemd does.
        script = (
            f"import os, sys; os.dup2({door.fileno()}, 3); "
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); "
            "os.execv(sys.executable, [sys.executable, '-m', 'hooksd', 'serve'])"
        )
        daemon.process = subprocess.Popen(
            [sys.executable, "-c", script],
            env=daemon.environment,
            cwd=daemon.directory,
            stderr=err,
            pass_fds=[door.fileno()],
        )
        answer = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=60, trust_env=False)

    assert answer.status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(daemon.url("/readyz"), timeout=5, trust_env=False)
    assert daemon.stop() == 0


def test_over_tcp_the_admin_listener_wants_its_token(daemon: Daemon) -> None:
    daemon.credential("admin", "open sesame")
    with socket.create_server(("127.0.0.1", 0)) as door:
        admin = f"127.0.0.1:{door.getsockname()[1]}"
    settings = daemon.directory / "hooksd.toml"
    settings.write_text(f'admin = "{admin}"\nadmin_token = "credential:admin"\n')
    daemon.start()

    assert httpx.get(f"http://{admin}/api/v1/status", trust_env=False).status_code == 401
    assert daemon.command("status").returncode == 0
    assert daemon.stop() == 0


def test_a_port_in_use_ends_the_start_with_its_name(daemon: Daemon) -> None:
    with socket.create_server(("127.0.0.1", daemon.port)):
        done = daemon.command("serve")

    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{daemon.port}" in done.stderr
    assert "Traceback" not in done.stderr
    assert "daemon.started" not in {record["type"] for record in records(daemon.log_dir)}


def test_the_log_and_the_admin_socket_are_for_the_owner_alone(daemon: Daemon) -> None:
    daemon.start()

    state = daemon.directory / "state"
    assert (state / "admin.sock").stat().st_mode & 0o077 == 0
    assert daemon.log_dir.stat().st_mode & 0o077 == 0
    assert daemon.stop() == 0
