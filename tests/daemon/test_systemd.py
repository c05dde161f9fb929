"""What the service manager hears and hands over; and that the shipped units are what we say they are."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hooksd.config.settings import load_settings
from hooksd.daemon.lifecycle import DRAIN, LAST_RESORT
from hooksd.daemon.server import FINISH
from hooksd.daemon.systemd import MAX_STATUS, Notifier, inherited_sockets, watchdog_seconds

UNITS = Path(__file__).parent.parent.parent / "systemd"
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        yield listener


def heard(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().split("\n")


def test_the_manager_hears_that_the_daemon_is_ready_and_what_it_runs(manager: socket.socket) -> None:
    Notifier(manager.getsockname()).ready("IN_SYNC: revision abc")

    assert heard(manager) == ["READY=1", "STATUS=IN_SYNC: revision abc"]


def test_a_reload_is_announced_with_the_time_it_began(manager: socket.socket) -> None:
    Notifier(manager.getsockname()).reloading(12.5)

    assert heard(manager) == ["RELOADING=1", "MONOTONIC_USEC=12500000"]


def test_the_watchdog_and_the_end_are_one_word_each(manager: socket.socket) -> None:
    notifier = Notifier(manager.getsockname())
    notifier.alive()
    notifier.stopping()

    assert heard(manager) == ["WATCHDOG=1"]
    assert heard(manager)[0] == "STOPPING=1"


def test_a_status_cannot_smuggle_another_message_in_and_is_short(manager: socket.socket) -> None:
    notifier = Notifier(manager.getsockname())
    notifier.status("bad\nREADY=1\nname")
    notifier.status("x" * 10_000)

    assert heard(manager) == ["STATUS=bad READY=1 name"]
    assert len(heard(manager)[0]) == len("STATUS=") + MAX_STATUS


def test_an_abstract_address_works() -> None:
    name = f"hooksd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        listener.settimeout(5)
        Notifier(f"@{name}").alive()

        assert heard(listener) == ["WATCHDOG=1"]


@pytest.mark.parametrize("address", [None, "", "/nowhere/at/all"], ids=["none", "empty", "gone"])
def test_without_a_manager_nothing_happens(address: str | None) -> None:
    Notifier(address).ready("IN_SYNC")


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
    ids=["absent", "for anyone", "for us", "for another", "off", "nonsense"],
)
def test_the_watchdog_is_fed_only_if_it_waits_for_this_process(
    environment: dict[str, str], seconds: float | None
) -> None:
    assert watchdog_seconds(environment, 7) == seconds


@pytest.fixture
def passed() -> Iterator[tuple[int, int]]:
    """Two listening sockets at neighbouring descriptors, as a service manager passes them."""
    base = 200
    with socket.socket() as trigger, socket.socket() as admin:
        for offset, listener in enumerate((trigger, admin)):
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            os.dup2(listener.fileno(), base + offset, inheritable=True)
        yield base, trigger.getsockname()[1]


def test_inherited_sockets_go_where_their_names_say(passed: tuple[int, int]) -> None:
    base, port = passed
    environment = {"LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "http:admin"}

    inherited = inherited_sockets(environment, 7, first_fd=base)

    (trigger,), (admin,) = inherited.trigger, inherited.admin
    with trigger, admin:
        assert trigger.getsockname()[1] == port
        assert trigger.proto == socket.IPPROTO_TCP
        assert not os.get_inheritable(trigger.fileno())
        assert not trigger.getblocking()


def test_sockets_for_another_process_are_left_alone(passed: tuple[int, int]) -> None:
    base, _ = passed
    try:
        inherited = inherited_sockets({"LISTEN_PID": "8", "LISTEN_FDS": "2"}, 7, first_fd=base)

        assert inherited.trigger == inherited.admin == ()
        assert os.get_inheritable(base)
    finally:
        os.close(base)
        os.close(base + 1)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The shipped units, with a program that exists on this machine."""
    for unit in (*UNITS.glob("*.service"), *UNITS.glob("*.socket")):
        text = unit.read_text().replace("/opt/hooksd/bin/hooksd", "/usr/bin/true")
        (tmp_path / unit.name).write_text(text)
    return tmp_path


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(ANALYZE), "--no-pager", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@needs_systemd
def test_systemd_finds_nothing_to_say_against_the_units(units: Path) -> None:
    done = analyze("verify", *map(str, sorted(units.iterdir())))

    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if str(units) in line] == []


@needs_systemd
def test_the_service_is_exposed_to_little(units: Path) -> None:
    done = analyze("security", "--offline=true", str(units / "hooksd.service"))

    found = re.search(r"exposure level for hooksd.service: ([0-9.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) <= 1.2


def test_the_daemon_ends_by_itself_before_systemd_loses_patience() -> None:
    limit = re.search(r"^TimeoutStopSec=(\d+)$", (UNITS / "hooksd.service").read_text(), re.MULTILINE)

    assert limit is not None
    assert max(DRAIN, FINISH) < LAST_RESORT < int(limit[1])


def test_the_settings_that_are_shipped_for_the_service_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HOOKSD_")]:
        monkeypatch.delenv(name)

    settings = load_settings(UNITS / "hooksd.toml", {})

    assert settings.log_dir == Path("/var/log/hooksd")
